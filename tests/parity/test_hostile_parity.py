"""Arguments that no operation was written for, beside torch: the same exception in the same words, or the same values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.op import REGISTRY
from gradwire_engine.tensor import Tensor

torch = pytest.importorskip("torch")

NAN, INF = math.nan, math.inf
WRONG = [[NAN, 1.0], [1.0, 2.0]]
BATCH = [[[2.0, 0.0], [0.0, 1.0]], WRONG]
DEFINITE_AT_FIRST = [[1.0, NAN, 2.0], [2.0, 3.0, 4.0], [1.0, 2.0, 5.0]]


class A:
    """A tensor among the arguments, in the default dtype where its values have fractions, and then differentiated."""

    def __init__(self, values: Any, shape: tuple[int, ...] | None = None) -> None:
        found = np.array(values)
        found = found.astype(np.float32) if found.dtype.kind == "f" else found
        self.array = found if shape is None else found.reshape(shape)


def of_torch(item: Any) -> Any:
    return torch.tensor(item.array, requires_grad=item.array.dtype.kind == "f") if isinstance(item, A) else item


def of_gradwire(item: Any) -> Any:
    if not isinstance(item, A):
        return item
    made = Tensor._wrap(item.array.copy())
    made.requires_grad = item.array.dtype.kind == "f"
    return made


def outcome(find: Callable[[str], Any], made: Callable[[Any], Any], name: str, args: Any, kwargs: Any) -> Any:
    """The builtin exception and its words, or the values and the gradients of their sum."""
    arguments = [made(a) for a in args]
    try:
        result = find(name)(*arguments, **kwargs)
        first = result[0] if isinstance(result, tuple) else result
        if first.requires_grad:
            first.sum().backward()
    except Exception as error:
        builtin = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
        return builtin, str(error)
    return [first.tolist(), *[a.grad.tolist() for a in arguments if getattr(a, "grad", None) is not None]]


def in_torch(name: str) -> Any:
    found = torch
    for part in name.split("."):
        found = getattr(found, part)
    return found


DATA: list[Any] = [[None], [[1], [1, 2]], [[[1], [2]], [[1, 2], 5]], {"a": 1}, [[], []]]
DIMS: list[Any] = [[0, -1], ["a", "a"], [["a"], [0]], [[0], [0.5]], [[0], [0]], [[], []], 1.5, "ab", [None, None], 0]
CALLS: list[tuple[str, list[Any], dict[str, Any]]] = [
    *[(f"linalg.{name}", [A(x)], {}) for name in ("svd", "svdvals", "pinv", "cholesky", "inv", "det") for x in (WRONG, BATCH)],
    ("linalg.svd", [A(DEFINITE_AT_FIRST)], {}),
    ("linalg.cholesky", [A(DEFINITE_AT_FIRST)], {}),
    ("linalg.inv", [A(DEFINITE_AT_FIRST)], {}),
    ("linalg.solve", [A(WRONG), A([[1.0, 2.0], [3.0, 4.0]])], {}),
    ("logdet", [A(BATCH)], {}),
    ("linalg.pinv", [A([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])], {"hermitian": True}),
    *[("tensor", [data], {}) for data in DATA],
    *[("tensor", [[x]], {}) for x in (NAN, 1e300, True, 2.5)],
    *[("nn.functional.softshrink", [A([1.0, -3.0]), x], {}) for x in (1j, 1 + 0j, -1.0, NAN)],
    *[("nn.functional.hardshrink", [A([1.0, -3.0]), x], {}) for x in (1 + 0j, 2)],
    *[("std", [A([1.0, 2.0, 4.0])], {"correction": x}) for x in (1j, 1 + 0j, 2.5, INF)],
    *[("nn.functional.batch_norm", [A(x), None, None], {"training": True}) for x in ([1.0], [1.0, 2.0], [[1.0, 2.0]])],
    ("nn.functional.batch_norm", [A([[1.0], [2.0]]), None, None, A([[1.0]])], {"training": True}),
    *[("dist", [x, y], {}) for x, y in ((0.5, A([1.0])), (A([1.0]), 0.5))],
    *[
        ("nn.functional.cross_entropy", [A([], (2, 0)), target], {"label_smoothing": smoothing, "reduction": reduction})
        for target in (A([0, 0]), A([-100, -100]), A([], (2, 0)))
        for smoothing in (0.0, 0.5)
        for reduction in ("mean", "sum", "none")
        if smoothing or target.array.size
    ],
    *[("tensordot", [A(1.0), A(2.0), dims], {}) for dims in DIMS],
    *[("tensordot", [A([1.0, 2.0]), A([3.0, 4.0]), dims], {}) for dims in ([[0], [0]], [[-1], [0]], [[0, 0], [0, 0]], [[0], [1]])],
    *[("tensor_split", [A([1.0, 2.0]), x], {}) for x in (A(2), A(2.0), A([[1]]), A([1]), A(0))],
    *[("getitem", [A([[1.0, 2.0]]), (..., ..., *rest)], {}) for rest in ((), (-1,), (0, 0), (slice(1, 2),), (None,), (slice(None),))],
    *[("tril_indices", [3, 2, x], {}) for x in (2**62, -(2**63), 0)],
    *[("triu_indices", [3, 2, x], {}) for x in (2**62, 0)],
    ("repeat_interleave", [A([], (0, 5)), 10**6, 1], {}),
    *[("constant_pad_nd", [A([1.0, 2.0, 3.0]), x], {}) for x in ((1, -4), (-4, 2), (-1, -2), (-3, 3), (2, -3), (-2, -2))],
    ("nn.functional.group_norm", [A([], (2, 0)), 2], {}),
    ("nn.functional.conv_transpose1d", [A([], (2, 3, 0)), A([1.0] * 18, (3, 2, 3))], {"output_padding": 1, "dilation": 2}),
    *[("nn.functional.conv_transpose1d", [A([1.0] * 3), A([1.0], (1,) * n)], {"output_padding": 3}) for n in (5, 9)],
    *[("convolution", [A([1.0], (1, 1, 1)), A([1.0], (1, 1, 1)), None, [1], [0], [1] * n, True, [0], 1], {}) for n in (0, 1, 2, 70)],
    *[("nn.functional.bilinear", [A([[1.0]]), A([[1.0]]), A([[[1.0]]]), bias], {}) for bias in (A(1.0), A([1.0, 2.0]), A([1.0]))],
    *[("addcmul", [A([1.0]), A([2.0]), A([3.0])], {"value": x}) for x in (1j, 1 + 0j, 2)],
    *[("addcdiv", [A([1.0]), A([2.0]), A([3.0])], {"value": x}) for x in (1j, 1 + 0j, 2)],
    *[("where", [A([True, False]), x, -1], {}) for x in (2**63 - 1, 1.5)],
]
# Where ours says more than torch, or torch what is only true of it.
OWN_WORDS = {"tensor", "nn.functional.softshrink", "convolution"}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore:torch.tensor_split")
@pytest.mark.parametrize("number", range(len(CALLS)))
def test_it_ends_as_in_torch(number: int) -> None:
    name, args, kwargs = CALLS[number]
    theirs = outcome(lambda n: (lambda x, i: x[i]) if n == "getitem" else in_torch(n), of_torch, name, args, kwargs)
    ours = outcome(REGISTRY.__getitem__, of_gradwire, name, args, kwargs)
    if isinstance(theirs, tuple):
        assert ours[0] is theirs[0], ours
        if name not in OWN_WORDS:
            assert ours[1] == theirs[1].splitlines()[0]
        return
    assert len(ours) == len(theirs)
    for mine, its in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.array(mine), np.array(its), rtol=1e-5, atol=1e-6)


def test_gradwire_is_what_is_compared() -> None:
    assert isinstance(of_gradwire(A([1.0])), gradwire.Value)
