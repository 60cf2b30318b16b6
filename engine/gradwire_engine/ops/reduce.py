"""Sums and means over none, one or many dimensions, and what the other reductions share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, dtype_of
from ..errors import TensorNotImplementedError, TensorRuntimeError
from ..meta import Meta, Shape, dense, wrap_dims
from ..op import op, ops
from ..opmath import HALF, SINGLE
from ..params import Dims, Dtype, Tensor
from ..shapes import reduced_shape, sum_dtype


def restore(x: Any, meta: Any, dim: Any, keepdim: bool) -> Any:
    """Gives a reduction's result (or its cotangent) the reduced dimensions back, with size 1."""
    if keepdim or not meta.shape:
        return x
    return ops.reshape(x, reduced_shape(tuple(meta.shape), dim, True))


def spread(g: Any, meta: Any, dim: Any, keepdim: bool) -> Any:
    """Spreads the cotangent of a reduction over the dimensions that were reduced."""
    return ops.expand(restore(g, meta, dim, keepdim), tuple(meta.shape))


def reduced_count(shape: Shape, dim: Any) -> int:
    """How many elements each element of a reduction over ``dim`` comes from, to divide by: 1 where there are none."""
    return math.prod(shape[d] for d in wrap_dims(dim, len(shape))) or 1


def not_implemented(input: Any, kernel: str) -> TensorNotImplementedError:
    """torch's error for a dtype that an operation does not have.

    Args:
        input: The array or its meta.
        kernel: torch's name of the routine, which its message shows.
    """
    return TensorNotImplementedError(f"\"{kernel}\" not implemented for '{dtype_of(input.dtype).torch_name}'", code="dtype_not_implemented")


def as_dtype(x: Array, dtype: NumpyDType) -> Array:
    """``x`` in another dtype; a complex number loses its imaginary part where the dtype is real."""
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = x.real
    return x.astype(dtype, copy=False)


def total(x: Array, axis: Shape | None, keepdim: bool, dtype: NumpyDType) -> Any:
    """The sum in ``dtype``; half precision is accumulated in single precision, as torch does."""
    if x.dtype.kind in "fc" and x.dtype != dtype:
        x = as_dtype(x, dtype)
    if dtype == HALF:
        return np.sum(x, axis=axis, keepdims=keepdim, dtype=SINGLE).astype(HALF)
    return np.sum(x, axis=axis, keepdims=keepdim, dtype=dtype)


def running(function: np.ufunc, x: Array, axis: int, dtype: NumpyDType) -> Array:
    """The results of a function of two up to each element; half precision is accumulated in single precision, as torch does."""
    if dtype == HALF:
        return np.asarray(function.accumulate(x, axis=axis, dtype=SINGLE)).astype(HALF)
    return np.asarray(function.accumulate(x, axis=axis, dtype=dtype))


@op(
    "sum",
    overload="default",
    batch="total",
    meta=lambda input, dtype: dense((), sum_dtype(input.dtype, dtype)),
    vjp=dict(input=lambda g, input_meta: ops.expand(g, input_meta.shape)),
)
def sum_all(input: Tensor, *, dtype: Dtype | None = None) -> Any:
    """The sum of all elements; booleans and integers are summed in int64."""
    return total(input, None, False, sum_dtype(input.dtype, dtype))


@op(
    "sum",
    overload="dim_IntList",
    grad_fn="SumBackward1",
    meta=lambda input, dim, keepdim, dtype: dense(reduced_shape(input.shape, dim, keepdim), sum_dtype(input.dtype, dtype)),
    vjp=dict(input=lambda g, input_meta, dim, keepdim: spread(g, input_meta, dim, keepdim)),
)
def sum_dim(input: Tensor, dim: Dims | None, keepdim: bool = False, *, dtype: Dtype | None = None) -> Any:
    """The sum over the dimensions ``dim`` (all of them for ``None`` or an empty list)."""
    return total(input, wrap_dims(dim, input.ndim), keepdim, sum_dtype(input.dtype, dtype))


def _nansum_dtype(input: Any, dtype: NumpyDType | None) -> NumpyDType:
    if input.dtype.kind == "c":
        raise TensorRuntimeError("nansum on CPU does not support complex inputs", code="dtype_mismatch")
    return sum_dtype(input.dtype, dtype)


@op(
    meta=lambda input, dim, keepdim, dtype: dense(reduced_shape(input.shape, dim, keepdim), _nansum_dtype(input, dtype)),
    # A number is not NaN where it equals itself.
    vjp=dict(input=lambda g, input, dim, keepdim: restore(g, input, dim, keepdim) * (input == input)),
)
def nansum(input: Tensor, dim: Dims | None = None, keepdim: bool = False, *, dtype: Dtype | None = None) -> Any:
    """The sum over the dimensions ``dim``, in which NaN counts as zero."""
    wanted = _nansum_dtype(input, dtype)
    known = np.where(np.isnan(input), input.dtype.type(0), input) if input.dtype.kind == "f" else input
    return total(known, wrap_dims(dim, input.ndim), keepdim, wanted)


def mean_dtype(input: Any, dtype: NumpyDType | None) -> NumpyDType:
    """The dtype of a mean.

    Args:
        input: The array or its meta.
        dtype: The dtype that was asked for.

    Raises:
        TensorRuntimeError: It would be neither floating point nor complex (torch's message).
    """
    wanted: NumpyDType = input.dtype if dtype is None else dtype
    if wanted.kind not in "fc":
        which = "Input" if dtype is None else "Optional"
        raise TensorRuntimeError(
            f"mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
            f"Got: {dtype_of(wanted).torch_name}",
            code="dtype_mismatch",
        )
    return wanted


def average(x: Array, axis: Shape, keepdim: bool, dtype: NumpyDType) -> Any:
    """The mean in ``dtype``, NaN over no elements."""
    count = math.prod(x.shape[a] for a in axis)
    work = SINGLE if dtype == HALF else dtype
    # numpy.mean warns of empty slices in a way that floating point settings do not silence.
    return as_dtype(np.true_divide(total(x, axis, keepdim, work), work.type(count)), dtype)


@op(
    "mean",
    overload="default",
    batch="total",
    meta=lambda input, dtype: dense((), mean_dtype(input, dtype)),
    vjp=dict(input=lambda g, input_meta: spread(g / reduced_count(input_meta.shape, None), input_meta, None, False)),
)
def mean_all(input: Tensor, *, dtype: Dtype | None = None) -> Any:
    """The mean of all elements, NaN where there are none."""
    return average(input, tuple(range(input.ndim)), False, mean_dtype(input, dtype))


@op(
    "mean",
    overload="dim",
    grad_fn="MeanBackward1",
    meta=lambda input, dim, keepdim, dtype: dense(reduced_shape(input.shape, dim, keepdim), mean_dtype(input, dtype)),
    vjp=dict(input=lambda g, input_meta, dim, keepdim: spread(g / reduced_count(input_meta.shape, dim), input_meta, dim, keepdim)),
)
def mean_dim(input: Tensor, dim: Dims | None, keepdim: bool = False, *, dtype: Dtype | None = None) -> Any:
    """The mean over the dimensions ``dim`` (all of them for ``None`` or an empty list)."""
    return average(input, wrap_dims(dim, input.ndim), keepdim, mean_dtype(input, dtype))


def _trace_meta(input: Any) -> Meta:
    if len(input.shape) != 2:
        raise TensorRuntimeError(f"trace: expected a matrix, but got tensor with dim {len(input.shape)}", code="shape_mismatch")
    if input.dtype == bool:
        raise not_implemented(input, "trace")
    return dense((), sum_dtype(input.dtype))


def _trace_vjp(g: Any, input_meta: Meta) -> Any:
    return ops._diagonal_backward(ops.expand(g, (min(input_meta.shape),)), input_meta.shape, 0, 0, 1)


@op(meta=_trace_meta, vjp=dict(input=_trace_vjp))
def trace(input: Tensor) -> Any:
    """The sum of the main diagonal of a matrix."""
    dtype = _trace_meta(input).dtype
    return total(np.diagonal(input), None, False, dtype)
