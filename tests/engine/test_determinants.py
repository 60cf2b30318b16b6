"""Determinants are products of pivots: exact where the pivots are, whatever the order of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire_engine as torch

RANDOM = np.random.default_rng(0)


def det(values: Any) -> Any:
    return torch.linalg.det(torch.tensor(values))._data


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[4.0, 2.0], [2.0, 3.0]], 8.0),
        ([[0.0, 1.0], [1.0, 0.0]], -1.0),
        ([[0.0, 0.0, 2.0], [0.0, 4.0, 0.0], [8.0, 0.0, 0.0]], -64.0),
        ([[2.0, 1.0, 0.0], [0.0, 4.0, 1.0], [0.0, 0.0, 8.0]], 64.0),
        ([[5.0]], 5.0),
        ([[1.0, 2.0], [2.0, 4.0]], 0.0),
        ([[0.0, 0.0], [0.0, 0.0]], 0.0),
    ],
)
def test_small_matrices_are_exact(matrix: list[list[float]], expected: float) -> None:
    assert det(np.array(matrix)) == expected
    assert det(np.array(matrix).T.copy()) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 17, 40])
def test_random_matrices(size: int, dtype: Any) -> None:
    matrices = RANDOM.standard_normal((2, 3, size, size)).astype(dtype)
    if np.dtype(dtype).kind == "c":
        matrices = matrices + 1j * RANDOM.standard_normal(matrices.shape).astype(dtype)
    found = det(matrices)
    assert (found.shape, found.dtype) == ((2, 3), matrices.dtype)
    exact = np.linalg.det(matrices.astype(np.complex128))
    # Both are only as near as the matrices are far from singular ones.
    np.testing.assert_allclose(found, exact, rtol=2e-3 if np.dtype(dtype).itemsize == 4 or dtype == np.complex64 else 1e-9)


def test_columns_or_rows_first_is_the_same() -> None:
    matrix = RANDOM.standard_normal((4, 4))
    view = torch.tensor(matrix).T
    assert torch.linalg.det(view)._data == pytest.approx(float(det(matrix)), rel=1e-12)


def test_matrices_of_nothing() -> None:
    assert det(np.zeros((0, 0))) == 1
    assert det(np.zeros((0, 3, 3))).shape == (0,)


def test_what_is_no_number_spoils_its_own_matrix_only() -> None:
    matrices = np.stack([np.eye(3), np.eye(3)])
    matrices[1, 0, 1] = np.nan
    found = det(matrices)
    assert found[0] == 1
    assert np.isnan(found[1])
