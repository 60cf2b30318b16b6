"""Fits a cubic to noisy points. The gradients are worked out by hand."""

import numpy as np

import gradwire as torch

rng = np.random.default_rng(0)
x = torch.from_numpy(rng.uniform(-1, 1, 200))
y = torch.sin(3 * x) + torch.from_numpy(rng.normal(0, 0.05, 200))

a, b, c, d = (torch.tensor(value) for value in rng.standard_normal(4))
for step in range(1, 501):
    # The forward pass: the prediction and its mean squared error.
    prediction = a + b * x + c * x**2 + d * x**3
    loss = ((prediction - y) ** 2).mean()
    if step % 100 == 0:
        print(f"step {step:3d}  loss {loss.item():.6f}")

    # The backward pass: the derivative of the loss by the prediction, then the chain rule.
    grad_prediction = 2 * (prediction - y) / len(x)
    a -= 0.5 * grad_prediction.sum()
    b -= 0.5 * (grad_prediction * x).sum()
    c -= 0.5 * (grad_prediction * x**2).sum()
    d -= 0.5 * (grad_prediction * x**3).sum()

print(f"y = {a.item():.4f} + {b.item():.4f} x + {c.item():.4f} x^2 + {d.item():.4f} x^3")
