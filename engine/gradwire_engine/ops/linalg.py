"""Inverses, linear systems, determinants and powers of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of, to_real
from ..errors import TensorRuntimeError
from ..meta import Meta, broadcast, dense
from ..op import op, ops
from ..params import Tensor
from ..work import matrix_work, product_work
from .determinants import determinants
from .matrices import adjoint, check_matrix, check_precise, check_square, column, product, scale, singular, spoiled, turned, zero_pivot


def _square(name: str, A: Any) -> Meta:
    check_square(name, A)
    check_precise(name, A)
    return dense(A.shape, A.dtype)


def _inverse_rule(g: Any, out: Any) -> Any:
    inverse = turned(out)
    return -product(inverse, g, inverse)


_NOT_INVERTIBLE = (
    "linalg.inv: {batch}The diagonal element {row} is zero, the inversion could not be completed because the input matrix is singular."
)


@op(
    "linalg.inv",
    batch="leading",
    meta=lambda A: _square("linalg.inv", A),
    work=lambda A: matrix_work(A.shape, A.dtype, 2),
    grad_fn="LinalgInvExBackward0",
    vjp=dict(A=_inverse_rule),
)
def inv(A: Tensor) -> Array:
    """The inverse of each matrix."""
    _square("linalg.inv", A)
    try:
        return spoiled(np.linalg.inv(A), A)
    except np.linalg.LinAlgError:
        raise singular(A, zero_pivot, _NOT_INVERTIBLE) from None


@op(
    "_inverse",
    method=False,
    batch="leading",
    meta=lambda A: dense(A.shape, A.dtype),
    work=lambda A: matrix_work(A.shape, A.dtype, 2),
    vjp=dict(A=_inverse_rule),
)
def inverse_or_infinite(A: Tensor) -> Array:
    """The inverse of each matrix, infinite where there is none: for gradients, which torch does not refuse."""
    try:
        return spoiled(np.linalg.inv(A), A)
    except np.linalg.LinAlgError:
        matrices = A.reshape(-1, *A.shape[-2:])
        return np.stack([np.full_like(m, np.inf) if zero_pivot(m) else _inverse_of_one(m) for m in matrices]).reshape(A.shape)


def _inverse_of_one(matrix: Array) -> Array:
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.inf)


@op(composite=True)
def inverse(input: Tensor) -> Any:
    """The inverse of each matrix."""
    return ops.linalg.inv(input)


def _is_vector(A: Any, B: Any) -> bool:
    return len(B.shape) == 1 or (len(A.shape) - 1 == len(B.shape) and B.shape == A.shape[:-1])


def _solve(A: Any, B: Any, left: bool) -> Meta:
    check_square("linalg.solve", A)
    check_precise("linalg.solve", A)
    if A.dtype != B.dtype:
        names = f"A of type {dtype_of(A.dtype).torch_name} and B of type {dtype_of(B.dtype).torch_name}"
        raise TensorRuntimeError(f"linalg.solve: Expected A and B to have the same dtype, but found {names} instead", code="dtype_mismatch")
    vector = _is_vector(A, B)
    shape = (*B.shape, 1) if vector else tuple(B.shape)
    if len(shape) < 2:
        check_matrix("linalg.solve", B, "B")
    if shape[-2 if left else -1] != A.shape[-1]:
        sizes = f"{A.shape[-2]}x{A.shape[-1]} and {shape[-2]}x{shape[-1]}"
        raise TensorRuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation {'AX' if left else 'XA'} = B ({sizes})", code="shape_mismatch"
        )
    result = (*broadcast(A.shape[:-2], shape[:-2]), *shape[-2:])
    return dense(result[:-1] if vector else result, A.dtype)


def _solve_rule(g: Any, out: Any, A: Any, A_meta: Any, B_meta: Any, left: bool, needs: tuple[bool, bool]) -> Any:
    vector = _is_vector(A_meta, B_meta)
    back = ops.linalg.solve(turned(A), column(g) if vector else g, left=left)
    if not needs[0]:
        return None, ops.squeeze(back, -1) if vector else back
    solution = turned(column(out) if vector else out)
    gradient = -(product(back, solution) if left else product(solution, back))
    return gradient, ops.squeeze(back, -1) if vector else back


def _solve_work(A: Any, B: Any, left: bool) -> int:
    shape = _solve(A, B, left).shape
    *batch, rows, columns = (*shape, 1) if _is_vector(A, B) else shape
    n = A.shape[-1]
    return matrix_work((*batch, n, n), A.dtype, 1) + product_work(math.prod(batch) * n, n, columns if left else rows, A.dtype)


@op("linalg.solve", meta=_solve, work=_solve_work, grad_fn="LinalgSolveExBackward0", vjp={("A", "B"): _solve_rule}, batch="solve")
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Array:
    """The X with ``A @ X = B`` (``X @ A = B`` where not ``left``), for matrices or vectors B."""
    meta = _solve(A, B, left)
    vector = _is_vector(A, B)
    right = B[..., None] if vector else B
    try:
        found = np.linalg.solve(A, right) if left else np.linalg.solve(A.swapaxes(-1, -2), right.swapaxes(-1, -2)).swapaxes(-1, -2)
    except np.linalg.LinAlgError:
        message = "torch.linalg.solve: {batch}The solver failed because the input matrix is singular."
        raise singular(A, zero_pivot, message) from None
    return spoiled(found, A).reshape(meta.shape)


def _det(A: Any) -> Meta:
    _square("linalg.det", A)
    return dense(A.shape[:-2], A.dtype)


@op(
    "_cofactors",
    method=False,
    batch="leading",
    meta=lambda A: dense(A.shape, A.dtype),
    work=lambda A: matrix_work(A.shape, A.dtype, 24),
    vjp=dict(A=lambda g, A, out: _cofactors_rule(g, A, out)),
)
def cofactors(A: Tensor) -> Array:
    """The derivative of the determinant: det(A) inv(A)^T, which singular matrices have too.

    By singular values, with A = U S V: det(U) det(V) conj(U) C conj(V), where C has the products of all other values.
    """
    finite = np.isfinite(A).all(axis=(-2, -1), keepdims=True)
    U, S, V = np.linalg.svd(np.where(finite, A, 0))
    others = np.stack([np.delete(S, i, axis=-1).prod(axis=-1) for i in range(S.shape[-1])], axis=-1) if S.shape[-1] else S
    sign = np.asarray(np.linalg.det(U) * np.linalg.det(V))[..., None, None]
    return np.where(finite, sign * ((np.conj(U) * others[..., None, :]) @ np.conj(V)), A.dtype.type(np.nan))


def _cofactors_rule(g: Any, A: Any, out: Any) -> Any:
    inverse = turned(ops._inverse(A))
    trace = ops.sum(g * out, (-2, -1), True)
    return trace * inverse - product(inverse, turned(g), out)


def _det_rule(g: Any, A: Any, out: Any) -> Any:
    # The determinant is named because torch saves it: it may not be overwritten before backward.
    return scale(g) * ops._cofactors(A)


# The determinant itself takes a tenth of this, but its derivative, which is to take no more than twice as much, singular values.
@op(
    "linalg.det",
    batch="leading",
    meta=_det,
    work=lambda A: matrix_work(A.shape, A.dtype, 10),
    vjp=dict(A=_det_rule),
    grad_fn="LinalgDetBackward0",
)
def linalg_det(A: Tensor) -> Array:
    """The determinant of each matrix."""
    _det(A)
    return determinants(A)


@op(composite=True)
def det(input: Tensor) -> Any:
    """The determinant of each matrix."""
    return ops.linalg.det(input)


def _slogdet(A: Any) -> tuple[Meta, Meta]:
    _square("linalg.slogdet", A)
    return dense(A.shape[:-2], A.dtype), dense(A.shape[:-2], to_real(A.dtype))


def _slogdet_rule(g: Any, A: Any, sign: Any, A_meta: Any) -> Any:
    direction, size = g
    if A_meta.dtype.kind == "c":
        size = size - ops.imag(ops.conj(direction) * sign) * 1j
    return scale(size) * adjoint(ops._inverse(A))


@op(
    "linalg.slogdet",
    batch="leading",
    outputs=("sign", "logabsdet"),
    meta=_slogdet,
    work=lambda A: matrix_work(A.shape, A.dtype, 2),
    holomorphic=False,
    grad_fn="LinalgSlogdetBackward0",
    vjp=dict(A=_slogdet_rule),
)
def linalg_slogdet(A: Tensor) -> tuple[Array, Array]:
    """The determinant of each matrix as its sign (or phase) and the logarithm of its absolute value."""
    _slogdet(A)
    sign, size = np.linalg.slogdet(A)
    wrong = np.isnan(A).any(axis=(-2, -1))
    return np.where(wrong, A.dtype.type(0), sign), np.where(wrong, size.dtype.type(np.nan), size)


@op(composite=True)
def slogdet(input: Tensor) -> Any:
    """The determinant of each matrix as its sign (or phase) and the logarithm of its absolute value."""
    return ops.linalg.slogdet(input)


@op(composite=True)
def logdet(input: Tensor) -> Any:
    """The logarithm of the determinant of each matrix, NaN where that is negative."""
    check_square("logdet", input)
    check_precise("logdet", input)
    sign, size = ops.linalg.slogdet(input)
    if dtype_of(input.dtype).is_complex:
        return ops.log(sign) + size
    return ops.where(sign == -1.0, float("nan"), size)
