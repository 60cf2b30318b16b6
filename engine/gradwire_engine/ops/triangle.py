"""Triangles and diagonals of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorRuntimeError
from ..meta import Meta, Shape, dense, wrap_dim
from ..op import op, ops
from ..params import Scalar, Tensor
from .slices import strided_diagonal
from .supported import converted


def _triangle_meta(name: str, input: Meta) -> Meta:
    _check_matrix(name, input)
    return dense(input.shape, input.dtype)


def _near(diagonal: int, shape: Shape) -> int:
    """A diagonal beyond the matrix as the first one beyond it; NumPy computes with its number."""
    return max(-shape[-2] - 1, min(diagonal, shape[-1] + 1))


def _check_matrix(name: str, input: Any) -> None:
    if len(input.shape) < 2:
        raise TensorRuntimeError(f"{name}: input tensor must have at least 2 dimensions", code="shape_mismatch")


@op(
    inplace=True,
    meta=lambda input: _triangle_meta("tril", input),
    vjp=dict(input=lambda g, diagonal: ops.tril(g, diagonal)),
    batch="leading",
)
def tril(input: Tensor, diagonal: int = 0) -> Array:
    """The lower triangle of each matrix, up to the given diagonal; zeros above."""
    _check_matrix("tril", input)
    return np.tril(input, _near(diagonal, input.shape))


@op(
    inplace=True,
    meta=lambda input: _triangle_meta("triu", input),
    vjp=dict(input=lambda g, diagonal: ops.triu(g, diagonal)),
    batch="leading",
)
def triu(input: Tensor, diagonal: int = 0) -> Array:
    """The upper triangle of each matrix, from the given diagonal on; zeros below."""
    _check_matrix("triu", input)
    return np.triu(input, _near(diagonal, input.shape))


def _embedded(shape: Shape, offset: int, dim1: int, dim2: int) -> tuple[Shape, tuple[int, ...]]:
    """The shape of the result, and the order in which batch dimensions, rows and columns have to be put."""
    ndim = len(shape) + 1
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise TensorRuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    if not shape:
        wrap_dim(-2, 1)  # torch's complaint about a tensor that has no diagonal
    size = shape[-1] + abs(offset)
    batch = list(range(ndim - 2))
    order: list[int] = []
    for i in range(ndim):
        order.append(ndim - 2 if i == first else ndim - 1 if i == second else batch.pop(0))
    built = (*shape[:-1], size, size)
    return tuple(built[i] for i in order), tuple(order)


@op(
    meta=lambda input, offset, dim1, dim2: dense(_embedded(input.shape, offset, dim1, dim2)[0], input.dtype),
    vjp=dict(input=lambda g, offset, dim1, dim2: ops.diagonal(g, offset, dim1, dim2)),
)
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    """Matrices of zeros with the last dimension of ``input`` on a diagonal."""
    _, order = _embedded(input.shape, offset, dim1, dim2)
    length = input.shape[-1]
    size = length + abs(offset)
    out = np.zeros((*input.shape[:-1], size, size), input.dtype)
    corner = out[..., :length, offset:] if offset >= 0 else out[..., -offset:, :length]
    strided_diagonal(corner, length)[...] = input
    return out.transpose(order)


@op(composite=True)
def diag(input: Tensor, diagonal: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal."""
    if input.ndim not in (1, 2):
        raise TensorRuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D", code="shape_mismatch")
    return ops.diag_embed(input, diagonal) if input.ndim == 1 else ops.diagonal_copy(input, diagonal)


@op(composite=True)
def diagflat(input: Tensor, offset: int = 0) -> Any:
    """The matrix with all elements on its diagonal."""
    return ops.diag(ops.ravel(input), offset)


def _filled(input: Any, fill_value: Scalar) -> Meta:
    if len(input.shape) < 2:
        raise TensorRuntimeError("dimensions must larger than 1", code="shape_mismatch")
    if len(input.shape) > 2 and len(set(input.shape)) > 1:
        raise TensorRuntimeError("all dimensions of input must be of equal length", code="shape_mismatch")
    converted(fill_value, input.dtype)
    return dense(input.shape, input.dtype)


# torch writes through a view of the diagonal, which its graphs show.
@op(
    method=False,
    inplace=True,
    meta=_filled,
    grad_fn="torch::autograd::CopySlices",
    vjp=dict(input=lambda g, wrap: ops.fill_diagonal(g, 0, wrap)),
)
def fill_diagonal(input: Tensor, fill_value: Scalar, wrap: bool = False) -> Array:
    """``fill_value`` on the main diagonal; with ``wrap`` it begins anew, after a row left out, in a matrix that is higher than wide."""
    _filled(input, fill_value)
    out = np.array(input, order="C")
    rows = out.shape[0]
    end = None if wrap or out.ndim > 2 else out.shape[1] * min(out.shape)
    out.reshape(-1)[: end : sum(rows**k for k in range(out.ndim)) if out.ndim > 2 else out.shape[1] + 1] = converted(fill_value, out.dtype)
    return out
