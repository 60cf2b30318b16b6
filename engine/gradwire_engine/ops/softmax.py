"""Softmax, its logarithm, and the log-sum-exp behind both."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, default_dtype, dtype_of
from ..meta import Meta, Shape, dense, wrap_dim, wrap_dims
from ..op import op, ops
from ..opmath import HALF, SINGLE
from ..params import Dims, Dtype, Tensor
from ..shapes import reduced_shape
from .reduce import as_dtype, not_implemented, restore


def _working(input: Array) -> Array:
    return input.astype(SINGLE) if input.dtype == HALF else input


def _largest(input: Array, axis: Shape) -> Any:
    """The largest (real parts of) elements, by which exponents are shifted: 0 where that would give inf - inf."""
    largest = np.max(input.real, axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isinf(largest), largest.dtype.type(0), largest)


def _logsumexp_meta(input: Meta, dim: Any, keepdim: bool) -> Meta:
    dtype = input.dtype if input.dtype.kind in "fc" else default_dtype()
    return dense(reduced_shape(input.shape, dim, keepdim), dtype)


@op(
    promotion="float",
    meta=_logsumexp_meta,
    aliases=("special.logsumexp",),
    vjp=dict(
        input=lambda g, input, out, dim, keepdim: restore(g, input, dim, keepdim) * ops.exp(input - restore(out, input, dim, keepdim))
    ),
)
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Array:
    """The logarithm of the sum of exponentials over the dimensions ``dim``, without overflow."""
    axes = wrap_dims(dim, input.ndim)
    values = _working(input)
    largest = _largest(values, axes)
    result = np.log(np.sum(np.exp(values - largest), axis=axes, keepdims=keepdim)) + (largest if keepdim else np.squeeze(largest, axes))
    return as_dtype(result, input.dtype)


def _softmax_meta(kernel: str) -> Any:
    def rule(input: Any, dim: int) -> Meta:
        axis = wrap_dim(dim, len(input.shape))
        if input.dtype.kind != "f":
            raise not_implemented(input, f"{kernel}{'_lastdim' if axis >= len(input.shape) - 1 else ''}_kernel_impl")
        return dense(input.shape, input.dtype)

    return rule


_softmax_rule = _softmax_meta("softmax")
_log_softmax_rule = _softmax_meta("log_softmax")


def _softmax_vjp(g: Any, out: Any, dim: int) -> Any:
    weighted = g * out
    return weighted - out * ops.sum(weighted, dim, True)


@op("_softmax", grad_fn="SoftmaxBackward0", meta=_softmax_rule, vjp=dict(input=_softmax_vjp), method=False)
def softmax_kernel(input: Tensor, dim: int) -> Array:
    """Exponentials along ``dim``, divided by their sum: what ``softmax`` computes once the dtype is right."""
    _softmax_rule(input, dim)
    if input.size == 0:
        return input
    axis = dim if input.ndim else None
    values = _working(input)
    exponentials = np.exp(values - np.max(values, axis=axis, keepdims=True))
    exponentials /= np.sum(exponentials, axis=axis, keepdims=True)
    return as_dtype(exponentials, input.dtype)


@op(
    "_log_softmax",
    grad_fn="LogSoftmaxBackward0",
    meta=_log_softmax_rule,
    vjp=dict(input=lambda g, out, dim: g - ops.exp(out) * ops.sum(g, dim, True)),
    method=False,
)
def log_softmax_kernel(input: Tensor, dim: int) -> Array:
    """The logarithm of the softmax along ``dim``: what ``log_softmax`` computes once the dtype is right."""
    _log_softmax_rule(input, dim)
    if input.size == 0:
        return input
    axis = dim if input.ndim else None
    values = _working(input)
    shifted = values - np.max(values, axis=axis, keepdims=True)
    return as_dtype(shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True)), input.dtype)


def _converted(input: Any, dtype: NumpyDType | None) -> Any:
    return input if dtype is None else ops.to(input, dtype_of(dtype))


@op(composite=True, inplace=False, aliases=("nn.functional.softmax", "special.softmax"))
def softmax(input: Tensor, dim: int, dtype: Dtype | None = None) -> Any:
    """Exponentials along ``dim``, divided by their sum; the input is converted to ``dtype`` first."""
    return ops._softmax(_converted(input, dtype), dim)


@op(composite=True, inplace=False, aliases=("nn.functional.log_softmax", "special.log_softmax"))
def log_softmax(input: Tensor, dim: int, dtype: Dtype | None = None) -> Any:
    """The logarithm of the softmax along ``dim``, without underflow; the input is converted to ``dtype`` first."""
    return ops._log_softmax(_converted(input, dtype), dim)
