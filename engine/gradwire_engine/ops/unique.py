"""The distinct elements of a tensor, of which there are as many as the values say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dtypes import Array
from ..meta import Meta, dense, wrap_dim
from ..op import op, ops
from ..params import Tensor
from ..stopping import check
from ..work import per_element
from .reduce import not_implemented

_LONG = np.dtype(np.int64)
_PART = 1 << 20
"""How many elements are compared at a time."""


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


@op("_unique2", meta=_bound, work=per_element(6_000), outputs=("output", "inverse", "counts"), data_dependent=True, method=False)
def unique_of_all(input: Tensor) -> tuple[Array, Array, Array]:
    """The distinct elements in order, where each element of the input is among them, and how often each occurs."""
    _check(input, "unique")
    values, inverse, counts = np.unique(input, return_inverse=True, return_counts=True, equal_nan=False)
    return values, inverse.reshape(input.shape), counts


@op(
    "_unique_dim",
    meta=_bound_along,
    scratch=lambda input: input.nbytes,
    work=per_element(8_000),
    outputs=("output", "inverse", "counts"),
    data_dependent=True,
    method=False,
)
def unique_along(input: Tensor, dim: int) -> tuple[Array, Array, Array]:
    """The distinct slices along ``dim`` in order, where each slice of the input is among them, and how often each occurs."""
    axis = wrap_dim(dim, input.ndim)
    _check(input, "unique_dim")
    if input.ndim == 0:
        one = np.ones(1, _LONG)
        return input, one - 1, one
    rows = np.moveaxis(input, axis, 0)
    order, starts = _grouped(rows.reshape(len(rows), math.prod(rows.shape[1:])))
    inverse = np.empty(len(rows), _LONG)
    inverse[order] = np.cumsum(starts) - 1
    places = np.flatnonzero(starts)
    return np.moveaxis(rows[order[places]], 0, axis), inverse, np.diff(places, append=len(rows))


def _grouped(rows: Array) -> tuple[Any, Array]:
    """The order of the rows of a matrix by their elements from left to right, and where in it a row differs from the one before."""
    keys = np.empty(rows.shape, f">u{rows.itemsize}")
    for part in _parts(rows):
        keys[part] = _sortable(rows[part])
    # Rows as plain bytes are compared as a whole, those of several numbers one number after the other.
    order = np.argsort(keys.view(f"S{keys[0].nbytes}")[:, 0], kind="stable") if keys.size else np.arange(len(rows))
    starts = np.ones(len(rows), bool)
    for part in _parts(rows[1:]):
        starts[1:][part] = (rows[order[1:][part]] != rows[order[:-1][part]]).any(axis=1)
    return order, starts


def _parts(rows: Array) -> Iterator[slice]:
    step = max(_PART // max(rows.shape[1], 1), 1)
    for start in range(0, len(rows), step):
        check()
        yield slice(start, start + step)


def _sortable(x: Array) -> Array:
    """Unsigned integers in the order of the elements of ``x``, the same for both zeros; NaN is larger than every number."""
    bits = np.dtype(f"u{x.itemsize}")
    if x.dtype.kind in "bu":
        return x.view(bits)
    top = bits.type(1 << (8 * x.itemsize - 1))
    if x.dtype.kind == "i":
        return x.view(bits) ^ top
    plain = np.where(np.isnan(x), x.dtype.type(np.nan), x + x.dtype.type(0))
    whole = plain.view(bits)
    return np.where(whole & top, ~whole, whole | top)


@op(composite=True, inplace=False, data_dependent=True)
def unique(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any:
    """The distinct elements (or slices along ``dim``) in order, whatever ``sorted`` says.

    With ``return_inverse`` also where each element of the input is among them, with ``return_counts`` how often each occurs.
    """
    values, inverse, counts = ops._unique2(input) if dim is None else ops._unique_dim(input, dim)
    results = (values, *([inverse] if return_inverse else []), *([counts] if return_counts else []))
    return results if len(results) > 1 else values
