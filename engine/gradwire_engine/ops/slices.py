"""Views of a part of a tensor, and the ops that put a cotangent (or new values) back in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import row_major, zeros_for
from ..dtypes import Array
from ..errors import TensorIndexError, TensorRuntimeError
from ..meta import Meta, Shape, dense, wrap_dim
from ..op import op, ops
from ..params import Size, Tensor
from .views import strided

_ALL = slice(None)


def at_dim(dim: int, index: int | slice) -> tuple[Any, ...]:
    """The NumPy index that takes ``index`` in dimension ``dim``; the ellipsis keeps the result a view, even of no dimensions."""
    return (_ALL,) * dim + (index, ...)


def _selected(input: Array, dim: int, index: int) -> Array:
    if not input.ndim:
        raise TensorIndexError("select() cannot be applied to a 0-dim tensor.")
    axis = wrap_dim(dim, input.ndim)
    size = input.shape[axis]
    if not -size <= index < size:
        raise TensorIndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {axis}", code="index_out_of_range"
        )
    return input[at_dim(axis, index)]


def _sliced(input: Array, dim: int, start: int | None, end: int | None, step: int) -> Array:
    if not input.ndim:
        raise TensorIndexError("slice() cannot be applied to a 0-dim tensor.")
    axis = wrap_dim(dim, input.ndim)
    if step <= 0:
        raise TensorRuntimeError("slice step must be positive")
    return input[at_dim(axis, slice(start, end, step))]


def _diagonal(input: Array, offset: int, dim1: int, dim2: int) -> Array:
    first, second = wrap_dim(dim1, input.ndim), wrap_dim(dim2, input.ndim)
    if first == second:
        raise TensorRuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    matrix = input.transpose([i for i in range(input.ndim) if i not in (first, second)] + [first, second])
    matrix = matrix[..., offset:] if offset >= 0 else matrix[..., -offset:, :]
    size = min(matrix.shape[-2:])
    matrix = matrix[..., :size, :size]
    # NumPy's own diagonal() is read-only.
    return strided_diagonal(matrix, size)


def strided_diagonal(matrix: Array, size: int) -> Array:
    """The main diagonal of square matrices, as a view that can be written."""
    return np.lib.stride_tricks.as_strided(
        matrix, (*matrix.shape[:-2], size), (*matrix.strides[:-2], matrix.strides[-2] + matrix.strides[-1])
    )


@op(view=True, vjp=dict(input=lambda g, input_meta, dim, index: ops._select_backward(g, input_meta.shape, dim, index)))
def select(input: Tensor, dim: int, index: int) -> Array:
    """One position along ``dim``, without that dimension."""
    return _selected(input, dim, index)


@op(
    "_slice",
    view=True,
    method=False,
    vjp=dict(input=lambda g, input_meta, dim, start, end, step: ops._slice_backward(g, input_meta.shape, dim, start, end, step)),
)
def slice_(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Array:
    """Positions ``start`` to ``end`` along ``dim``, in steps of ``step``."""
    return _sliced(input, dim, start, end, step)


@op(view=True, vjp=dict(input=lambda g, input_meta, offset, dim1, dim2: ops._diagonal_backward(g, input_meta.shape, offset, dim1, dim2)))
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """The diagonal with respect to two dimensions, which becomes the last dimension."""
    return _diagonal(input, offset, dim1, dim2)


def _check_unfold(shape: Shape, dimension: int, size: int, step: int) -> int:
    axis = wrap_dim(dimension, len(shape))
    have = shape[axis] if shape else 1
    if size < 0:
        raise TensorRuntimeError(f"size is {size} but must be >= 0")
    if size > have:
        raise TensorRuntimeError(f"maximum size for tensor at dimension {axis} is {have} but size is {size}")
    if step <= 0:
        raise TensorRuntimeError(f"step is {step} but must be > 0")
    return axis


@op(
    view=True, vjp=dict(input=lambda g, input_meta, dimension, size, step: ops._unfold_backward(g, input_meta.shape, dimension, size, step))
)
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Array:
    """Windows of ``size`` along ``dimension``, every ``step`` positions; the elements of a window become the last dimension."""
    axis = _check_unfold(input.shape, dimension, size, step)
    if not input.ndim:
        return input.reshape(1)[:size]
    shape, strides = list(input.shape), list(input.strides)
    inner = strides[axis]
    shape[axis] = (shape[axis] - size) // step + 1
    if shape[axis] > 1:
        strides[axis] *= step
    return strided(input, (*shape, size), (*strides, inner))


@op(
    "_unfold_backward",
    method=False,
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(grad_output=lambda g, dimension, size, step: ops.unfold(g, dimension, size, step)),
)
def unfold_backward(grad_output: Tensor, shape: Size, dimension: int, size: int, step: int) -> Array:
    """Adds up the windows of ``unfold`` at the places they came from."""
    out = np.zeros(shape or (1,), grad_output.dtype)
    axis = wrap_dim(dimension, len(shape))
    if not shape:
        return np.asarray(grad_output.sum())
    windows = grad_output.shape[axis]
    for k in range(size):
        out[at_dim(axis, slice(k, k + (windows - 1) * step + 1, step))] += grad_output[..., k]
    return out


def _put_back(grad_output: Array, shape: Shape, region: Callable[[Array], Array]) -> Array:
    out = zeros_for(grad_output, shape)
    region(out)[...] = grad_output
    return out


@op(
    "_select_backward",
    method=False,
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(grad_output=lambda g, dim, index: ops.select(g, dim, index)),
)
def select_backward(grad_output: Tensor, shape: Size, dim: int, index: int) -> Array:
    """Zeros with ``grad_output`` where ``select`` looked."""
    return _put_back(grad_output, shape, lambda out: _selected(out, dim, index))


@op(
    "_slice_backward",
    method=False,
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(grad_output=lambda g, dim, start, end, step: ops._slice(g, dim, start, end, step)),
)
def slice_backward(grad_output: Tensor, shape: Size, dim: int, start: int | None, end: int | None, step: int) -> Array:
    """Zeros with ``grad_output`` where a slice looked."""
    return _put_back(grad_output, shape, lambda out: _sliced(out, dim, start, end, step))


@op(
    "_diagonal_backward",
    method=False,
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(grad_output=lambda g, offset, dim1, dim2: ops.diagonal(g, offset, dim1, dim2)),
)
def diagonal_backward(grad_output: Tensor, shape: Size, offset: int, dim1: int, dim2: int) -> Array:
    """Zeros with ``grad_output`` on a diagonal."""
    return _put_back(grad_output, shape, lambda out: _diagonal(out, offset, dim1, dim2))


def _written(input: Array, src: Array, region: Callable[[Array], Array]) -> Array:
    out = row_major(input)
    target = region(out)
    _check_src(src.shape, target.shape)
    target[...] = src
    return out


def _check_src(src: Shape, region: Shape) -> None:
    if src != region:
        raise TensorRuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src)}, slice size = {list(region)}",
            code="shape_mismatch",
        )


def _scatter_meta(input: Meta, src: Meta, region: Callable[[Array], Array]) -> Meta:
    from ..meta import dummy

    _check_src(src.shape, region(dummy(input)).shape)
    return dense(input.shape, input.dtype)


@op(
    meta=lambda input, src, dim, index: _scatter_meta(input, src, lambda out: _selected(out, dim, index)),
    vjp=dict(
        input=lambda g, dim, index: ops.select_scatter(g, ops.zeros_like(ops.select(g, dim, index)), dim, index),
        src=lambda g, dim, index: ops.select(g, dim, index),
    ),
)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Array:
    """``input`` with ``src`` in place of ``input.select(dim, index)``."""
    return _written(input, src, lambda out: _selected(out, dim, index))


@op(
    meta=lambda input, src, dim, start, end, step: _scatter_meta(input, src, lambda out: _sliced(out, dim, start, end, step)),
    vjp=dict(
        input=lambda g, dim, start, end, step: ops.slice_scatter(
            g, ops.zeros_like(ops._slice(g, dim, start, end, step)), dim, start, end, step
        ),
        src=lambda g, dim, start, end, step: ops._slice(g, dim, start, end, step),
    ),
)
def slice_scatter(input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Array:
    """``input`` with ``src`` in place of a slice of it."""
    return _written(input, src, lambda out: _sliced(out, dim, start, end, step))


@op(
    meta=lambda input, src, offset, dim1, dim2: _scatter_meta(input, src, lambda out: _diagonal(out, offset, dim1, dim2)),
    vjp=dict(
        input=lambda g, offset, dim1, dim2: ops.diagonal_scatter(
            g, ops.zeros_like(ops.diagonal(g, offset, dim1, dim2)), offset, dim1, dim2
        ),
        src=lambda g, offset, dim1, dim2: ops.diagonal(g, offset, dim1, dim2),
    ),
)
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """``input`` with ``src`` in place of a diagonal of it."""
    return _written(input, src, lambda out: _diagonal(out, offset, dim1, dim2))


@op(
    method=False,
    grad_fn="DiagonalBackward0_copy",
    meta=lambda input, offset, dim1, dim2: dense(_diagonal_shape(input, offset, dim1, dim2), input.dtype),
    vjp=dict(input=lambda g, input_meta, offset, dim1, dim2: ops._diagonal_backward(g, input_meta.shape, offset, dim1, dim2)),
)
def diagonal_copy(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """A copy of a diagonal."""
    return _diagonal(input, offset, dim1, dim2)


def _diagonal_shape(input: Meta, offset: int, dim1: int, dim2: int) -> Shape:
    from ..meta import dummy

    return _diagonal(dummy(input), offset, dim1, dim2).shape
