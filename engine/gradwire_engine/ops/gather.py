"""Gathering from and scattering to positions along a dimension, or in the flattened tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorIndexError, TensorRuntimeError
from ..meta import Meta, Shape, dense, wrap_dim
from ..op import op, ops
from ..params import Scalar, Size, Tensor
from .positions import INT, LONG, add_at, check_bounds, check_long, first_outside, grid, shape_text, torch_name
from .supported import converted


def _size(shape: Shape) -> int:
    count = 1
    for s in shape:
        count *= s
    return count


def _check_index(name: str, index: Any) -> None:
    if index.dtype not in (LONG, INT):
        raise TensorRuntimeError(f"{name}(): Expected dtype int32/int64 for index", code="dtype_mismatch")


def _check_gather(input: Any, dim: int, index: Any) -> int:
    axis = wrap_dim(dim, len(input.shape))
    if not _size(index.shape):
        return axis
    _check_index("gather", index)
    shape, positions = input.shape or (1,), index.shape or (1,)
    if len(shape) != len(positions):
        raise TensorRuntimeError("Index tensor must have the same number of dimensions as input tensor", code="shape_mismatch")
    for i, (have, want) in enumerate(zip(shape, positions, strict=True)):
        if i != axis and want > have:
            raise TensorRuntimeError(
                f"Size does not match at dimension {i} expected index {shape_text(index.shape)} to be no larger than self "
                f"{shape_text(input.shape)} apart from dimension {axis}",
                code="shape_mismatch",
            )
    return axis


def _gathered(input: Array, axis: int, index: Array) -> Any:
    if not index.size:
        return np.empty(index.shape, input.dtype)
    source, positions = np.atleast_1d(input), np.atleast_1d(index)
    check_bounds(index, axis, source.shape[axis])
    return source[grid(positions, axis)].reshape(index.shape)


def _gather_meta(input: Meta, dim: int, index: Meta) -> Meta:
    _check_gather(input, dim, index)
    return dense(index.shape, input.dtype)


@op(meta=_gather_meta, vjp=dict(input=lambda g, input, dim, index: ops._gather_backward(g, tuple(input.shape), dim, index)))
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Any:
    """The elements at the positions ``index`` along ``dim``; everywhere else the positions are their own."""
    return _gathered(input, _check_gather(input, dim, index), index)


@op(
    "_gather_backward",
    method=False,
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(grad_output=lambda g, dim, index: ops.gather(g, dim, index)),
)
def gather_backward(grad_output: Tensor, shape: Size, dim: int, index: Tensor) -> Array:
    """Zeros with ``grad_output`` added at the positions that ``gather`` read."""
    out = np.zeros(shape or (1,), grad_output.dtype)
    if index.size:
        add_at(out, grid(np.atleast_1d(index), wrap_dim(dim, len(shape))), np.atleast_1d(grad_output))
    return out.reshape(shape)


@op(composite=True, promotion="none")
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Any:
    """The elements at the positions ``indices`` along ``dim``, broadcast against each other; of the flattened tensor without ``dim``."""
    dtype = np.dtype(indices.dtype.numpy if hasattr(indices.dtype, "numpy") else indices.dtype)
    if dtype != LONG:
        raise TensorRuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {torch_name(dtype)}", code="dtype_mismatch"
        )
    if dim is None:
        return ops.gather(ops.reshape(input, (-1,)), 0, ops.reshape(indices, (-1,)))
    if input.ndim != indices.ndim:
        raise TensorRuntimeError(
            f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got {input.ndim} "
            "dimensions for input, "
            f"and {indices.ndim} dimensions for indices",
            code="shape_mismatch",
        )
    axis = wrap_dim(dim, input.ndim)
    return _take_along(input, indices, axis)


def _take_along(input: Any, indices: Any, axis: int) -> Any:
    from ..meta import broadcast

    have, want = list(input.shape), list(indices.shape)
    along_input, along_indices = have[axis : axis + 1], want[axis : axis + 1]
    have[axis : axis + 1] = want[axis : axis + 1] = [1] * len(along_input)
    common = list(broadcast(tuple(have), tuple(want)))
    source, places = common.copy(), common.copy()
    source[axis : axis + 1], places[axis : axis + 1] = along_input, along_indices
    # The positions are a copy: as in torch, the caller may overwrite them before backward.
    return ops.gather(ops.expand(input, tuple(source)), axis, ops._contiguous(ops.expand(indices, tuple(places))))


def _check_scatter(input: Any, dim: int, index: Any, src: Any = None) -> int:
    axis = wrap_dim(dim, len(input.shape))
    if _size(index.shape):
        _check_index("scatter", index)
    if src is not None and src.dtype != input.dtype:
        raise TensorRuntimeError("scatter(): Expected self.dtype to be equal to src.dtype", code="dtype_mismatch")
    if not _size(index.shape):
        return axis
    shape, positions = input.shape or (1,), index.shape or (1,)
    if len(shape) != len(positions):
        raise TensorRuntimeError("Index tensor must have the same number of dimensions as self tensor", code="shape_mismatch")
    fits = all(want <= have for i, (have, want) in enumerate(zip(shape, positions, strict=True)) if i != axis)
    more = ""
    if src is not None:
        given = src.shape or (1,)
        if len(given) != len(positions):
            raise TensorRuntimeError("Index tensor must have the same number of dimensions as src tensor", code="shape_mismatch")
        fits = fits and all(want <= have for have, want in zip(given, positions, strict=True))
        more = f" and to be no larger size than src {shape_text(src.shape)}"
    if not fits:
        raise TensorRuntimeError(
            f"Expected index {shape_text(index.shape)} to be no larger than self {shape_text(input.shape)} apart from "
            f"dimension {axis}{more}",
            code="shape_mismatch",
        )
    return axis


def _scatter_meta(input: Meta, dim: int, index: Meta, src: Meta) -> Meta:
    _check_scatter(input, dim, index, src)
    return dense(input.shape, input.dtype)


def _scatter_value_meta(input: Meta, dim: int, index: Meta, value: Scalar) -> Meta:
    _check_scatter(input, dim, index)
    converted(value, input.dtype)
    return dense(input.shape, input.dtype)


def _scattered(input: Array, axis: int, index: Array, src: Array, add: bool) -> Array:
    out = np.array(input, order="C", ndmin=1)
    if index.size:
        positions = np.atleast_1d(index)
        check_bounds(index, axis, out.shape[axis])
        values = np.atleast_1d(src)[tuple(slice(s) for s in positions.shape)] if src.ndim else src
        if add:
            add_at(out, grid(positions, axis), values)
        else:
            out[grid(positions, axis)] = values
    return out.reshape(input.shape)


@op(
    "scatter",
    overload="value",
    inplace=True,
    grad_fn="ScatterBackward1",
    meta=_scatter_value_meta,
    vjp=dict(input=lambda g, dim, index: ops.scatter(g, dim, index, 0)),
)
def scatter_value(input: Tensor, dim: int, index: Tensor, value: Scalar) -> Array:
    """``input`` with ``value`` at the positions ``index`` along ``dim``."""
    return _scattered(input, _check_scatter(input, dim, index), index, converted(value, input.dtype), False)


@op(
    "scatter",
    overload="src",
    inplace=True,
    meta=_scatter_meta,
    vjp=dict(
        input=lambda g, dim, index: ops.scatter(g, dim, index, 0),
        src=lambda g, src_meta, dim, index: _from_scatter(g, src_meta, dim, index),
    ),
)
def scatter_src(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Array:
    """``input`` with the elements of ``src`` at the positions ``index`` along ``dim``; of those for one place the last stays."""
    return _scattered(input, _check_scatter(input, dim, index, src), index, src, False)


def _from_scatter(g: Any, src_meta: Meta, dim: int, index: Any) -> Any:
    """The gradient of ``src``, of which only the corner of the index's shape was used."""
    if 0 in index.shape:
        return ops.new_zeros(g, src_meta.shape)
    found = ops.gather(g, dim, index)
    if tuple(index.shape) == src_meta.shape:
        return found
    if not src_meta.shape:
        return ops.reshape(found, ())
    if not index.shape:
        found = ops.reshape(found, (1,))
    for axis, size in enumerate(src_meta.shape):
        if found.shape[axis] != size:
            shape = tuple(found.shape)
            found = ops._slice_backward(found, (*shape[:axis], size, *shape[axis + 1 :]), axis, 0, shape[axis], 1)
    return found


@op(
    inplace=True,
    meta=_scatter_meta,
    vjp=dict(input=lambda g: g, src=lambda g, src_meta, dim, index: _from_scatter(g, src_meta, dim, index)),
)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Array:
    """``input`` with the elements of ``src`` added at the positions ``index`` along ``dim``."""
    return _scattered(input, _check_scatter(input, dim, index, src), index, src, True)


def _flat_positions(index: Array, size: int) -> Array:
    bad = first_outside(index, -size, size)
    if bad is not None:
        raise TensorIndexError(f"out of range: tried to access index {bad} on a tensor of {size} elements.", code="index_out_of_range")
    return index


def _take_meta(input: Meta, index: Meta) -> Meta:
    _check_take(input, index)
    return dense(index.shape, input.dtype)


def _check_take(input: Any, index: Any) -> None:
    check_long("take", index)
    if _size(index.shape) and not _size(input.shape):
        raise TensorIndexError("take(): tried to take from an empty tensor", code="index_out_of_range")


@op(meta=_take_meta, vjp=dict(input=lambda g, input, index: ops._take_backward(g, tuple(input.shape), index)), batch="looked_up")
def take(input: Tensor, index: Tensor) -> Any:
    """The elements at the positions ``index`` of the flattened tensor."""
    _check_take(input, index)
    return input.reshape(-1)[_flat_positions(index, input.size)]


@op(
    "_take_backward",
    method=False,
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(grad_output=lambda g, index: ops.take(g, index)),
)
def take_backward(grad_output: Tensor, shape: Size, index: Tensor) -> Array:
    """Zeros with ``grad_output`` added at the positions that ``take`` read."""
    out = np.zeros(shape, grad_output.dtype)
    add_at(out.reshape(-1), index, grad_output)
    return out


def _check_put(input: Any, index: Any, source: Any) -> None:
    check_long("put_", index)
    if source.dtype != input.dtype:
        raise TensorRuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {torch_name(input.dtype)} and "
            f"source.dtype = {torch_name(source.dtype)}",
            code="dtype_mismatch",
        )
    if _size(index.shape) != _size(source.shape):
        raise TensorIndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{_size(source.shape)}, index.numel() = {_size(index.shape)}",
            code="shape_mismatch",
        )
    if _size(index.shape) and not _size(input.shape):
        raise TensorIndexError("put_(): Tried to put elements into an empty tensor", code="index_out_of_range")


def _put_meta(input: Meta, index: Meta, source: Meta) -> Meta:
    _check_put(input, index, source)
    return dense(input.shape, input.dtype)


@op(
    inplace=True,
    meta=_put_meta,
    vjp=dict(
        input=lambda g, index, accumulate: g if accumulate else ops.put(g, index, ops.zeros_like(ops.take(g, index))),
        source=lambda g, index, source: ops.reshape(ops.take(g, index), tuple(source.shape)),
    ),
)
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Array:
    """``input`` with ``source`` at the positions ``index`` of the flattened tensor, or added to what is there."""
    _check_put(input, index, source)
    out = np.array(input, order="C")
    flat, positions = out.reshape(-1), _flat_positions(index, out.size).reshape(-1)
    if accumulate:
        add_at(flat, positions, source.reshape(-1))
    else:
        flat[positions] = source.reshape(-1)
    return out
