"""The distinct elements of a tensor, of which there are as many as the values say."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..meta import Meta, dense, wrap_dim
from ..op import op, ops
from ..params import Tensor
from .reduce import not_implemented

_LONG = np.dtype(np.int64)


def _check(input: Any, kernel: str) -> None:
    if input.dtype.kind == "c":
        raise not_implemented(input, kernel)


def _bound(input: Meta) -> tuple[Meta, Meta, Meta]:
    _check(input, "unique")
    return dense((input.numel,), input.dtype), dense(input.shape, _LONG), dense((input.numel,), _LONG)


def _bound_along(input: Meta, dim: int) -> tuple[Meta, Meta, Meta]:
    axis = wrap_dim(dim, input.ndim)
    _check(input, "unique_dim")
    size = input.shape[axis] if input.shape else 1
    return dense(input.shape, input.dtype), dense((size,), _LONG), dense((size,), _LONG)


@op("_unique2", meta=_bound, outputs=("output", "inverse", "counts"), data_dependent=True, method=False)
def unique_of_all(input: Tensor) -> tuple[Array, Array, Array]:
    """The distinct elements in order, where each element of the input is among them, and how often each occurs."""
    _check(input, "unique")
    values, inverse, counts = np.unique(input, return_inverse=True, return_counts=True, equal_nan=False)
    return values, inverse.reshape(input.shape), counts


@op("_unique_dim", meta=_bound_along, outputs=("output", "inverse", "counts"), data_dependent=True, method=False)
def unique_along(input: Tensor, dim: int) -> tuple[Array, Array, Array]:
    """The distinct slices along ``dim`` in order, where each slice of the input is among them, and how often each occurs."""
    axis = wrap_dim(dim, input.ndim)
    _check(input, "unique_dim")
    if input.ndim == 0:
        one = np.ones(1, _LONG)
        return input, one - 1, one
    values, inverse, counts = np.unique(input, return_inverse=True, return_counts=True, axis=axis)
    return values, inverse.reshape(-1), counts


@op(composite=True, inplace=False, data_dependent=True)
def unique(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """The distinct elements (or slices along ``dim``) in order, whatever ``sorted`` says.

    With ``return_inverse`` also where each element of the input is among them, with ``return_counts`` how often each occurs.
    """
    values, inverse, counts = ops._unique2(input) if dim is None else ops._unique_dim(input, dim)
    results = (values, *([inverse] if return_inverse else []), *([counts] if return_counts else []))
    return results if len(results) > 1 else values
