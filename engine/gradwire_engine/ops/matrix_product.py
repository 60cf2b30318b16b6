"""The product of arrays of matrices, in pieces between which it can be stopped."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..dtypes import Array
from ..stopping import check

_PIECE: Final = 1 << 33
"""How many multiply-adds of floats are done at a time: a quarter of a second, and so many that dividing costs nothing."""
_WHOLE_PIECE: Final = 1 << 28
"""The same for small matrices of integers, for which NumPy has no BLAS."""
_FEW: Final = 1 << 16
"""Up to how many multiply-adds a product of integers is left to NumPy as it is; one of floats is, up to a piece."""

# Integers are multiplied by BLAS, in pieces and digits so small that every sum is below 2^53, and so exact in double precision.
_TILE: Final = 1 << 10
_DEPTH: Final = 1 << 9
_DIGIT: Final = 22


def product(a: Array, b: Array) -> Array:
    """The matrix product; half precision is summed in single, as torch does."""
    if a.dtype == np.float16:
        return product(a.astype(np.float32), b.astype(np.float32)).astype(np.float16)
    if a.ndim < 2 or b.ndim < 2 or max(a.size * b.shape[-1], b.size * a.shape[-2]) <= (_PIECE if a.dtype.kind in "fc" else _FEW):
        return np.matmul(a, b)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = np.empty((*batch, a.shape[-2], b.shape[-1]), a.dtype)
    digits = _digits_needed(a, b) if a.dtype.kind in "iu" else None
    _fill(out, np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(b, (*batch, *b.shape[-2:])), digits)
    return out


def _digits_needed(a: Array, b: Array) -> tuple[int, int]:
    """Into how many digits the integers of ``a`` and of ``b`` are divided."""
    sizes = [max(int(x.max()), -int(x.min())) for x in (a, b)]
    if sizes[0] * sizes[1] * _DEPTH <= 2**53:
        return 1, 1
    first, second = (min(1 + (size.bit_length() - 1) // _DIGIT, 3) for size in sizes)
    return first, second


def _fill(out: Array, a: Any, b: Any, digits: tuple[int, int] | None) -> None:
    """Writes the product of ``a`` and ``b``, which have the same batch dimensions, into ``out``."""
    inner = int(a.shape[-1])
    large = a.shape[-2] * inner * b.shape[-1] > _FEW
    if digits and large and out.ndim == 2:
        _fill_by_digits(out, a, b, digits)
        return
    most = _WHOLE_PIECE if digits else _PIECE
    step = len(out) if not out.size or out.size * inner <= most else most // (out[0].size * inner)
    if out.ndim > 2 and ((digits and large) or step == 0):
        for each in zip(out, a, b, strict=True):
            _fill(*each, digits)
        return
    for start in range(0, len(out), max(step, 1)):
        check()
        part = slice(start, start + max(step, 1))
        np.matmul(a[part], b if out.ndim == 2 else b[part], out=out[part])


def _fill_by_digits(out: Array, a: Array, b: Array, digits: tuple[int, int]) -> None:
    """Writes the product of two matrices of integers; a sum that is too large wraps around."""
    out[...] = 0
    for row in range(0, len(a), _TILE):
        for column in range(0, b.shape[1], _TILE):
            place = slice(row, row + _TILE), slice(column, column + _TILE)
            for start in range(0, len(b), _DEPTH):
                along = slice(start, start + _DEPTH)
                left, right = _split(a[place[0], along], digits[0]), _split(b[along, place[1]], digits[1])
                for i, first in enumerate(left):
                    for j, second in enumerate(right):
                        if _DIGIT * (i + j) < 64:
                            check()
                            made = np.matmul(first, second).astype(np.int64) << _DIGIT * (i + j)
                            # The low bits of int64 are those of every smaller dtype.
                            out[place] += made.astype(out.dtype)


def _split(x: Array, digits: int) -> list[Array]:
    """The digits of integers as floats, the lowest first; the highest has the sign."""
    if digits == 1:
        return [x.astype(np.float64)]
    whole = x.astype(np.int64)
    lower = [whole >> _DIGIT * i & (1 << _DIGIT) - 1 for i in range(digits - 1)]
    return [digit.astype(np.float64) for digit in (*lower, whole >> _DIGIT * (digits - 1))]
