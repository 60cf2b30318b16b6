"""Fits y = a + b P(c + d x) to noisy points, where P is a function with a gradient of our own: a Legendre polynomial."""

from typing import Any

import numpy as np

import gradwire as torch


class Legendre3(torch.autograd.Function):
    """P(x) = (5 x³ - 3 x) / 2. Both methods are ordinary Python and run here, wherever the tensors are."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """P(x); what ``backward`` needs is put into ``ctx``."""
        ctx.save_for_backward(x)
        return (5 * x**3 - 3 * x) / 2

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
        """What arrives at P(x), times its derivative."""
        x: torch.Tensor = ctx.saved_tensors[0]
        return grad_output * (15 * x**2 - 3) / 2


rng = np.random.default_rng(0)
x = torch.from_numpy(rng.uniform(-1, 1, 200))
y = torch.sin(3 * x) + torch.from_numpy(rng.normal(0, 0.05, 200))

coefficients = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (0.0, -1.0, 0.0, 0.3)]
a, b, c, d = coefficients
for step in range(1, 501):
    prediction = a + b * Legendre3.apply(c + d * x)
    loss = ((prediction - y) ** 2).mean()
    if step == 1:
        print("The prediction was made by", prediction.grad_fn.next_functions[1][0].next_functions[1][0].name())
    if step % 100 == 0:
        print(f"step {step:3d}  loss {loss.item():.6f}")

    loss.backward()
    with torch.no_grad():
        for p in coefficients:
            p -= 0.05 * p.grad
            p.grad = None

print(f"y = {a.item():.4f} + {b.item():.4f} P({c.item():.4f} + {d.item():.4f} x)")
