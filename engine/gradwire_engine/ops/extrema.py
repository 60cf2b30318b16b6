"""Largest and smallest elements, and where they are. NaN is larger, and smaller, than every number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorIndexError, TensorRuntimeError
from ..meta import Meta, dense, wrap_dim, wrap_dims
from ..op import op, ops
from ..params import Dims, Tensor
from ..shapes import reduced_shape
from .reduce import not_implemented, restore

LONG = np.dtype(np.int64)


def check_not_empty(name: str, input: Any, dim: int) -> None:
    """Refuses to reduce over a dimension of size 0 an operation that has no value there.

    Raises:
        TensorIndexError: ``dim`` is out of range, or has size 0 (torch's messages).
    """
    axis = wrap_dim(dim, len(input.shape))
    if input.shape and input.shape[axis] == 0:
        raise TensorIndexError(f"{name}: Expected reduction dim {axis} to have non-zero size.", code="empty_reduction")


def _check_all(name: str, input: Any, kernel: str) -> None:
    if 0 in input.shape:
        raise TensorRuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.",
            code="empty_reduction",
        )
    if input.dtype.kind == "c":
        raise not_implemented(input, kernel)


def _check_dims(name: str, input: Any, dim: Any, kernel: str) -> None:
    axes = wrap_dims(dim, len(input.shape))
    if dim is None or dim == ():
        _check_all(name, input, kernel)
    for given, axis in zip((dim,) if isinstance(dim, int) else dim or (), axes, strict=False):
        if input.shape[axis] == 0:
            raise TensorIndexError(f"{name}(): Expected reduction dim {given} to have non-zero size.", code="empty_reduction")
    if input.dtype.kind == "c":
        raise not_implemented(input, kernel)


def scattered(g: Any, indices: Any, meta: Any, dim: int, keepdim: bool) -> Any:
    """The gradient of an operation that selects elements along ``dim``: what arrived, at the places of the elements.

    Args:
        g: The cotangent of the selected elements.
        indices: Where each was along ``dim``.
        meta: Of the tensor that was selected from.
        dim: The dimension.
        keepdim: Whether ``g`` and ``indices`` still have the dimension.
    """
    if not meta.shape:
        return g
    if not keepdim:
        g, indices = ops.unsqueeze(g, dim), ops.unsqueeze(indices, dim)
    return ops.scatter(ops.new_zeros(g, tuple(meta.shape)), dim, indices, g)


def shared_evenly(g: Any, input: Any, out: Any, meta: Meta) -> Any:
    """The gradient of one element chosen from all: every element equal to it has the same share."""
    # NaN is equal to NaN here: x != x tells it.
    chosen = (input == out) | ((input != input) & (out != out))
    return g / ops.sum(chosen, dtype=meta.dtype) * chosen


def _shared_at_ties(g: Any, input: Any, out: Any, meta: Meta, dim: Any, keepdim: bool) -> Any:
    chosen = restore(out, meta, dim, keepdim) == input
    return restore(g, meta, dim, keepdim) / ops.sum(chosen, dim, True, dtype=meta.dtype) * chosen


_OF_ALL_VJP: dict[str | tuple[str, ...], Callable[..., Any]] = {
    "input": lambda g, input, out, input_meta: shared_evenly(g, input, out, input_meta)
}
_AT_TIES_VJP: dict[str | tuple[str, ...], Callable[..., Any]] = {
    "input": lambda g, input, out, input_meta, dim, keepdim: _shared_at_ties(g, input, out, input_meta, dim, keepdim)
}
_ALONG_VJP: dict[str | tuple[str, ...], Callable[..., Any]] = {
    "input": lambda g, indices, input_meta, dim, keepdim: scattered(g[0], indices, input_meta, dim, keepdim)
}


def _meta_over(name: str, kernel: str) -> Callable[..., Meta]:
    def rule(input: Meta, dim: Any, keepdim: bool) -> Meta:
        _check_dims(name, input, dim, kernel)
        return dense(reduced_shape(input.shape, dim, keepdim), input.dtype)

    return rule


@op(meta=_meta_over("amax", "max_values_cpu"), vjp=_AT_TIES_VJP)
def amax(input: Tensor, dim: Dims | None = (), keepdim: bool = False) -> Any:
    """The largest elements over the dimensions ``dim`` (all of them when empty); ties share the gradient evenly."""
    _check_dims("amax", input, dim, "max_values_cpu")
    return np.max(input, axis=wrap_dims(dim, input.ndim), keepdims=keepdim)


@op(meta=_meta_over("amin", "min_values_cpu"), vjp=_AT_TIES_VJP)
def amin(input: Tensor, dim: Dims | None = (), keepdim: bool = False) -> Any:
    """The smallest elements over the dimensions ``dim`` (all of them when empty); ties share the gradient evenly."""
    _check_dims("amin", input, dim, "min_values_cpu")
    return np.min(input, axis=wrap_dims(dim, input.ndim), keepdims=keepdim)


def _meta_of_all(name: str) -> Callable[..., Meta]:
    def rule(input: Meta) -> Meta:
        _check_all(name, input, f"{name}_all")
        return dense((), input.dtype)

    return rule


def _check_selection(name: str, input: Any, dim: int) -> None:
    check_not_empty(f"{name}()", input, dim)
    if input.dtype.kind == "c":
        raise TensorRuntimeError(f"{name}(): does not support complex input", code="dtype_mismatch")


def _metas_along(name: str) -> Callable[..., tuple[Meta, Meta]]:
    def rule(input: Meta, dim: int, keepdim: bool) -> tuple[Meta, Meta]:
        _check_selection(name, input, dim)
        shape = reduced_shape(input.shape, dim, keepdim)
        return dense(shape, input.dtype), dense(shape, LONG)

    return rule


def take(input: Array, places: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    """The elements at ``places`` (of size 1 along ``dim``), and the places, both with ``dim`` kept or not."""
    values = np.take_along_axis(input, places, dim)
    return (values, places) if keepdim else (values.squeeze(dim), places.squeeze(dim))


def _along(name: str, find: Callable[..., Any], input: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    _check_selection(name, input, dim)
    if input.ndim == 0:
        return input, np.zeros((), LONG)
    return take(input, find(input, axis=dim, keepdims=True), dim, keepdim)


@op("max", overload="default", grad_fn="MaxBackward1", meta=_meta_of_all("max"), vjp=_OF_ALL_VJP)
def max_all(input: Tensor) -> Any:
    """The largest element; ties share the gradient evenly."""
    _check_all("max", input, "max_all")
    return np.max(input)


@op("max", overload="dim", meta=_metas_along("max"), outputs=("values", "indices"), vjp=_ALONG_VJP)
def max_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    """The largest elements along ``dim``, and where they are (the first of equals)."""
    return _along("max", np.argmax, input, dim, keepdim)


@op("max", overload="other", composite=True, inplace=False)
def max_other(input: Tensor, other: Tensor) -> Any:
    """The larger of two elements: ``maximum``."""
    return ops.maximum(input, other)


@op("min", overload="default", grad_fn="MinBackward1", meta=_meta_of_all("min"), vjp=_OF_ALL_VJP)
def min_all(input: Tensor) -> Any:
    """The smallest element; ties share the gradient evenly."""
    _check_all("min", input, "min_all")
    return np.min(input)


@op("min", overload="dim", meta=_metas_along("min"), outputs=("values", "indices"), vjp=_ALONG_VJP)
def min_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    """The smallest elements along ``dim``, and where they are (the first of equals)."""
    return _along("min", np.argmin, input, dim, keepdim)


@op("min", overload="other", composite=True, inplace=False)
def min_other(input: Tensor, other: Tensor) -> Any:
    """The smaller of two elements: ``minimum``."""
    return ops.minimum(input, other)


def _check_aminmax(input: Any, dim: int | None) -> None:
    if dim is not None:
        check_not_empty("aminmax", input, dim)
    elif 0 in input.shape:
        raise TensorRuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.", code="empty_reduction"
        )
    if input.dtype.kind == "c":
        raise not_implemented(input, "aminmax_cpu")


def _aminmax_metas(input: Meta, dim: int | None, keepdim: bool) -> tuple[Meta, Meta]:
    _check_aminmax(input, dim)
    meta = dense(reduced_shape(input.shape, dim, keepdim), input.dtype)
    return meta, meta


@op(
    meta=_aminmax_metas,
    outputs=("min", "max"),
    vjp=dict(
        input=lambda g, input, min, max, input_meta, dim, keepdim: (
            _shared_at_ties(g[0], input, min, input_meta, dim, keepdim) + _shared_at_ties(g[1], input, max, input_meta, dim, keepdim)
        )
    ),
)
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Array, Array]:
    """The smallest and the largest elements along ``dim``, or of all; ties share the gradient evenly."""
    _check_aminmax(input, dim)
    axes = wrap_dims(dim, input.ndim)
    return np.min(input, axis=axes, keepdims=keepdim), np.max(input, axis=axes, keepdims=keepdim)


def _check_place(name: str, input: Any, dim: int | None) -> None:
    if dim is not None:
        check_not_empty(f"{name}()", input, dim)
    elif 0 in input.shape:
        raise TensorIndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.", code="empty_reduction")
    if input.dtype.kind in "bc":
        raise TensorRuntimeError(f"{name}(): does not support {'bool' if input.dtype == bool else 'complex'} input", code="dtype_mismatch")


def _meta_of_place(name: str) -> Callable[..., Meta]:
    def rule(input: Meta, dim: int | None, keepdim: bool) -> Meta:
        _check_place(name, input, dim)
        return dense(reduced_shape(input.shape, dim, keepdim), LONG)

    return rule


def _place(name: str, find: Callable[..., Any], input: Array, dim: int | None, keepdim: bool) -> Any:
    _check_place(name, input, dim)
    return find(input, axis=dim if input.ndim else None, keepdims=keepdim)


@op(meta=_meta_of_place("argmax"))
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Where the largest elements are along ``dim``, or in the flattened tensor; the first of equals."""
    return _place("argmax", np.argmax, input, dim, keepdim)


@op(meta=_meta_of_place("argmin"))
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Where the smallest elements are along ``dim``, or in the flattened tensor; the first of equals."""
    return _place("argmin", np.argmin, input, dim, keepdim)
