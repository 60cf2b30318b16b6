"""Tensors made from sizes and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..creation import array_from
from ..dtypes import Array, NumpyDType, default_dtype, scalar_dtype
from ..errors import TensorRuntimeError
from ..meta import Meta, meta_of_array
from ..op import op
from ..params import Data, Device, Dtype, Scalar, Size, Tensor
from .making import made, may_require_grad, memory
from .supported import converted


def _sized(size: Size, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return made(size, default_dtype() if dtype is None else dtype, requires_grad)


def _zeros(size: Size, dtype: Dtype | None, requires_grad: bool) -> Meta:
    if any(s < 0 for s in size):
        raise TensorRuntimeError("zeros: Dimension size must be non-negative.", code="negative_size", pointer="/size")
    return _sized(size, dtype, requires_grad)


@op(creation=True, meta=_zeros)
def zeros(size: Size, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """Zeros in the shape ``size``."""
    return memory(_zeros(size, dtype, requires_grad), np.zeros)


@op(creation=True, meta=_sized)
def ones(size: Size, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """Ones in the shape ``size``."""
    return memory(_sized(size, dtype, requires_grad), np.ones)


@op(creation=True, meta=_sized)
def empty(size: Size, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """A tensor of the shape ``size`` whose elements do not matter; they are zeros, so that no old memory shows."""
    return memory(_sized(size, dtype, requires_grad), np.zeros)


def _full(size: Size, fill_value: Scalar, dtype: Dtype | None, requires_grad: bool) -> Meta:
    meta = made(size, scalar_dtype(fill_value) if dtype is None else dtype, requires_grad)
    converted(fill_value, meta.dtype)
    return meta


def _filled(meta: Meta, value: Scalar) -> Array:
    array = memory(meta, np.empty)
    array.fill(converted(value, meta.dtype))
    return array


@op(creation=True, meta=_full)
def full(size: Size, fill_value: Scalar, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """``fill_value`` in the shape ``size``; the dtype is the number's own when left out."""
    return _filled(_full(size, fill_value, dtype, requires_grad), fill_value)


def _scalar(s: Scalar, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return _full((), s, default_dtype() if dtype is None else dtype, requires_grad)


@op(creation=True, meta=_scalar)
def scalar_tensor(s: Scalar, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """A zero-dimensional tensor with the value ``s``; its dtype is the default one when left out."""
    return _filled(_scalar(s, dtype, requires_grad), s)


def _data(data: Data, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return may_require_grad(meta_of_array(array_from(data, dtype)), requires_grad)


@op(creation=True, meta=_data)
def tensor(data: Data, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """The numbers in ``data`` as a tensor: whole numbers have the dtype int64, others the default dtype."""
    array = array_from(data, dtype)
    may_require_grad(meta_of_array(array), requires_grad)
    return array


# In the shape of another tensor, with its dtype when none is given.


def _like(input: Any, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return made(input.shape, input.dtype if dtype is None else dtype, requires_grad)


@op(meta=_like, method=False, batch="constant")
def zeros_like(input: Tensor, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """Zeros in the shape of ``input``."""
    return memory(_like(input, dtype, requires_grad), np.zeros)


@op(meta=_like, method=False, batch="constant")
def ones_like(input: Tensor, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """Ones in the shape of ``input``."""
    return memory(_like(input, dtype, requires_grad), np.ones)


@op(meta=_like, method=False, batch="constant")
def empty_like(input: Tensor, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """A tensor in the shape of ``input`` whose elements do not matter; they are zeros, so that no old memory shows."""
    return memory(_like(input, dtype, requires_grad), np.zeros)


def _full_like(input: Any, fill_value: Scalar, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return _full(input.shape, fill_value, input.dtype if dtype is None else dtype, requires_grad)


@op(meta=_full_like, method=False, batch="constant")
def full_like(
    input: Tensor, fill_value: Scalar, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False
) -> Array:
    """``fill_value`` in the shape of ``input``."""
    return _filled(_full_like(input, fill_value, dtype, requires_grad), fill_value)


# Methods: with the dtype of a tensor when none is given.


def _new(input: Any, size: Size, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return made(size, input.dtype if dtype is None else dtype, requires_grad)


@op(meta=_new, batch="constant")
def new_zeros(input: Tensor, size: Size, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """Zeros in the shape ``size`` with the dtype of ``input``."""
    return memory(_new(input, size, dtype, requires_grad), np.zeros)


@op(meta=_new, batch="constant")
def new_ones(input: Tensor, size: Size, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """Ones in the shape ``size`` with the dtype of ``input``."""
    return memory(_new(input, size, dtype, requires_grad), np.ones)


@op(meta=_new, batch="constant")
def new_empty(input: Tensor, size: Size, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """A tensor of the shape ``size`` and the dtype of ``input`` whose elements do not matter; they are zeros."""
    return memory(_new(input, size, dtype, requires_grad), np.zeros)


def _new_full(input: Any, size: Size, fill_value: Scalar, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return _full(size, fill_value, input.dtype if dtype is None else dtype, requires_grad)


@op(meta=_new_full, batch="constant")
def new_full(
    input: Tensor, size: Size, fill_value: Scalar, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False
) -> Array:
    """``fill_value`` in the shape ``size`` with the dtype of ``input``."""
    return _filled(_new_full(input, size, fill_value, dtype, requires_grad), fill_value)


def _data_dtype(input: Any, dtype: Dtype | None) -> NumpyDType:
    found: NumpyDType = input.dtype if dtype is None else dtype
    return found


@op(meta=lambda input, data, dtype, requires_grad: _data(data, _data_dtype(input, dtype), requires_grad))
def new_tensor(
    input: Tensor, data: Data, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False
) -> Array:
    """The numbers in ``data`` as a tensor with the dtype of ``input``."""
    array = array_from(data, _data_dtype(input, dtype))
    may_require_grad(meta_of_array(array), requires_grad)
    return array
