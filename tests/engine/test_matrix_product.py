"""Products in pieces, and those of integers by BLAS, are the products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire_engine.ops  # noqa: F401  # declares the ops
from gradwire_engine.ops import matrix_product
from gradwire_engine.ops.matrix_product import product

SHAPES = [
    ((50, 60), (60, 70)),
    ((2, 50, 60), (60, 70)),
    ((2, 1, 50, 60), (1, 3, 60, 40)),
    ((400, 3, 8), (400, 8, 9)),
    ((1, 40_000), (40_000, 2)),
    ((3, 0, 60), (60, 70)),
]


def exact(a: Any, b: Any) -> Any:
    """The product by integers without a limit, wrapped around to the dtype."""
    bits = 8 * a.itemsize
    whole = np.matmul(a.astype(object), b.astype(object)) % 2**bits
    return whole.astype(np.dtype(f"u{a.itemsize}")).view(a.dtype)


@pytest.mark.parametrize("part", [1, 2**10, 2**40])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.int64])
def test_integers_wrap_around(monkeypatch: pytest.MonkeyPatch, dtype: Any, part: int) -> None:
    monkeypatch.setattr(matrix_product, "_FEW", 1 << 10)
    limits = np.iinfo(dtype)
    low, high = limits.min // part, limits.max // part
    rng = np.random.default_rng(0)
    for left, right in SHAPES[:3]:
        a, b = (rng.integers(low, high, shape, dtype, endpoint=True) for shape in (left, right))
        a.flat[0], b.flat[0] = limits.min, limits.min
        np.testing.assert_array_equal(product(a, b), exact(a, b))


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.complex128])
@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_pieces_make_the_whole(monkeypatch: pytest.MonkeyPatch, left: Any, right: Any, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(-9, 9, left).astype(dtype), rng.integers(-9, 9, right).astype(dtype)
    for name, value in (("_PIECE", 1 << 12), ("_WHOLE_PIECE", 1 << 12), ("_FEW", 1 << 9), ("_TILE", 32), ("_DEPTH", 16)):
        monkeypatch.setattr(matrix_product, name, value)
    found = product(a, b)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.matmul(a, b))
