"""Determinants of arrays: products of pivots, rounded as torch's are."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..dtypes import Array

_SMALL: Final = 16
"""Up to this size elimination in NumPy, a step for each row, is no slower than it is worth."""


def determinants(A: Array) -> Array:
    """The determinant of each matrix.

    NumPy goes by way of a logarithm, which takes the determinant of ``[[4, 2], [2, 3]]`` for 7.999999999999998.
    """
    size = A.shape[-1]
    if not 0 < size <= _SMALL:
        return np.asarray(np.linalg.det(A))
    # torch hands LAPACK the transpose of a real matrix in row-major order, which has the same determinant but for rounding.
    columns = A.dtype.kind != "c" and A.flags.c_contiguous
    matrices = np.array(np.swapaxes(A, -1, -2) if columns else A).reshape(-1, size, size)
    pivots, exchanges = _eliminated(matrices)
    found = np.where(exchanges % 2, -1, 1).astype(A.dtype)
    product = pivots[:, 0]
    for k in range(1, size):
        product = product * pivots[:, k]
    return np.asarray(found * product).reshape(A.shape[:-2])


def _eliminated(matrices: Array) -> tuple[Array, Array]:
    """The pivots of each of a stack of matrices, which is overwritten, and how many rows were exchanged."""
    count, size, _ = matrices.shape
    each = np.arange(count)
    exchanges = np.zeros(count, np.int64)
    for k in range(size):
        column = matrices[:, k:, k]
        lengths = np.abs(column.real) + np.abs(column.imag) if column.dtype.kind == "c" else np.abs(column)
        best = k + np.argmax(lengths, axis=1)
        exchanges += best != k
        chosen = matrices[each, best]
        matrices[each, best] = matrices[:, k]
        matrices[:, k] = chosen
        pivot = matrices[:, k, k, None]
        # LAPACK multiplies by the reciprocal, but its libraries divide in the smallest case.
        below = matrices[:, k + 1 :, k]
        factors = np.where(pivot == 0, 0, below / pivot if size == 2 else below * (1 / pivot))
        matrices[:, k + 1 :, k + 1 :] -= factors[:, :, None] * matrices[:, None, k, k + 1 :]
    return np.diagonal(matrices, axis1=1, axis2=2), exchanges
