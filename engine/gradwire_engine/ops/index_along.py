"""Reading and writing whole slices along a dimension, picked by a vector of positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorIndexError, TensorRuntimeError
from ..meta import Meta, Shape, dense, wrap_dim
from ..op import op, ops
from ..params import Scalar, Size, Tensor
from .positions import INT, LONG, add_at, check_bounds, check_vector, first_outside, shape_text, torch_name
from .slices import at_dim
from .supported import converted


def _count(index: Any) -> int:
    return index.shape[0] if index.shape else 1


def _check_select(input: Any, dim: int, index: Any) -> int:
    axis = wrap_dim(dim, len(input.shape))
    check_vector("index_select(): Index is supposed to be a vector", index)
    if index.dtype not in (LONG, INT):
        raise TensorRuntimeError("index_select(): Expected dtype int32 or int64 for index", code="dtype_mismatch")
    if not input.shape and _count(index) != 1:
        raise TensorRuntimeError(
            f"index_select(): Index to scalar can have only 1 value, got {_count(index)} value(s)", code="shape_mismatch"
        )
    return axis


def _select_meta(input: Meta, dim: int, index: Meta) -> Meta:
    axis = _check_select(input, dim, index)
    shape = input.shape
    return dense((*shape[:axis], _count(index), *shape[axis + 1 :]) if shape else (), input.dtype)


@op(
    meta=_select_meta,
    vjp=dict(input=lambda g, input_meta, dim, index: ops._index_select_backward(g, input_meta.shape, dim, index)),
    batch="vector",
)
def index_select(input: Tensor, dim: int, index: Tensor) -> Any:
    """The slices at the positions ``index`` along ``dim``."""
    axis = _check_select(input, dim, index)
    if first_outside(index, 0, input.shape[axis] if input.ndim else 1) is not None:
        raise TensorIndexError("index out of range in self", code="index_out_of_range")
    return input[at_dim(axis, np.atleast_1d(index))] if input.ndim else input  # type: ignore[arg-type]


@op(
    "_index_select_backward",
    method=False,
    batch="vector",
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(grad_output=lambda g, dim, index: ops.index_select(g, dim, index)),
)
def index_select_backward(grad_output: Tensor, shape: Size, dim: int, index: Tensor) -> Array:
    """Zeros with ``grad_output`` added at the slices that ``index_select`` read."""
    out = np.zeros(shape or (1,), grad_output.dtype)
    add_at(out, at_dim(wrap_dim(dim, len(shape)), np.atleast_1d(index)), np.atleast_1d(grad_output))  # type: ignore[arg-type]
    return out.reshape(shape)


def _check_add(input: Any, dim: int, index: Any, source: Any) -> int:
    axis = wrap_dim(dim, len(input.shape))
    if len(index.shape) > 1:
        raise TensorIndexError(
            f"index_add_(): Index is supposed to be a vector, but got dim: {len(index.shape)} with type: "
            f"{torch_name(index.dtype)} and size: {shape_text(index.shape)}",
            code="shape_mismatch",
        )
    if index.dtype not in (LONG, INT):
        raise TensorRuntimeError(
            f"index_add_(): Expected dtype int32/int64 for index but got: {torch_name(index.dtype)}", code="dtype_mismatch"
        )
    if source.dtype != input.dtype:
        raise TensorRuntimeError(
            f"index_add_(): self ({torch_name(input.dtype)}) and source ({torch_name(source.dtype)}) must have the same scalar type",
            code="dtype_mismatch",
        )
    _check_source_shape(input.shape, source.shape, axis)
    given = source.shape[axis] if source.shape else 1
    if given != _count(index):
        raise TensorRuntimeError(
            f"index_add_(): Number of indices ({_count(index)}) should be equal to source.size(dim): ({given}), for dim: {axis}",
            code="shape_mismatch",
        )
    return axis


def _check_source_shape(shape: Shape, source: Shape, axis: int) -> None:
    if len(shape) != len(source) or shape[:axis] != source[:axis] or shape[axis + 1 :] != source[axis + 1 :]:
        raise TensorRuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{shape_text(shape)} source.shape = {shape_text(source)}",
            code="shape_mismatch",
        )


def _add_meta(input: Meta, dim: int, index: Meta, source: Meta) -> Meta:
    _check_add(input, dim, index, source)
    return dense(input.shape, input.dtype)


def _of_source(g: Any, dim: int, index: Any, source: Any) -> Any:
    return ops.reshape(ops.index_select(g, dim, index), tuple(source.shape))


@op(
    inplace=True,
    batch="vector",
    meta=_add_meta,
    vjp=dict(
        input=lambda g: g,
        source=lambda g, dim, index, source, alpha: _of_source(g if alpha == 1 else g * alpha, dim, index, source),
    ),
)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Scalar = 1) -> Array:
    """``input`` with the slices of ``source``, scaled by ``alpha``, added at the positions ``index`` along ``dim``."""
    axis = _check_add(input, dim, index, source)
    out = np.array(input, order="C", ndmin=1)
    check_bounds(index, axis, out.shape[axis])
    values = source if alpha == 1 else np.multiply(source, converted(alpha, input.dtype))
    add_at(out, at_dim(axis, np.atleast_1d(index)), np.atleast_1d(values))  # type: ignore[arg-type]
    return out.reshape(input.shape)


def _check_copy(input: Any, dim: int, index: Any, source: Any) -> int:
    axis = wrap_dim(dim, len(input.shape))
    if len(index.shape) > 1:
        raise TensorIndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {len(index.shape)})", code="shape_mismatch")
    if not source.shape and _count(index) != 1:
        raise TensorIndexError(
            f"index_copy_(): When source is scalar, index should have one element (got {_count(index)})", code="shape_mismatch"
        )
    if source.shape and input.shape and len(source.shape) != len(input.shape):
        raise TensorIndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. "
            f"Source dimensionality ({len(source.shape)}), destination dimensionality ({len(input.shape)})",
            code="shape_mismatch",
        )
    if index.dtype != LONG:
        raise TensorRuntimeError(
            f"index_copy_(): Expected a long tensor for index, but got {torch_name(index.dtype)}", code="dtype_mismatch"
        )
    if source.dtype != input.dtype:
        raise TensorRuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {torch_name(input.dtype)} and "
            f"(source) {torch_name(source.dtype)}",
            code="dtype_mismatch",
        )
    slices = [(s[:axis] + s[axis + 1 :]) for s in (input.shape, source.shape)]
    if slices[0] != slices[1]:
        texts = [" ".join(map(str, s)) for s in slices]
        raise TensorRuntimeError(
            f"index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: {texts[0]} at "
            f"dimension {axis} "
            f"and source slice shape: {texts[1]} at dimension 0.",
            code="shape_mismatch",
        )
    given = source.shape[axis] if source.shape else 1
    if given != _count(index):
        raise TensorIndexError(
            f"index_copy_(): Number of indices ({_count(index)}) should be equal to source.size(dim) ({given})", code="shape_mismatch"
        )
    return axis


def _copy_meta(input: Meta, dim: int, index: Meta, source: Meta) -> Meta:
    _check_copy(input, dim, index, source)
    return dense(input.shape, input.dtype)


@op(
    inplace=True,
    batch="vector",
    meta=_copy_meta,
    vjp=dict(
        input=lambda g, dim, index: ops.index_fill(g, dim, index, 0),
        source=lambda g, dim, index, source: _of_source(g, dim, index, source),
    ),
)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Array:
    """``input`` with the slices of ``source`` at the positions ``index`` along ``dim``."""
    axis = _check_copy(input, dim, index, source)
    out = np.array(input, order="C", ndmin=1)
    check_bounds(index, axis, out.shape[axis], prefix="index_copy_(): ", error=TensorIndexError)
    out[at_dim(axis, np.atleast_1d(index))] = np.atleast_1d(source)  # type: ignore[arg-type]
    return out.reshape(input.shape)


def _check_fill(input: Any, dim: int, index: Any) -> int:
    axis = wrap_dim(dim, len(input.shape))
    if index.dtype != LONG:
        raise TensorIndexError("index_fill_(): Expected dtype int64 for index.", code="dtype_mismatch")
    check_vector("Index has to be a vector/scalar", index, TensorRuntimeError)
    return axis


def _check_fill_number(input: Any, value: Scalar) -> None:
    if isinstance(value, complex) and input.dtype.kind != "c":
        raise TensorRuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported", code="dtype_mismatch")


def _fill_number_meta(input: Meta, dim: int, index: Meta, value: Scalar) -> Meta:
    _check_fill_number(input, value)
    _check_fill(input, dim, index)
    converted(value, input.dtype)
    return dense(input.shape, input.dtype)


def _filled(input: Array, axis: int, index: Array, value: Array) -> Array:
    out = np.array(input, order="C", ndmin=1)
    check_bounds(index, axis, out.shape[axis], low=-out.shape[axis], error=TensorIndexError)
    out[at_dim(axis, np.atleast_1d(index))] = value  # type: ignore[arg-type]
    return out.reshape(input.shape)


@op(
    "index_fill",
    overload="int_Scalar",
    inplace=True,
    batch="vector",
    meta=_fill_number_meta,
    vjp=dict(input=lambda g, dim, index: ops.index_fill(g, dim, index, 0)),
)
def index_fill_number(input: Tensor, dim: int, index: Tensor, value: Scalar) -> Array:
    """``input`` with ``value`` in the slices at the positions ``index`` along ``dim``."""
    _check_fill_number(input, value)
    return _filled(input, _check_fill(input, dim, index), index, converted(value, input.dtype))


def _check_fill_tensor(value: Any) -> None:
    if value.shape:
        raise TensorRuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {len(value.shape)} dimension(s).",
            code="shape_mismatch",
        )


def _fill_tensor_meta(input: Meta, dim: int, index: Meta, value: Meta) -> Meta:
    _check_fill_tensor(value)
    _check_fill(input, dim, index)
    return dense(input.shape, input.dtype)


@op(
    "index_fill",
    overload="int_Tensor",
    inplace=True,
    grad_fn="IndexFillBackward1",
    batch="vector",
    meta=_fill_tensor_meta,
    vjp=dict(
        input=lambda g, dim, index: ops.index_fill(g, dim, index, 0),
        # A position that is named twice was still filled once.
        value=lambda g, dim, index: ops.sum(g - ops.index_fill(g, dim, index, 0)),
    ),
)
def index_fill_tensor(input: Tensor, dim: int, index: Tensor, value: Tensor) -> Array:
    """``input`` with the one element of ``value`` in the slices at the positions ``index`` along ``dim``."""
    _check_fill_tensor(value)
    return _filled(input, _check_fill(input, dim, index), index, value)
