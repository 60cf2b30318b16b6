"""Products of elements, and running products."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType
from ..meta import dense, wrap_dim
from ..op import op, ops
from ..opmath import HALF, SINGLE
from ..params import Dtype, Tensor
from ..shapes import reduced_shape, sum_dtype
from .recurrence import shifted
from .reduce import as_dtype, restore, running


def _product(input: Array, axis: int | None, keepdim: bool, dtype: NumpyDType) -> Any:
    if input.dtype.kind in "fc" and input.dtype != dtype:
        input = as_dtype(input, dtype)
    if dtype == HALF:
        return np.prod(input, axis=axis, keepdims=keepdim, dtype=SINGLE).astype(HALF)
    return np.prod(input, axis=axis, keepdims=keepdim, dtype=dtype)


def _others(input: Any, dim: int, dtype: NumpyDType | None) -> Any:
    """At each place the product of all the other elements along ``dim``: no division, so zeros are elements like others."""
    before = shifted(ops.cumprod(input, dim, dtype=dtype), dim, ops.ones_like)
    after = shifted(ops.cumprod(ops.flip(input, (dim,)), dim, dtype=dtype), dim, ops.ones_like)
    return before * ops.flip(after, (dim,))


# The result is named, though not needed, so that overwriting it before backward is refused as it is in torch.
def _prod_all_vjp(g: Any, input: Any, out: Any, dtype: NumpyDType | None) -> Any:
    flat = ops.reshape(input, (-1,))
    return g * ops.reshape(_others(flat, 0, dtype), tuple(input.shape))


def _prod_dim_vjp(g: Any, input: Any, out: Any, dim: int, keepdim: bool, dtype: NumpyDType | None) -> Any:
    if not input.shape:
        return g
    return restore(g, input, dim, keepdim) * _others(input, dim, dtype)


@op(
    "prod",
    overload="default",
    meta=lambda input, dtype: dense((), sum_dtype(input.dtype, dtype)),
    vjp=dict(input=_prod_all_vjp),
    batch="total",
)
def prod_all(input: Tensor, *, dtype: Dtype | None = None) -> Any:
    """The product of all elements; booleans and integers are multiplied in int64."""
    return _product(input, None, False, sum_dtype(input.dtype, dtype))


@op(
    "prod",
    overload="dim_int",
    grad_fn="ProdBackward1",
    meta=lambda input, dim, keepdim, dtype: dense(reduced_shape(input.shape, dim, keepdim), sum_dtype(input.dtype, dtype)),
    vjp=dict(input=_prod_dim_vjp),
)
def prod_dim(input: Tensor, dim: int, keepdim: bool = False, *, dtype: Dtype | None = None) -> Any:
    """The product over the dimension ``dim``."""
    axis = wrap_dim(dim, input.ndim) if input.ndim else wrap_dim(dim, 0) or None
    return _product(input, axis, keepdim, sum_dtype(input.dtype, dtype))


def _cumprod_vjp(g: Any, input: Any, out: Any, dim: int) -> Any:
    if not input.shape:
        return g
    # d out[i] / d x[k] = (product before k) * (product after k up to i); the sum over i >= k is a recurrence.
    return shifted(out, dim, ops.ones_like) * ops._linear_recurrence(g, input, dim, True)


def _cumprod_meta(input: Any, dim: int, dtype: NumpyDType | None) -> Any:
    wrap_dim(dim, len(input.shape))
    return dense(input.shape, sum_dtype(input.dtype, dtype))


@op(meta=_cumprod_meta, vjp=dict(input=_cumprod_vjp), inplace=True)
def cumprod(input: Tensor, dim: int, *, dtype: Dtype | None = None) -> Array:
    """The running product along ``dim``."""
    wanted = _cumprod_meta(input, dim, dtype).dtype
    values = as_dtype(input, wanted)
    return running(np.multiply, values, dim, wanted) if input.ndim else values
