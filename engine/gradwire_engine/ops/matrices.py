"""What the ops of linear algebra share: checks in torch's words, and formulas on batches of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import LinAlgError, TensorRuntimeError
from ..op import ops
from ..stopping import check, watched


def check_matrix(name: str, A: Any, what: str = "A") -> None:
    """Refuses tensors of fewer than two dimensions.

    Raises:
        TensorRuntimeError: There are fewer (torch's message).
    """
    if len(A.shape) < 2:
        raise TensorRuntimeError(
            f"{name}: The input tensor {what} must have at least 2 dimensions.", code="shape_mismatch", pointer=f"/{what}"
        )


def check_square(name: str, A: Any) -> None:
    """Refuses what is no matrix, or batch of matrices, with as many rows as columns.

    Raises:
        TensorRuntimeError: It is none (torch's message).
    """
    check_matrix(name, A)
    rows, columns = A.shape[-2:]
    if rows != columns:
        raise TensorRuntimeError(
            f"{name}: A must be batches of square matrices, but they are {rows} by {columns} matrices", code="shape_mismatch", pointer="/A"
        )


def check_precise(name: str, A: Any) -> None:
    """Refuses dtypes that LAPACK does not compute in.

    Raises:
        TensorRuntimeError: The dtype is no floating point or complex one, or has half precision (torch's message).
    """
    dtype = dtype_of(A.dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        raise TensorRuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {dtype.torch_name}", code="dtype_mismatch"
        )
    if dtype.itemsize == 2:
        raise TensorRuntimeError(f"{name}: Low precision dtypes not supported. Got {dtype.torch_name}", code="dtype_mismatch")


def singular(A: Array, failure: Callable[[Array], int | None], message: str, code: str = "singular_matrix") -> LinAlgError:
    """The error for the first matrix of a batch at which an algorithm fails.

    Args:
        A: A matrix or a batch of them.
        failure: The row (from 1) at which it fails for one matrix, ``None`` where it does not.
        message: torch's message with places for ``batch`` and ``row``.
        code: The code of the error.
    """
    matrices = A.reshape(-1, *A.shape[-2:])
    found = ((i, failure(matrix)) for i, matrix in watched(enumerate(matrices)))
    index, row = next(((i, row) for i, row in found if row is not None), (0, A.shape[-1]))
    batch = f"(Batch element {index}): " if A.ndim > 2 else ""
    return LinAlgError(message.format(batch=batch, row=row), code=code)


_ILL_CONDITIONED = (
    "{{batch}}The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated {values} "
    "(error code: {{row}})."
)


def no_eigenvalues(A: Array) -> LinAlgError:
    """The error for a batch of which ``numpy.linalg.eigh`` cannot find the eigenvalues."""

    def fails(matrix: Array) -> int | None:
        try:
            np.linalg.eigh(matrix)
        except np.linalg.LinAlgError:
            return max(len(matrix) - 1, 1)
        return None

    return singular(A, fails, "linalg.eigh: " + _ILL_CONDITIONED.format(values="eigenvalues"), "not_converged")


def no_singular_values(A: Array) -> LinAlgError:
    """The error for a batch of which ``numpy.linalg.svd`` cannot find the singular values."""
    return singular(A, lambda _: 1, "linalg.svd: " + _ILL_CONDITIONED.format(values="singular values"), "not_converged")


def refuse_infinite(A: Array) -> None:
    """Refuses to look for singular values where there is NaN or an infinity, on which LAPACK may work for ever.

    Raises:
        LinAlgError: A matrix has such an element (torch's message).
    """
    if not np.isfinite(A).all():
        message = "linalg.svd: {batch}The algorithm failed to converge because the input matrix contained non-finite values."
        raise singular(A, lambda matrix: None if np.isfinite(matrix).all() else 1, message, "not_converged")


def spoiled(result: Array, A: Array) -> Array:
    """``result`` with NaN for each matrix that comes of one with a NaN, of which LAPACK may keep parts."""
    wrong = np.isnan(A).any(axis=(-2, -1), keepdims=True)
    return np.where(wrong, result.dtype.type(np.nan), result) if np.any(wrong) else result


def zero_pivot(matrix: Array) -> int | None:
    """The first row (from 1) at which elimination with row exchanges finds no pivot, ``None`` for a regular matrix."""
    rest = np.array(matrix)
    for k in range(len(rest)):
        check()
        pivot = k + int(np.argmax(np.abs(rest[k:, k])))
        if rest[pivot, k] == 0:
            return k + 1
        rest[[k, pivot]] = rest[[pivot, k]]
        rest[k + 1 :, k:] -= np.outer(rest[k + 1 :, k] / rest[k, k], rest[k, k:])
    return None


# Formulas in ops, for rules: on arrays, tensors and symbols.


def turned(x: Any) -> Any:
    """The transpose of each matrix."""
    return ops.transpose(x, -2, -1)


def adjoint(x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    return ops.conj(ops.transpose(x, -2, -1))


def column(x: Any) -> Any:
    """Each vector as a matrix of one column."""
    return ops.unsqueeze(x, -1)


def scale(x: Any) -> Any:
    """Numbers, one for each matrix of a batch, as matrices of one element."""
    return ops.unsqueeze(ops.unsqueeze(x, -1), -1)


def product(*matrices: Any) -> Any:
    """The product of matrices, from left to right."""
    result = matrices[0]
    for matrix in matrices[1:]:
        result = ops.matmul(result, matrix)
    return result


def half_diagonal(x: Any) -> Any:
    """The upper triangle, its diagonal halved."""
    return (ops.triu(x) + ops.triu(x, 1)) * 0.5


def identity_like(x: Any) -> Any:
    """Unit matrices in the shape of the square matrices ``x``."""
    ones = ops.ones_like(x)
    return ops.triu(ops.tril(ones))
