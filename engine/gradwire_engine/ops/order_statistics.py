"""Medians, modes and k-th smallest elements. NaN is larger than every number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorRuntimeError
from ..meta import Meta, dense, wrap_dim
from ..op import op
from ..params import Tensor
from ..shapes import reduced_shape
from ..work import per_element
from .extrema import LONG, check_not_empty, scattered, shared_evenly, take
from .reduce import not_implemented
from .sorting import order

_OF_ALL_VJP: dict[str | tuple[str, ...], Callable[..., Any]] = {
    "input": lambda g, input, out, input_meta: shared_evenly(g, input, out, input_meta)
}
_ALONG_VJP: dict[str | tuple[str, ...], Callable[..., Any]] = {
    "input": lambda g, indices, input_meta, dim, keepdim: scattered(g[0], indices, input_meta, dim, keepdim)
}


def _check(name: str, input: Any, dim: int | None, refused: str = "bc") -> None:
    if dim is not None:
        check_not_empty(f"{name}()", input, dim)
    if input.dtype.kind in refused:
        raise not_implemented(input, f"{name}_cpu")


def _metas_along(name: str, refused: str = "bc") -> Callable[..., tuple[Meta, Meta]]:
    def rule(input: Meta, dim: int, keepdim: bool) -> tuple[Meta, Meta]:
        _check(name, input, dim, refused)
        shape = reduced_shape(input.shape, dim, keepdim)
        return dense(shape, input.dtype), dense(shape, LONG)

    return rule


def _select(input: Array, place: Callable[[Array, Array], Any], dim: int, keepdim: bool) -> tuple[Array, Array]:
    """Selects along ``dim`` what stands at ``place(in order, indices)`` of the sorted elements."""
    if input.ndim == 0:
        return input, np.zeros((), LONG)
    indices = order(input, dim)
    found = place(np.take_along_axis(input, indices, dim), indices)
    return take(input, np.take_along_axis(indices, found, dim), dim, keepdim)


def _check_kth(input: Any, k: int, dim: int) -> None:
    _check("kthvalue", input, dim)
    axis = wrap_dim(dim, len(input.shape))
    if not 1 <= k <= (input.shape[axis] if input.shape else 1):
        raise TensorRuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}", code="index_out_of_range")


def _kth_metas(input: Meta, k: int, dim: int, keepdim: bool) -> tuple[Meta, Meta]:
    _check_kth(input, k, dim)
    shape = reduced_shape(input.shape, dim, keepdim)
    return dense(shape, input.dtype), dense(shape, LONG)


def _sort_scratch(input: Meta) -> int:
    """The bytes of the places and the elements in order."""
    return input.nbytes + input.numel * LONG.itemsize


_sort_work = per_element(4_000)


@op(meta=_kth_metas, scratch=_sort_scratch, work=_sort_work, outputs=("values", "indices"), vjp=_ALONG_VJP)
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    """The ``k``-th smallest elements along ``dim`` (counted from 1), and where they are."""
    _check_kth(input, k, dim)
    return _select(input, lambda values, indices: _constant(k - 1, values, dim), dim, keepdim)


def _constant(place: int, like: Array, dim: int) -> Array:
    return np.full_like(np.take(like, [0], axis=dim), place, dtype=LONG)


def _middle(values: Array, dim: int, skip_nan: bool) -> Array:
    """The place of the lower median among sorted values: the first NaN if there is one, unless NaN is skipped."""
    known = np.sum(values == values, axis=dim, keepdims=True, dtype=LONG)
    size = values.shape[dim]
    if skip_nan:
        return np.maximum((known - 1) // 2, 0)
    return np.where(known == size, (size - 1) // 2, known)


def _median_of_all(input: Array, skip_nan: bool) -> Any:
    if input.size == 0:
        return np.array(np.nan if input.dtype.kind == "f" else np.iinfo(input.dtype).min, input.dtype)
    values = np.sort(input, axis=None)
    return values[_middle(values, 0, skip_nan)[0]]


def _meta_of_all(input: Meta) -> Meta:
    _check("median", input, None)
    return dense((), input.dtype)


@op("median", overload="default", meta=_meta_of_all, work=_sort_work, vjp=_OF_ALL_VJP)
def median(input: Tensor) -> Any:
    """The median of all elements, the lower of two; NaN if any element is."""
    _check("median", input, None)
    return _median_of_all(input, False)


@op(
    "median",
    overload="dim",
    grad_fn="MedianBackward1",
    meta=_metas_along("median"),
    scratch=_sort_scratch,
    work=_sort_work,
    outputs=("values", "indices"),
    vjp=_ALONG_VJP,
)
def median_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    """The medians along ``dim``, the lower of two, and where they are; NaN where any element is."""
    _check("median", input, dim)
    return _select(input, lambda values, indices: _middle(values, dim, False), dim, keepdim)


@op("nanmedian", overload="default", meta=_meta_of_all, work=_sort_work, vjp=_OF_ALL_VJP)
def nanmedian(input: Tensor) -> Any:
    """The median of all elements that are not NaN, the lower of two."""
    _check("median", input, None)
    return _median_of_all(input, True)


@op(
    "nanmedian",
    overload="dim",
    grad_fn="NanmedianBackward1",
    meta=_metas_along("median"),
    scratch=_sort_scratch,
    work=_sort_work,
    outputs=("values", "indices"),
    vjp=_ALONG_VJP,
)
def nanmedian_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    """The medians along ``dim`` of what is not NaN, the lower of two, and where they are."""
    _check("median", input, dim)
    return _select(input, lambda values, indices: _middle(values, dim, True), dim, keepdim)


def _most_frequent(values: Array, dim: int) -> Any:
    """The place among sorted values where the longest run of equal ones ends; the first such run."""
    along = [1] * values.ndim
    along[dim] = -1
    places = np.arange(values.shape[dim]).reshape(along)
    first = np.take(values, [0], axis=dim)
    before = np.concatenate([first, np.take(values, range(values.shape[dim] - 1), axis=dim)], axis=dim)
    starts = np.maximum.accumulate(np.where(values != before, places, 0), axis=dim)
    return np.argmax(places - starts, axis=dim, keepdims=True)


@op(
    meta=_metas_along("mode", "c"),
    scratch=lambda input: 3 * _sort_scratch(input),
    work=_sort_work,
    outputs=("values", "indices"),
    vjp=_ALONG_VJP,
)
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    """The most frequent elements along ``dim`` (the smallest of several), and where each stands last."""
    _check("mode", input, dim, "c")
    return _select(input, lambda values, indices: _most_frequent(values, dim), dim, keepdim)
