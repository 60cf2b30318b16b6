"""Sorting, and the elements that an order selects. Sorting is stable, and NaN is larger than every number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorRuntimeError
from ..meta import Meta, dense, wrap_dim
from ..op import op
from ..params import Tensor
from ..work import per_element
from .extrema import LONG, scattered


def order(input: Array, dim: int, descending: bool = False) -> Any:
    """The indices that sort ``input`` (of at least one dimension) along ``dim``; equal elements keep their order."""
    if not descending:
        return np.argsort(input, axis=dim, kind="stable")
    # Sorted the other way round from the other end: NaN comes first, and equal elements still keep their order.
    reverse = np.flip(np.argsort(np.flip(input, dim), axis=dim, kind="stable"), dim)
    return input.shape[dim] - 1 - reverse


def _check_sort(input: Any, dim: int) -> None:
    wrap_dim(dim, len(input.shape))
    if input.dtype.kind == "c":
        raise TensorRuntimeError(" Sort does not support complex dtypes on CPU", code="dtype_mismatch")


def _sort_metas(input: Meta, dim: int) -> tuple[Meta, Meta]:
    _check_sort(input, dim)
    return dense(input.shape, input.dtype), dense(input.shape, LONG)


def _sort(input: Array, dim: int, descending: bool) -> tuple[Array, Array]:
    _check_sort(input, dim)
    if input.ndim == 0:
        return input, np.zeros((), LONG)
    indices = order(input, dim, descending)
    return np.take_along_axis(input, indices, dim), indices


_SORT_VJP: dict[str | tuple[str, ...], Callable[..., Any]] = {
    "input": lambda g, indices, input_meta, dim: scattered(g[0], indices, input_meta, dim, True)
}


@op("sort", overload="default", meta=_sort_metas, outputs=("values", "indices"), vjp=_SORT_VJP)
def sort(input: Tensor, dim: int = -1, descending: bool = False) -> tuple[Array, Array]:
    """The elements sorted along ``dim``, and where each was."""
    return _sort(input, dim, descending)


@op("sort", overload="stable", grad_fn="SortBackward1", meta=_sort_metas, outputs=("values", "indices"), vjp=_SORT_VJP)
def sort_stable(input: Tensor, *, stable: bool | None, dim: int = -1, descending: bool = False) -> tuple[Array, Array]:
    """The elements sorted along ``dim``, and where each was; equal elements keep their order whatever ``stable`` says."""
    return _sort(input, dim, descending)


def _argsort_meta(input: Meta, dim: int) -> Meta:
    return _sort_metas(input, dim)[1]


@op(meta=_argsort_meta)
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Array:
    """The indices that sort the elements along ``dim``; equal elements keep their order whatever ``stable`` says."""
    return _sort(input, dim, descending)[1]


def _check_topk(input: Any, k: int, dim: int) -> None:
    axis = wrap_dim(dim, len(input.shape))
    if not 0 <= k <= (input.shape[axis] if input.shape else 1):
        raise TensorRuntimeError("selected index k out of range", code="index_out_of_range")
    if input.dtype.kind in "bc":
        kind = "bool" if input.dtype == bool else "complex"
        raise TensorRuntimeError(f"{' ' if kind == 'complex' else ''}topk does not support {kind} dtypes on CPU", code="dtype_mismatch")


def _topk_metas(input: Meta, k: int, dim: int) -> tuple[Meta, Meta]:
    _check_topk(input, k, dim)
    axis = wrap_dim(dim, input.ndim)
    shape = tuple(k if i == axis else size for i, size in enumerate(input.shape))
    return dense(shape, input.dtype), dense(shape, LONG)


@op(
    meta=_topk_metas,
    scratch=lambda input: 2 * LONG.itemsize * input.numel,
    work=per_element(4_000),
    outputs=("values", "indices"),
    vjp=dict(input=lambda g, indices, input_meta, dim: scattered(g[0], indices, input_meta, dim, True)),
)
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> tuple[Array, Array]:
    """The ``k`` largest (or smallest) elements along ``dim`` in order, and where they are."""
    _check_topk(input, k, dim)
    if input.ndim == 0:
        return input, np.zeros((), LONG)
    indices = np.take(order(input, dim, largest), range(k), axis=dim)
    return np.take_along_axis(input, indices, dim), indices
