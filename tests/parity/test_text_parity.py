"""Programs as text, beside torch executing the very same text: values, gradients and names of grad_fns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradwire_engine.limits import Limits
from gradwire_server.services.evaluate import evaluate

torch = pytest.importorskip("torch")

X = np.array([[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]])
Y = np.array([1.0, -2.0, 0.25])
K = np.array([2, 0])

TEXTS = """
z = 2 - x
z = 2 / x
z = 2 ** x + x ** 2 + x ** y
z = x % 7 + 7.5 // x.detach() - (7 % y.detach() // 2)
z = (2 < x) * y + (x >= 0.75) * x
z = -x @ y + (+x).abs().sum(1)
z = ~(x > 0) | (y < 0) ^ (x != 2.0) & (3 > x)
z = x.T.mT + x * 3
z = torch.stack([x, x * y]).sum(dim=(0, 2), keepdim=True)
v, i = torch.sort(x, descending=True); z = v * (i + 1)
s = x.max(dim=1); z = s.values * 2 + s.indices + s[0] * s[-1]
a, b = x; z = a * b
a, b, c = x.split(1, 1); z = a * b - c
a, _ = x.chunk(2); z = a.flatten()
z = F.softmax(x, -1) + torch.nn.functional.gelu(x) + sin(x)
z = torch.einsum("ij,j->i", x, y)
z = x[0] * x[1, 1:].sum() + x[..., None, -1].mean()
z = x[[1, 0, 1]] + x[:, k].sum(1)[0]
z = x[x > 0]
z = x.where(y > 0, 1.5) + torch.where(x > y, x, y)
z = x.to(torch.float32).type_as(y) + y.double() + x.to(y)
z = x * 2j + (1 - 2j)
z = x * torch.pi + torch.tensor([1.0, 2.0, float("-inf")], dtype=torch.float64)
z = torch.zeros(2, 3, dtype=torch.float64) + torch.full((3,), 2.5) + torch.arange(3)
z = torch.tensor([[1.0, 2.0, 3.0]]).expand(2, 3) * x
n = 3; r = 1 / n; z = x ** -r * -n ** 2
z = x * 2; z += y; z *= x; z -= 1; z /= 2; z = z ** 2
z = x.detach() * 1; z //= 2; z %= 3
z = x.detach() * x + y
a, b = x * 2, y; a, b = b, a; z = a - b
w = z = x * y; w = w + 1; z = z * w
z = x * 1; z[0] = 1.5
z = x * 1; z[0, 1:] = y[:2] * 2
z = x * 1; z[:, -1] = y[0]
z = x * 1; z[..., 0] = y[:2]
z = x * 1; z[..., ::2] = y[1:] * x[:, :2]
z = x * 1; z[None, 0] = y
z = x * 1; z[..., None, 1] = y[:1]
z = x * 1; z[:, None, 1:] = y[:2]
z = x * 1; z[0, None, ..., 1:, None] = 4
z = x * 1; z[0] += y; z[1, 0] *= 3
z = x * 1; z[:] = y; z[0, 0] = 2
z = x * 1; z[...] = y; z[0, 0] = 2
z = x * 1; z[()] = 2.5
z = x * 1; z[x > 0] = 0
z = x * 1; z[x > 0] *= 2
z = x * 1; z[k % 2] = y
z = x * 1; z[:, k] = y[:2]
z = x * 1; z[..., k] = y[0]
z = x * 1; z[..., k] = 2.5
z = x * 1; z[0, k] = y[:2]
z = x * 1; z[True] = y
z = x * 1; z[[0, 1], 1] = y[:2]
z = torch.arange(3); z[1] = 2.75
z = k * 1; z[0] = y[2]
z = x * 1; z[0, 0] = x[1, 1] * y[2]
""".strip().split("\n")


def blocks() -> list[str]:
    """The texts of one line, with their statements in lines, and those that need several."""
    several = [
        "with torch.no_grad():\n    a = x * 2\nz = a * x\n",
        '"""Rosenbrock."""\na = x[..., 1:]  # all but the first\nb = x[..., :-1]\nz = (100 * (a - b**2) ** 2 +\n     (1 - b) ** 2).sum()\n',
    ]
    return [*[text.replace("; ", "\n") for text in TEXTS], *several]


@pytest.mark.parametrize("text", blocks())
def test_text_is_what_torch_executes(text: str) -> None:
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional, "sin": torch.sin, "k": torch.tensor(K)}
    names["x"], names["y"] = (torch.tensor(a, requires_grad=True) for a in (X, Y))
    x, y = names["x"], names["y"]
    exec(text, names)
    expected = names["z"]
    document: dict[str, Any] = {
        "inputs": {
            "x": {"data": X.tolist(), "dtype": "float64", "requires_grad": True},
            "y": {"data": Y.tolist(), "dtype": "float64", "requires_grad": True},
            "k": K.tolist(),
        },
        "program": text,
        "outputs": ["z"],
    }
    if expected.requires_grad:
        cotangent = np.arange(1.0, expected.numel() + 1).reshape(expected.shape).astype(str(expected.dtype).removeprefix("torch."))
        expected.backward(torch.tensor(cotangent))
        document["backward"] = {"z": {"data": cotangent, "dtype": cotangent.dtype.name}}
    answer = evaluate(document, limits=Limits(), check=lambda: None)
    z = answer["outputs"]["z"]
    assert f"torch.{z['dtype']}" == str(expected.dtype)
    np.testing.assert_allclose(z["data"], expected.detach().numpy(), rtol=1e-6 if z["dtype"] in ("float32", "complex64") else 1e-12)
    assert z["requires_grad"] == expected.requires_grad
    # A write in place is CopySlices in torch, and an operation of its own in a program.
    if "z[" not in text and expected.grad_fn is not None:
        assert z["grad_fn"] == expected.grad_fn.name().split("::")[-1]
    if expected.requires_grad:
        for name, leaf in (("x", x), ("y", y)):
            found = answer["grads"][name]
            assert (found is None) == (leaf.grad is None)
            if found is not None:
                np.testing.assert_allclose(found["data"], leaf.grad.numpy(), rtol=1e-6, atol=1e-12)
