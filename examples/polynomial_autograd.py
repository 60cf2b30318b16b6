"""Fits a cubic to noisy points. The gradients come from ``backward()``."""

import numpy as np

import gradwire as torch

rng = np.random.default_rng(0)
x = torch.from_numpy(rng.uniform(-1, 1, 200))
y = torch.sin(3 * x) + torch.from_numpy(rng.normal(0, 0.05, 200))

coefficients = [torch.tensor(value, requires_grad=True) for value in rng.standard_normal(4)]
a, b, c, d = coefficients
for step in range(1, 501):
    prediction = a + b * x + c * x**2 + d * x**3
    loss = ((prediction - y) ** 2).mean()
    if step % 100 == 0:
        print(f"step {step:3d}  loss {loss.item():.6f}")

    loss.backward()
    # The updates are no part of what is differentiated.
    with torch.no_grad():
        for p in coefficients:
            p -= 0.5 * p.grad
            p.grad = None

print(loss)
print(f"y = {a.item():.4f} + {b.item():.4f} x + {c.item():.4f} x^2 + {d.item():.4f} x^3")
