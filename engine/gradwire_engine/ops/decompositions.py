"""Factorisations of matrices, and what is computed from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of, to_real
from ..errors import TensorRuntimeError
from ..meta import Meta, dense
from ..op import op, ops
from ..params import Tensor
from ..stopping import check
from ..work import matrix_work
from .matrices import (
    adjoint,
    check_matrix,
    check_precise,
    check_square,
    half_diagonal,
    identity_like,
    no_eigenvalues,
    no_singular_values,
    product,
    refuse_infinite,
    singular,
)
from .reduce import not_implemented

# The gradients of Cholesky, QR, eigen- and singular value factors: M. Giles, "An extended collection of matrix derivative results
# for forward and reverse mode algorithmic differentiation" (2008); QR of wide matrices by splitting off the square part.


def _cholesky(A: Any) -> Meta:
    check_square("linalg.cholesky", A)
    if A.dtype == np.float16:
        raise not_implemented(A, "cholesky_cpu")
    check_precise("linalg.cholesky", A)
    return dense(A.shape, A.dtype)


def _cholesky_rule(g: Any, out: Any, upper: bool) -> Any:
    factor, g = (adjoint(out), adjoint(g)) if upper else (out, g)
    inverse = ops._inverse(factor)
    # Half of a lower triangle and of its mirror image, since the input counts as symmetric.
    change = product(adjoint(factor), g)
    middle = (ops.tril(change) + adjoint(ops.tril(change, -1))) * 0.5
    return product(adjoint(inverse), middle, inverse)


def _has_nan(factor: Array) -> bool:
    return bool(np.isnan(np.diagonal(factor, 0, -2, -1)).any())


def _bad_minor(matrix: Array) -> int | None:
    """The order of the first leading minor that is not positive definite, by bisection; ``None`` where there is none."""

    def fails(order: int) -> bool:
        check()
        try:
            return _has_nan(np.linalg.cholesky(matrix[:order, :order]))
        except np.linalg.LinAlgError:
            return True

    low, high = 0, len(matrix)
    if not fails(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(middle) else (middle, high)
    return high


_NOT_DEFINITE = (
    "linalg.cholesky: {batch}The factorization could not be completed because the input is not positive-definite "
    "(the leading minor of order {row} is not positive-definite)."
)


@op(
    "linalg.cholesky",
    batch="leading",
    meta=_cholesky,
    work=lambda A: matrix_work(A.shape, A.dtype, 2),
    holomorphic=False,
    grad_fn="LinalgCholeskyExBackward0",
    vjp=dict(A=_cholesky_rule),
)
def cholesky(A: Tensor, *, upper: bool = False) -> Array:
    """The lower triangular L with ``A = L @ L.mH`` (or the upper one, its adjoint) of positive definite matrices."""
    _cholesky(A)
    lower = np.conj(A.swapaxes(-1, -2)) if upper else A
    try:
        found = np.linalg.cholesky(lower)
    except np.linalg.LinAlgError:
        raise singular(lower, _bad_minor, _NOT_DEFINITE) from None
    if _has_nan(found):
        raise singular(lower, _bad_minor, _NOT_DEFINITE)
    return np.conj(found.swapaxes(-1, -2)) if upper else found


def _qr(A: Any, mode: str) -> tuple[Meta, Meta]:
    if mode not in ("reduced", "complete", "r"):
        raise TensorRuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'",
            code="bad_mode",
            pointer="/mode",
        )
    check_matrix("linalg.qr", A)
    check_precise("linalg.qr", A)
    *batch, m, n = A.shape
    k = m if mode == "complete" else min(m, n)
    return dense((0,) if mode == "r" else (*batch, m, k), A.dtype), dense((*batch, k, n), A.dtype)


def _qr_square(gQ: Any, gR: Any, Q: Any, R: Any) -> Any:
    """The gradient where R is square and regular."""
    middle = half_diagonal(product(gR, adjoint(R)) - product(adjoint(Q), gQ))
    return product(gQ + product(Q, middle + adjoint(middle)), adjoint(ops._inverse(R)))


def _qr_rule(g: Any, Q: Any, R: Any, A_meta: Any, mode: str) -> Any:
    if mode == "r":
        raise TensorRuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
            "Please use linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr.",
            code="not_differentiable",
        )
    m, n = A_meta.shape[-2:]
    if mode == "complete" and m > n:
        raise TensorRuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.", code="not_differentiable"
        )
    gQ, gR = g
    if m >= n:
        return _qr_square(gQ, gR, Q, R)
    # A = Q [X | Y]: X comes with Q from the square part, and Y = Q^H A2 is a product.
    X, Y = ops.narrow(R, -1, 0, m), ops.narrow(R, -1, m, n - m)
    gX, gY = ops.narrow(gR, -1, 0, m), ops.narrow(gR, -1, m, n - m)
    square = _qr_square(gQ + product(Q, Y, adjoint(gY)), gX, Q, X)
    return ops.cat((square, product(Q, gY)), -1)


@op(
    "linalg.qr",
    batch="decomposed",
    outputs=("Q", "R"),
    meta=_qr,
    work=lambda A, mode: matrix_work(A.shape, A.dtype, 4, whole=mode == "complete" and A.shape[-2] > A.shape[-1]),
    holomorphic=False,
    grad_fn="LinalgQrBackward0",
    vjp=dict(A=_qr_rule),
)
def qr(A: Tensor, mode: str = "reduced") -> tuple[Array, Array]:
    """``A = Q @ R`` with orthonormal columns in Q and an upper triangular R; mode "r" leaves Q empty."""
    _qr(A, mode)
    if mode == "r":
        return np.empty(0, A.dtype), np.asarray(np.linalg.qr(A, "r"))
    Q, R = np.linalg.qr(A, "complete" if mode == "complete" else "reduced")
    return Q, R


def _eigh(A: Any, UPLO: str) -> tuple[Meta, Meta]:
    check_square("linalg.eigh", A)
    if UPLO not in ("L", "U", "l", "u"):
        raise TensorRuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}", code="bad_mode", pointer="/UPLO")
    if A.dtype.kind not in "fc" or A.dtype == np.float16:
        raise not_implemented(A, "linalg_eigh_cpu")
    return dense(A.shape[:-1], to_real(A.dtype)), dense(A.shape, A.dtype)


def _eigh_rule(g: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    gL, gV = g
    V = eigenvectors
    turn = product(adjoint(V), gV)
    gaps = ops.unsqueeze(eigenvalues, -2) - ops.unsqueeze(eigenvalues, -1)
    gaps = gaps + identity_like(gaps)
    apart = (turn - adjoint(turn)) * 0.5 / gaps
    off = ops.tril(apart, -1) + ops.triu(apart, 1)
    return product(V, off + ops.diag_embed(gL), adjoint(V))


@op(
    "linalg.eigh",
    batch="leading",
    outputs=("eigenvalues", "eigenvectors"),
    meta=_eigh,
    work=lambda A: matrix_work(A.shape, A.dtype, 10),
    holomorphic=False,
    grad_fn="LinalgEighBackward0",
    vjp=dict(A=_eigh_rule),
)
def eigh(A: Tensor, UPLO: str = "L") -> tuple[Array, Array]:
    """The eigenvalues, ascending, and eigenvectors (in columns) of symmetric or Hermitian matrices, read from one triangle."""
    _eigh(A, UPLO)
    try:
        values, vectors = np.linalg.eigh(A, "L" if UPLO in ("L", "l") else "U")
    except np.linalg.LinAlgError:
        raise no_eigenvalues(A) from None
    return values, vectors


@op("linalg.eigvalsh", composite=True)
def eigvalsh(A: Tensor, UPLO: str = "L") -> Any:
    """The eigenvalues, ascending, of symmetric or Hermitian matrices."""
    return ops.linalg.eigh(A, UPLO)[0]


def _svd(A: Any, full_matrices: bool) -> tuple[Meta, Meta, Meta]:
    check_matrix("linalg.svd", A)
    check_precise("linalg.svd", A)
    *batch, m, n = A.shape
    k = min(m, n)
    return (
        dense((*batch, m, m if full_matrices else k), A.dtype),
        dense((*batch, k), to_real(A.dtype)),
        dense((*batch, n if full_matrices else k, n), A.dtype),
    )


def _svd_rule(g: Any, U: Any, S: Any, Vh: Any, A_meta: Any) -> Any:
    gU, gS, gVh = g
    m, n = A_meta.shape[-2:]
    k = min(m, n)
    # Columns beyond the singular values are free to turn, so that no gradient belongs to them.
    U, gU = ops.narrow(U, -1, 0, k), ops.narrow(gU, -1, 0, k)
    Vh, gVh = ops.narrow(Vh, -2, 0, k), ops.narrow(gVh, -2, 0, k)
    V, gV = adjoint(Vh), adjoint(gVh)
    row, col = ops.unsqueeze(S, -2), ops.unsqueeze(S, -1)
    left, right = product(adjoint(U), gU), product(adjoint(V), gV)
    gaps = (row - col) * (row + col)
    gaps = gaps + identity_like(gaps)

    def off_diagonal(x: Any) -> Any:
        apart = (x - adjoint(x)) / gaps
        return ops.tril(apart, -1) + ops.triu(apart, 1)

    middle = off_diagonal(left) * row + off_diagonal(right) * col + ops.diag_embed(gS)
    if A_meta.dtype.kind == "c":
        diagonal = left - adjoint(left)
        middle = middle + (diagonal - ops.tril(diagonal, -1) - ops.triu(diagonal, 1)) / (col * 2)
    result = product(U, middle, Vh)
    if m > k:
        result = result + product((gU - product(U, left)) / row, Vh)
    if n > k:
        result = result + product(U, (gVh - product(adjoint(right), Vh)) / col)
    return result


@op(
    "linalg.svd",
    batch="leading",
    outputs=("U", "S", "Vh"),
    meta=_svd,
    work=lambda A, full_matrices: matrix_work(A.shape, A.dtype, 20, whole=full_matrices),
    holomorphic=False,
    grad_fn="LinalgSvdBackward0",
    vjp=dict(A=_svd_rule),
)
def svd(A: Tensor, full_matrices: bool = True) -> tuple[Array, Array, Array]:
    """``A = U @ diag(S) @ Vh`` with orthonormal columns in U and rows in Vh, and the singular values, descending, in S."""
    _svd(A, full_matrices)
    refuse_infinite(A)
    try:
        U, S, Vh = np.linalg.svd(A, full_matrices=full_matrices)
    except np.linalg.LinAlgError:
        raise no_singular_values(A) from None
    return U, S, Vh


@op("linalg.svdvals", composite=True)
def svdvals(A: Tensor) -> Any:
    """The singular values of each matrix, descending."""
    return ops.linalg.svd(A, False)[1]


def _pinv(A: Any, hermitian: bool) -> Meta:
    if len(A.shape) < 2 or A.dtype.kind not in "fc" or A.dtype == np.float16:
        text = f"{dtype_of(A.dtype).torch_name}{{{list(A.shape)}}}"
        raise TensorRuntimeError(
            f"linalg.pinv({text}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types",
            code="dtype_mismatch",
        )
    if hermitian:
        check_square("linalg.eigh", A)
    return dense((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype)


def _pinv_rule(g: Any, out: Any, A: Any, A_meta: Any) -> Any:
    # Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems" (1973).
    m, n = A_meta.shape[-2:]
    P, Ph, gh = out, adjoint(out), adjoint(g)
    if m <= n:
        K = product(gh, P)
        KPh = product(K, Ph)
        return -adjoint(product(P, K)) + KPh - product(A, P, KPh) + product(Ph, P, gh - product(K, A))
    K = product(P, gh)
    PhK = product(Ph, K)
    return -adjoint(product(K, P)) + product(gh - product(A, K), P, Ph) + PhK - product(PhK, P, A)


@op(
    "linalg.pinv",
    batch="leading",
    meta=_pinv,
    work=lambda A: matrix_work(A.shape, A.dtype, 20),
    holomorphic=False,
    grad_fn="LinalgPinvBackward0",
    vjp=dict(A=_pinv_rule),
)
def pinv(A: Tensor, rcond: float | None = None, hermitian: bool = False) -> Array:
    """The pseudoinverse; singular values below ``rcond`` times the largest (by default the precision times the size) count as 0."""
    _pinv(A, hermitian)
    limit = float(np.finfo(A.dtype).eps) * max(A.shape[-2:]) if rcond is None else rcond
    if not hermitian:
        refuse_infinite(A)
    try:
        return np.linalg.pinv(A, limit, hermitian)
    except np.linalg.LinAlgError:
        raise (no_eigenvalues(A) if hermitian else no_singular_values(A)) from None


@op(composite=True)
def pinverse(input: Tensor, rcond: float = 1e-15) -> Any:
    """The pseudoinverse; singular values below ``rcond`` times the largest count as 0."""
    return ops.linalg.pinv(input, rcond)
