"""Turning, shifting and repeating elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorIndexError, TensorRuntimeError
from ..meta import Meta, Shape, dense, wrap_dim, wrap_dims
from ..op import op, ops
from ..params import Dims, Size, Tensor
from ..value import Value
from .positions import INT, LONG
from .reduce import not_implemented
from .views import check_has_dims


def _flip_meta(input: Meta, dims: Shape) -> Meta:
    wrap_dims(dims, input.ndim, empty_means_all=False)
    return dense(input.shape, input.dtype)


@op(meta=_flip_meta, vjp=dict(input=lambda g, dims: ops.flip(g, dims)))
def flip(input: Tensor, dims: Size) -> Array:
    """The elements in reverse order along ``dims``."""
    return np.flip(input, wrap_dims(dims, input.ndim, empty_means_all=False))


@op(composite=True)
def fliplr(input: Tensor) -> Any:
    """The columns in reverse order."""
    if input.ndim < 2:
        raise TensorRuntimeError("Input must be >= 2-d.")
    return ops.flip(input, (1,))


@op(composite=True)
def flipud(input: Tensor) -> Any:
    """The rows in reverse order."""
    if input.ndim < 1:
        raise TensorRuntimeError("Input must be >= 1-d.")
    return ops.flip(input, (0,))


def _roll_plan(input: Any, shifts: Dims, dims: Dims) -> tuple[Shape, Shape | None]:
    """The shifts and the dimensions; no dimensions mean the flattened tensor."""
    by = (shifts,) if isinstance(shifts, int) else shifts
    along = (dims,) if isinstance(dims, int) else dims
    if not by:
        raise TensorRuntimeError("`shifts` required")
    if not along and len(by) == 1:
        return by, None
    if len(by) != len(along):
        raise TensorRuntimeError(f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(along)}")
    for dim in along:
        check_has_dims(input, dim)
    return by, tuple(wrap_dim(d, input.ndim) for d in along)


def _roll_meta(input: Meta, shifts: Dims, dims: Dims) -> Meta:
    _roll_plan(input, shifts, dims)
    return dense(input.shape, input.dtype)


def _opposite(shifts: Dims) -> Dims:
    return -shifts if isinstance(shifts, int) else tuple(-s for s in shifts)


@op(meta=_roll_meta, vjp=dict(input=lambda g, shifts, dims: ops.roll(g, _opposite(shifts), dims)), batch="rolled")
def roll(input: Tensor, shifts: Dims, dims: Dims = ()) -> Array:
    """The elements shifted along ``dims`` (of the flattened tensor without ``dims``); what leaves at one end comes back at the other."""
    by, along = _roll_plan(input, shifts, dims)
    return np.roll(input, by[0]) if along is None else np.roll(input, by, along)


def _check_rot90(shape: Shape, dims: Shape) -> tuple[int, int]:
    if len(dims) != 2:
        raise TensorRuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    ndim = len(shape)
    if ndim < 2:
        raise TensorRuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == ndim:
        raise TensorRuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    return wrap_dim(dims[0], ndim), wrap_dim(dims[1], ndim)


def _rot90_meta(input: Meta, k: int, dims: Shape) -> Meta:
    first, second = _check_rot90(input.shape, dims)
    shape = list(input.shape)
    if k % 2:
        shape[first], shape[second] = shape[second], shape[first]
    return dense(shape, input.dtype)


@op(meta=_rot90_meta, vjp=dict(input=lambda g, k, dims: ops.rot90(g, -k, dims)))
def rot90(input: Tensor, k: int = 1, dims: Size = (0, 1)) -> Array:
    """A plane turned by ``k`` right angles, from the first of ``dims`` towards the second."""
    return np.rot90(input, k, _check_rot90(input.shape, dims))


def _repeated_shape(shape: Shape, repeats: Shape) -> Shape:
    if len(repeats) < len(shape):
        raise TensorRuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor", code="shape_mismatch"
        )
    made = tuple(r * s for r, s in zip(repeats, (1,) * (len(repeats) - len(shape)) + shape, strict=True))
    negative = next((s for s, r in zip(made, repeats, strict=True) if r < 0), None)
    if negative is not None:
        raise TensorRuntimeError(f"Trying to create tensor with negative dimension {negative}: {list(made)}")
    return made


def _repeat_backward(g: Any, shape: Shape, repeats: Shape) -> Any:
    if not repeats:
        return g
    padded = (1,) * (len(repeats) - len(shape)) + shape
    # Every dimension becomes (repetition, position); the repetitions are summed. Without the ones there is room for them all.
    split = [(n, k % 2 == 0) for k, n in enumerate(n for pair in zip(repeats, padded, strict=True) for n in pair) if n != 1]
    sizes, repetitions = tuple(n for n, _ in split), tuple(i for i, (_, repeated) in enumerate(split) if repeated)
    apart = ops.reshape(g, sizes)
    return ops.reshape(ops.sum(apart, repetitions) if repetitions else apart, shape)


@op(
    batch="repeated",
    meta=lambda input, repeats: dense(_repeated_shape(input.shape, repeats), input.dtype),
    vjp=dict(input=lambda g, input_meta, repeats: _repeat_backward(g, input_meta.shape, repeats)),
)
def repeat(input: Tensor, repeats: Size) -> Array:
    """The tensor laid side by side with itself, ``repeats`` times along each dimension."""
    shape = _repeated_shape(input.shape, repeats)
    # NumPy would repeat dimension by dimension, and so build much before it comes to a zero.
    return np.empty(shape, input.dtype) if 0 in shape else np.tile(input, repeats)


@op(composite=True)
def tile(input: Tensor, dims: Size) -> Any:
    """The tensor laid side by side with itself, ``dims`` times along the last dimensions."""
    return ops.repeat(input, (1,) * (input.ndim - len(dims)) + tuple(dims))


@op("repeat_interleave", overload="self_int", composite=True)
def repeat_interleave_evenly(input: Tensor, repeats: int, dim: int | None = None, *, output_size: int | None = None) -> Any:
    """Every element (every slice along ``dim``) ``repeats`` times in a row."""
    source = ops.flatten(input) if dim is None else input
    axis = wrap_dim(dim or 0, source.ndim + 1 if not source.ndim else source.ndim)
    if repeats < 0:
        raise TensorRuntimeError("Repeats must be non-negative")
    if not source.ndim:
        raise TensorIndexError(f"Dimension out of range (expected to be in range of [-1, 0], but got {axis + 1})", code="dim_out_of_range")
    shape = tuple(source.shape)
    if output_size is not None and output_size != shape[axis] * repeats:
        raise TensorRuntimeError("repeat_interleave: Invalid output_size")
    spread = ops.expand(ops.unsqueeze(source, axis + 1), (*shape[: axis + 1], repeats, *shape[axis + 1 :]))
    return ops.flatten(ops._contiguous(spread), axis, axis + 1)


def _check_repeats(repeats: Any) -> None:
    if len(repeats.shape) > 1:
        raise TensorRuntimeError("repeat_interleave only accept 1D vector as repeat", code="shape_mismatch")
    if repeats.dtype not in (LONG, INT):
        raise not_implemented(repeats, "repeat_interleave_cpu")


def _positions(repeats: Any, output_size: int | None) -> Any:
    if output_size is None and isinstance(repeats, Value) and repeats.announces:
        # The elements are somewhere else, and the size of the result has to be asked for.
        return ops.repeat_interleave(repeats, output_size=int(ops.sum(repeats)))
    return ops._repeat_positions(repeats, output_size)


def _positions_meta(repeats: Meta, output_size: int | None) -> Meta:
    _check_repeats(repeats)
    if output_size is None:
        raise TensorRuntimeError(
            "The size of repeat_interleave depends on the values of 'repeats', which are not known here. Give 'output_size'.",
            code="data_dependent_shape",
        )
    return dense((output_size,), LONG)


@op("_repeat_positions", method=False, meta=_positions_meta)
def repeat_positions(repeats: Tensor, output_size: int | None) -> Array:
    """Every position in ``repeats`` as often as the number that stands there."""
    _check_repeats(repeats)
    if repeats.size and repeats.min() < 0:
        raise TensorRuntimeError("repeats can not be negative")
    # In Python's integers: a sum that wraps would agree with a size for which NumPy writes out of bounds.
    if output_size is not None and sum(repeats.reshape(-1).tolist()) != output_size:
        raise TensorRuntimeError("allocated size does not match required size", code="shape_mismatch")
    return np.repeat(np.arange(repeats.size), repeats.reshape(-1))


@op("repeat_interleave", overload="self_Tensor", composite=True, promotion="none", data_dependent=True)
def repeat_interleave_by(input: Tensor, repeats: Tensor, dim: int | None = None, *, output_size: int | None = None) -> Any:
    """Every element (every slice along ``dim``) as often as ``repeats`` says, one number for each or one for all."""
    source = ops.flatten(input) if dim is None else input
    check_has_dims(source, dim or 0)
    axis = wrap_dim(dim or 0, source.ndim)
    size = source.shape[axis]
    count = math.prod(repeats.shape)
    if len(repeats.shape) == 0 or tuple(repeats.shape) == (1,):
        repeats = ops.expand(ops.reshape(repeats, (1,)), (size,))
    elif count != size:
        raise TensorRuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {count} and input.size({axis}) = {size}",
            code="shape_mismatch",
        )
    return ops.index_select(source, axis, _positions(repeats, output_size))


@op("repeat_interleave", overload="Tensor", composite=True, promotion="none", data_dependent=True)
def repeat_interleave_positions(repeats: Tensor, *, output_size: int | None = None) -> Any:
    """Every position in ``repeats`` as often as the number that stands there."""
    if repeats.ndim != 1:
        raise TensorRuntimeError("repeat_interleave only accept 1D vector as repeat", code="shape_mismatch")
    return _positions(repeats, output_size)
