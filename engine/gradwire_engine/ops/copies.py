"""Copies and conversions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import as_array, row_major
from ..dtypes import Array, NumpyDType, dtype_of
from ..errors import TensorRuntimeError
from ..meta import Meta, dense, is_contiguous, meta_of_array
from ..op import op, ops
from ..params import Device, Dtype, Scalar, Tensor
from ..value import Value
from .supported import converted, duplicate, require_tensor


@op("clone", inplace=False, vjp=dict(input=lambda g: g))
def clone(input: Tensor) -> Array:
    """A copy, with history."""
    return duplicate(input)


def _meta_of(input: Any) -> Meta:
    return input._meta_of(input._data) if isinstance(input, Value) else meta_of_array(np.asarray(input))


@op(
    "_contiguous",
    grad_fn="CloneBackward0",
    meta=lambda input: dense(input.shape, input.dtype),
    vjp=dict(input=lambda g: g),
    batch="leading",
)
def row_major_copy(input: Tensor) -> Array:
    """A row-major copy."""
    return row_major(input)


@op(composite=True)
def contiguous(input: Tensor) -> Any:
    """The tensor itself if its elements lie in row-major order without gaps, otherwise a copy that does."""
    return input if is_contiguous(_meta_of(input)) else ops._contiguous(input)


@op(composite=True)
def detach(input: Tensor) -> Any:
    """The same data without history."""
    source: Any = input
    return source.detach() if isinstance(source, Value) else source


def cast(array: Any, dtype: NumpyDType) -> Array:
    """``array`` as ``dtype``; where a complex number becomes a real one the imaginary part is dropped."""
    if array.dtype.kind == "c" and dtype.kind not in "cb":
        array = array.real
    return as_array(array).astype(dtype)


@op("_to_copy", grad_fn="ToCopyBackward0", result="dtype", method=False, vjp=dict(input=lambda g: g))
def to_copy(input: Tensor, dtype: Dtype) -> Array:
    """A copy in another dtype."""
    return cast(input, dtype)


def _to(input: Any, dtype: NumpyDType, copy: bool) -> Any:
    if not copy and dtype_of(input.dtype).numpy == dtype:
        return input
    return ops._to_copy(input, dtype)


@op("to", overload="dtype", composite=True)
def to_dtype(input: Tensor, dtype: Dtype, non_blocking: bool = False, copy: bool = False) -> Any:
    """The tensor in another dtype; itself if it has that dtype and ``copy`` is false."""
    return _to(input, dtype, copy)


@op("to", overload="other", composite=True)
def to_other(input: Tensor, other: Tensor, non_blocking: bool = False, copy: bool = False) -> Any:
    """The tensor in the dtype of another one."""
    require_tensor("to", "other", 1, other)
    return _to(input, dtype_of(other.dtype).numpy, copy)


@op("to", overload="device", composite=True)
def to_device(
    input: Tensor, device: Device | None = None, dtype: Dtype | None = None, non_blocking: bool = False, copy: bool = False
) -> Any:
    """The tensor on a device, of which there is one, ``"cpu"``; perhaps in another dtype."""
    return _to(input, dtype or dtype_of(input.dtype).numpy, copy)


@op(composite=True)
def type_as(input: Tensor, other: Tensor) -> Any:
    """The tensor in the dtype of another one."""
    return ops.to(input, other)


def _declare_cast(name: str, dtype: str) -> None:
    def convert(input: Tensor) -> Any:
        return ops.to(input, dtype)

    convert.__doc__ = f"The tensor as ``{dtype}``; itself if it is that already."
    op(name, composite=True)(convert)


for _name, _dtype in {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "int": "int32",
    "long": "int64",
    "short": "int16",
    "char": "int8",
    "byte": "uint8",
    "bool": "bool",
    "cfloat": "complex64",
    "cdouble": "complex128",
}.items():
    _declare_cast(_name, _dtype)


def _zero(g: Any) -> Any:
    return ops.zeros_like(g)


@op(
    "copy",
    promoted=("input",),
    check=lambda input: require_tensor("copy", "input", 1, input),
    method=False,
    inplace=True,
    grad_fn="CopyBackwards",
    vjp=dict(input=_zero, other=lambda g: g),
)
def copy(input: Tensor, other: Tensor, non_blocking: bool = False) -> Array:
    """The elements of ``other`` in the dtype of ``input``, broadcast to its shape."""
    source = converted(other, input.dtype) if not hasattr(other, "dtype") else cast(other, input.dtype)
    return np.where(np.True_, source, input)


def _check_fill_number(input: Any, value: Scalar, dtype: NumpyDType) -> None:
    require_tensor("fill", "input", 1, input)
    converted(value, dtype)


@op(
    "fill",
    overload="Scalar",
    promoted=("input",),
    method=False,
    inplace=True,
    inplace_grad_fn="FillBackward2",
    check=_check_fill_number,
    vjp=dict(input=_zero),
)
def fill_scalar(input: Tensor, value: Scalar) -> Array:
    """A tensor like ``input`` with every element ``value``."""
    return np.full_like(input, converted(value, input.dtype))


def _check_fill(input: Any, value: Any) -> None:
    require_tensor("fill", "input", 1, input)
    if value.shape:
        raise TensorRuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {len(value.shape)} dimensions.", code="shape_mismatch"
        )


@op(
    "fill",
    overload="Tensor",
    promoted=("input",),
    method=False,
    inplace=True,
    grad_fn="FillBackward1",
    inplace_grad_fn="FillBackward3",
    check=_check_fill,
    batch="filled",
    vjp=dict(input=_zero, value=lambda g: g),
)
def fill_tensor(input: Tensor, value: Tensor) -> Array:
    """A tensor like ``input`` with every element ``value``, a tensor of one element."""
    return np.full_like(input, cast(value, input.dtype))


@op("zero", method=False, inplace=True, vjp=dict(input=_zero))
def zero(input: Tensor) -> Array:
    """A tensor like ``input`` with every element zero."""
    return np.zeros_like(duplicate(input))
