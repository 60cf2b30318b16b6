"""Running sums, extrema and log-sum-exps along a dimension; running products are in ``products``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType
from ..errors import TensorIndexError
from ..meta import Meta, dense, wrap_dim
from ..op import op, ops
from ..params import Dtype, Tensor
from ..shapes import sum_dtype
from .recurrence import shifted
from .reduce import as_dtype, not_implemented, running

_LONG = np.dtype(np.int64)


def _cumsum_meta(input: Any, dim: int, dtype: NumpyDType | None) -> Meta:
    wrap_dim(dim, len(input.shape))
    return dense(input.shape, sum_dtype(input.dtype, dtype))


def _cumsum_vjp(g: Any, dim: int) -> Any:
    if not g.shape or g.shape[dim] <= 1:
        return g
    return ops.flip(ops.cumsum(ops.flip(g, (dim,)), dim), (dim,))


@op(meta=_cumsum_meta, vjp=dict(input=_cumsum_vjp), inplace=True)
def cumsum(input: Tensor, dim: int, *, dtype: Dtype | None = None) -> Array:
    """The running sum along ``dim``; booleans and integers are summed in int64."""
    wanted = _cumsum_meta(input, dim, dtype).dtype
    values = as_dtype(input, wanted)
    return running(np.add, values, dim, wanted) if input.ndim else values


def _check_extremum(name: str, input: Any, dim: int) -> None:
    if not input.shape and dim not in (-1, 0):
        raise TensorIndexError(f"{name}(): Expected reduction dim -1 or 0 for scalar but got {dim}", code="dim_out_of_range")
    wrap_dim(dim, len(input.shape))
    if input.dtype.kind == "c":
        raise not_implemented(input, f"{name}_cpu")


def _running_extremum(name: str, function: np.ufunc, input: Array, dim: int) -> tuple[Any, Any]:
    _check_extremum(name, input, dim)
    if input.ndim == 0:
        return input, np.zeros((), _LONG)
    values = function.accumulate(input, axis=dim)
    # The latest element that is at least as extreme as everything before it; NaN is more extreme than all.
    reached = (input == values) | (input != input)
    along = [1] * input.ndim
    along[dim] = -1
    places = np.where(reached, np.arange(input.shape[dim]).reshape(along), 0)
    return values, np.maximum.accumulate(places, axis=dim)


def _extremum_metas(name: str) -> Any:
    def rule(input: Meta, dim: int) -> tuple[Meta, Meta]:
        _check_extremum(name, input, dim)
        return dense(input.shape, input.dtype), dense(input.shape, _LONG)

    return rule


# The input is named although only its shape matters, because torch saves it too.
def _extremum_vjp(g: Any, input: Any, indices: Any, dim: int) -> Any:
    if not input.shape:
        return g[0]
    return ops.scatter_add(ops.zeros_like(input), dim, indices, g[0])


@op(meta=_extremum_metas("cummax"), outputs=("values", "indices"), vjp=dict(input=_extremum_vjp))
def cummax(input: Tensor, dim: int) -> tuple[Array, Array]:
    """The running maximum along ``dim``, and where each was found (the last of equals)."""
    return _running_extremum("cummax", np.maximum, input, dim)


@op(meta=_extremum_metas("cummin"), outputs=("values", "indices"), vjp=dict(input=_extremum_vjp))
def cummin(input: Tensor, dim: int) -> tuple[Array, Array]:
    """The running minimum along ``dim``, and where each was found (the last of equals)."""
    return _running_extremum("cummin", np.minimum, input, dim)


def _logcumsumexp_meta(input: Any, dim: int) -> Meta:
    wrap_dim(dim, len(input.shape))
    if input.dtype.kind not in "fc":
        raise not_implemented(input, "logcumsumexp_out_cpu")
    return dense(input.shape, input.dtype)


def _logcumsumexp_vjp(g: Any, input: Any, out: Any, dim: int) -> Any:
    if not input.shape:
        return g
    # grad[k] = sum of g[i] * exp(x[k] - out[i]) over i >= k. Only differences of neighbours are exponentiated.
    steps = ops.exp(shifted(out, dim, lambda first: first) - out)
    return ops.exp(input - out) * ops._linear_recurrence(g, steps, dim, True)


@op(meta=_logcumsumexp_meta, vjp=dict(input=_logcumsumexp_vjp))
def logcumsumexp(input: Tensor, dim: int) -> Any:
    """The logarithm of the running sum of exponentials along ``dim``, without overflow."""
    _logcumsumexp_meta(input, dim)
    if input.ndim == 0 or input.size == 0:
        return input
    if input.dtype.kind == "f":
        return running(np.logaddexp, input, dim, input.dtype)
    largest = np.max(input.real, axis=dim, keepdims=True)
    return np.log(np.cumsum(np.exp(input - largest), axis=dim)) + largest
