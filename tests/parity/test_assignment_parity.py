"""Assignments to index expressions, beside torch: values, versions, grad_fns, gradients and errors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire

torch = pytest.importorskip("torch")

BUILTIN = (NotImplementedError, IndexError, ValueError, TypeError, RuntimeError)


class Names(dict[str, Any]):
    """What a statement may use: a computed ``y``, a leaf ``x``, plain zeros ``z``, a leaf ``w``, whole numbers ``k`` and makers."""

    def __init__(self, library: Any, tensor: Callable[..., Any]) -> None:
        x = tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
        w = tensor(np.array([0.5, -1.0, 2.0]), requires_grad=True)
        super().__init__(
            x=x,
            y=x * 1.0,
            w=w,
            z=tensor(np.zeros((2, 3, 4))),
            k=tensor(np.arange(6).reshape(2, 3).astype(np.int32)),
            b=tensor(np.zeros(3, bool)),
            t=tensor,
            np=np,
            no_grad=library.no_grad,
            ones=lambda *shape, dtype="float64": tensor(np.ones(shape, dtype)),
        )


STATEMENTS = """
y[0] = 1.0
y[0, 1] = w[0]
y[:, :, 0] = w
y[...] = 2.0
y[:] = 2.0
y[...] = ones(4)
y[:] = w[0]
y[()] = 3.0
y[None] = 3.0
y[True] = 3.0
y[False] = 3.0
y[True] = w[0]
y[t(np.array(True))] = 3.0
y[[0, 1]] = 3.0
y[[0, 1], [0, 1]] = w[0]
y[[0, 1]] = ones(3, 4)
y[y > 5] = 0.0
y[y > 5] = w[0]
y[y > 5] = ones(1)
y[y[:, :, 0] > 5] = 0.0
y[y[:, :, 0] > 5] = ones(4)
y[t(np.array([True, False]))] = 1.0
y[0][t(np.array([True, False, True]))] = 1.0
y[0, t(np.array([True, False, True]))] = 1.0
y[:, t(np.array([True, False, True]))] = w[1]
y[0, [0, 1]] = w[0]
y[0] = ones(1, 3, 4)
y[0] = ones(1, 1, 3, 4)
y[[0]] = ones(1, 1, 1, 4)
y[0, 0, 0] = ones(1)
y[1:1] = 3.0
y[[]] = 3.0
y[[0, 0], [0, 0]] = t(np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]))
y[[0, 1], :, [0, 1]] = t(np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]]))
y[t(np.array(1))] = w[0]
y[t(np.array([0, 1])), 0] = 7.0
y[0, :, t(np.array([0, 1]))] = 7.0
y[0].add_(1); y[1] = 2.0
y[0][1] = 3.0
y[0] = y[1]
y[0, 0] = y[0, 1]
y[[0, 1]] = y[[1, 0]]
y[0] = ones(3, 4, dtype="int32")
y[0] = ones(4, dtype="float32") * w[0]
y[0] = True
y[0] = np.float64(3)
y[0] = float("inf")
y[-1, 1:, ::2] = w[:2]
y[True, 0] = 1.0
y[[0], None] = 1.0
y[0, None] = 1.0
z[0] = w[0]
z[z > 5] = w[0]
z[[0]] = w[0]
z[:] = w[0]
z[True] = w[0]
z.expand(2, 2, 3, 4)[0] = 1.0
y.expand(2, 2, 3, 4)[0] = 1.0
a = y[0]; y[0] = 5.0; r = a * 2
a = y[0]; a[1] = w[0]; r = a * 2
a = y.transpose(0, 2); a[0] = 2.0; r = y * 3
k[0] = 1.7
k[0] = ones(3) * 1.7
k[[0]] = 1.7
k[k > 2] = -1
b[0] = 1
b[1] = 0.5
with no_grad(): x[0] = 4.0
with no_grad(): x[x > 3] = 4.0
y[0] = w
y[0] = ones(5)
y[0] = ones(2, 3, 4)
y[[0, 1]] = ones(5)
y[[0, 1]] = ones(3, 4, dtype="float32")
y[9] = 1
y[[9]] = 1
y[y > 5] = ones(3)
y[0] = [1, 2]
y[0] = "a"
y[0] = None
y[0] = np.ones(4)
y[0] = 1j
y[::-1] = 1
y[0, 0, 0, 0] = 1
y[1:1] = ones(3)
y[1.5] = 2
y[t(np.array([1.5]))] = 2
y[[0, 1]] = 1j
y.unbind()[0][0] = 3.0
k[0] = 2**40
k[0] = 2**70
x[0] = 1.0
x[...] = 1.0
x[[0]] = 1.0
x[x > 5] = 1.0
x[1:1] = 1
x[False] = 1
with no_grad(): a = y[0]
with no_grad(): a = y[0]; a[0] = 1.0; del a
z[0, 0, 0] = ones(2)
z.expand(2, 2, 3, 4)[:, 0] = 1.0
""".strip().splitlines()


def run(statement: str, names: Names) -> tuple[type[Exception] | None, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(statement, {}, names)
    except BUILTIN as error:
        return next(kind for kind in BUILTIN if isinstance(error, kind)), str(error).split("\n")[0]
    return None, ""


def graph_of(node: Any, depth: int = 3) -> Any:
    if node is None or depth == 0:
        return None
    return node.name().removeprefix("torch::autograd::"), [graph_of(n, depth - 1) for n, _ in node.next_functions]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_assignment(statement: str) -> None:
    def their_tensor(array: Any, requires_grad: bool = False) -> Any:
        return torch.from_numpy(np.array(array)).requires_grad_(requires_grad)

    ours, theirs = Names(gradwire, gradwire.tensor), Names(torch, their_tensor)
    assert run(statement, ours) == run(statement, theirs)
    for name in ("x", "y", "z", "k", "b", "a", "r"):
        if name not in theirs:
            continue
        a, b = ours[name], theirs[name]
        np.testing.assert_array_equal(a._data, b.detach().numpy())
        assert a._version == b._version
        assert a.requires_grad == b.requires_grad
        assert graph_of(a.grad_fn) == graph_of(b.grad_fn)
    for side in (ours, theirs):
        for name in ("y", "z", "r"):
            if name in side and side[name].requires_grad:
                (side[name] * side[name]).sum().backward(retain_graph=True)
    for name in ("x", "w"):
        a, b = ours[name].grad, theirs[name].grad
        assert (a is None) == (b is None)
        if b is not None:
            np.testing.assert_allclose(a._data, b.numpy())
