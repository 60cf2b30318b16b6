"""Reductions that ask which elements are not zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..meta import Meta, Shape, dense, wrap_dims
from ..op import op
from ..params import Dims, Tensor
from ..shapes import reduced_shape

_BYTE = np.dtype(np.uint8)
_BOOL = np.dtype(bool)
_LONG = np.dtype(np.int64)


def _axes(input: Any, dim: Any) -> Shape:
    # Unlike the other reductions, these take an empty list of dimensions at its word.
    return wrap_dims(dim, len(input.shape), empty_means_all=False)


def _meta(input: Meta, dim: Any, keepdim: bool) -> Meta:
    axes = _axes(input, dim)
    shape = tuple(1 if i in axes else size for i, size in enumerate(input.shape) if keepdim or i not in axes)
    # uint8 was torch's boolean once, and keeps its dtype here.
    return dense(shape, _BYTE if input.dtype == _BYTE else _BOOL)


@op("all", meta=_meta, batch="literal")
def all_(input: Tensor, dim: Dims | None = None, keepdim: bool = False) -> Any:
    """Whether all elements along the dimensions ``dim`` are different from zero."""
    found = np.all(input, axis=_axes(input, dim), keepdims=keepdim)
    return found.astype(_BYTE) if input.dtype == _BYTE else found


@op("any", meta=_meta, batch="literal")
def any_(input: Tensor, dim: Dims | None = None, keepdim: bool = False) -> Any:
    """Whether any element along the dimensions ``dim`` is different from zero."""
    found = np.any(input, axis=_axes(input, dim), keepdims=keepdim)
    return found.astype(_BYTE) if input.dtype == _BYTE else found


@op(meta=lambda input, dim: dense(reduced_shape(input.shape, dim, False), _LONG))
def count_nonzero(input: Tensor, dim: Dims | None = None) -> Any:
    """How many elements along the dimensions ``dim`` are different from zero."""
    return np.sum(input != 0, axis=wrap_dims(dim, input.ndim), dtype=_LONG)
