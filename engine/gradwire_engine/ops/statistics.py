"""Variances and standard deviations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, to_real
from ..errors import TensorRuntimeError
from ..meta import Meta, Shape, dense, wrap_dims
from ..op import op, ops
from ..opmath import HALF, SINGLE
from ..params import Dims, Real, Tensor
from ..shapes import reduced_shape
from .reduce import as_dtype, average, reduced_count, restore, spread


def _check(input: Any, message: str) -> None:
    if input.dtype.kind not in "fc":
        raise TensorRuntimeError(message, code="dtype_mismatch")


_ONE = "std and var only support floating point and complex dtypes"


def _meta(input: Meta, dim: Any, keepdim: bool) -> Meta:
    _check(input, _ONE)
    return dense(reduced_shape(input.shape, dim, keepdim), to_real(input.dtype))


def _metas(message: str) -> Any:
    def rule(input: Meta, dim: Any, keepdim: bool) -> tuple[Meta, Meta]:
        _check(input, message)
        shape = reduced_shape(input.shape, dim, keepdim)
        return dense(shape, to_real(input.dtype)), dense(shape, input.dtype)

    return rule


def _moments(input: Array, dim: Any, correction: Any, keepdim: bool) -> tuple[Any, Any, NumpyDType]:
    """The variance and the mean in working precision, and the dtype of the variance."""
    axis: Shape = wrap_dims(dim, input.ndim)
    work = SINGLE if input.dtype == HALF else input.dtype
    mean = average(input, axis, True, work)
    deviation = as_dtype(input, work) - mean
    squares = deviation.real**2 + deviation.imag**2 if work.kind == "c" else deviation * deviation
    real = to_real(work)
    freedom = max(math.prod(input.shape[a] for a in axis) - (1 if correction is None else correction), 0)
    variance = np.true_divide(np.sum(squares, axis=axis, keepdims=keepdim, dtype=real), real.type(freedom))
    return variance, mean if keepdim else np.squeeze(mean, axis), to_real(input.dtype)


def _slope(g: Any, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """The gradient of the variance: 2 (x - mean) / (n - correction)."""
    freedom = reduced_count(tuple(input.shape), dim) - (1 if correction is None else correction)
    mean = ops.mean(input, dim, True)
    if (dim is None or not input.shape) and freedom <= 0:
        # The variance of everything is infinite or NaN here, and torch says the same of its slope; along dimensions it divides.
        return ops.masked_fill(spread(g * math.inf, input, dim, keepdim), input == mean, math.nan)
    scale = 2.0 / freedom if freedom else math.inf
    return restore(g, input, dim, keepdim) * scale * (input - mean)


def _std_slope(g: Any, input: Any, out: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    return _slope(ops.masked_fill(g / (out * 2), out == 0, 0), input, dim, correction, keepdim)


def _mean_slope(g: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    return spread(g / reduced_count(tuple(input.shape), dim), input, dim, keepdim)


# Each statistic is declared as torch overloads it: over dimensions with `unbiased`, with `correction`, and over everything with
# `unbiased`. The second computes; the others are written in terms of it.


@op("var", overload="dim", composite=True, inplace=False)
def var_dim(input: Tensor, dim: Dims | None, unbiased: bool = True, keepdim: bool = False) -> Any:
    """The variance over the dimensions ``dim``: divided by n - 1 if ``unbiased``, otherwise by n."""
    return var(input, dim, correction=int(unbiased), keepdim=keepdim)


@op(
    "var",
    overload="correction",
    meta=_meta,
    holomorphic=False,
    vjp=dict(input=lambda g, input, dim, correction, keepdim: _slope(g, input, dim, correction, keepdim)),
)
def var(input: Tensor, dim: Dims | None = None, *, correction: Real | None = None, keepdim: bool = False) -> Array:
    """The variance over the dimensions ``dim`` (all when left out), divided by n - ``correction`` (1 when left out)."""
    _check(input, _ONE)
    variance, _, dtype = _moments(input, dim, correction, keepdim)
    return as_dtype(variance, dtype)


@op("var", overload="default", composite=True, inplace=False)
def var_all(input: Tensor, unbiased: bool = True) -> Any:
    """The variance of all elements: divided by n - 1 if ``unbiased``, otherwise by n."""
    return var(input, correction=int(unbiased))


@op("std", overload="dim", composite=True, inplace=False)
def std_dim(input: Tensor, dim: Dims | None, unbiased: bool = True, keepdim: bool = False) -> Any:
    """The standard deviation over the dimensions ``dim``: with n - 1 if ``unbiased``, otherwise with n."""
    return std(input, dim, correction=int(unbiased), keepdim=keepdim)


@op(
    "std",
    overload="correction",
    meta=_meta,
    holomorphic=False,
    vjp=dict(input=lambda g, input, out, dim, correction, keepdim: _std_slope(g, input, out, dim, correction, keepdim)),
)
def std(input: Tensor, dim: Dims | None = None, *, correction: Real | None = None, keepdim: bool = False) -> Array:
    """The standard deviation over the dimensions ``dim`` (all when left out), with n - ``correction`` (1 when left out)."""
    _check(input, _ONE)
    variance, _, dtype = _moments(input, dim, correction, keepdim)
    return as_dtype(np.sqrt(variance), dtype)


@op("std", overload="default", composite=True, inplace=False)
def std_all(input: Tensor, unbiased: bool = True) -> Any:
    """The standard deviation of all elements: with n - 1 if ``unbiased``, otherwise with n."""
    return std(input, correction=int(unbiased))


_VAR_MEAN = "var_mean only support floating point and complex dtypes"


@op("var_mean", overload="dim", composite=True, method=False)
def var_mean_dim(input: Tensor, dim: Dims | None, unbiased: bool = True, keepdim: bool = False) -> Any:
    """The variance and the mean over the dimensions ``dim``."""
    return var_mean(input, dim, correction=int(unbiased), keepdim=keepdim)


@op(
    "var_mean",
    overload="correction",
    meta=_metas(_VAR_MEAN),
    outputs=("var", "mean"),
    plain_tuple=True,
    method=False,
    holomorphic=False,
    vjp=dict(
        input=lambda g, input, dim, correction, keepdim: (
            _slope(g[0], input, dim, correction, keepdim) + _mean_slope(g[1], input, dim, keepdim)
        )
    ),
)
def var_mean(input: Tensor, dim: Dims | None = None, *, correction: Real | None = None, keepdim: bool = False) -> tuple[Array, Array]:
    """The variance and the mean over the dimensions ``dim`` (all when left out)."""
    _check(input, _VAR_MEAN)
    variance, mean, dtype = _moments(input, dim, correction, keepdim)
    return as_dtype(variance, dtype), as_dtype(mean, input.dtype)


@op("var_mean", overload="default", composite=True, method=False)
def var_mean_all(input: Tensor, unbiased: bool = True) -> Any:
    """The variance and the mean of all elements."""
    return var_mean(input, correction=int(unbiased))


_STD_MEAN = "std_mean only support floating point and complex dtypes"


@op("std_mean", overload="dim", composite=True, method=False)
def std_mean_dim(input: Tensor, dim: Dims | None, unbiased: bool = True, keepdim: bool = False) -> Any:
    """The standard deviation and the mean over the dimensions ``dim``."""
    return std_mean(input, dim, correction=int(unbiased), keepdim=keepdim)


@op(
    "std_mean",
    overload="correction",
    meta=_metas(_STD_MEAN),
    outputs=("std", "mean"),
    plain_tuple=True,
    method=False,
    holomorphic=False,
    vjp=dict(
        input=lambda g, input, std, dim, correction, keepdim: (
            _std_slope(g[0], input, std, dim, correction, keepdim) + _mean_slope(g[1], input, dim, keepdim)
        )
    ),
)
def std_mean(input: Tensor, dim: Dims | None = None, *, correction: Real | None = None, keepdim: bool = False) -> tuple[Array, Array]:
    """The standard deviation and the mean over the dimensions ``dim`` (all when left out)."""
    _check(input, _STD_MEAN)
    variance, mean, dtype = _moments(input, dim, correction, keepdim)
    return as_dtype(np.sqrt(variance), dtype), as_dtype(mean, input.dtype)


@op("std_mean", overload="default", composite=True, method=False)
def std_mean_all(input: Tensor, unbiased: bool = True) -> Any:
    """The standard deviation and the mean of all elements."""
    return std_mean(input, correction=int(unbiased))
