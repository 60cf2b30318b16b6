"""Splitting a tensor into several views of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError
from ..meta import Shape, wrap_dim
from ..op import op, ops
from ..params import Dims, Size, Tensor
from .positions import LONG
from .slices import at_dim
from .views import check_count, check_has_dims


@op(view=True, outputs="list", vjp=dict(input=lambda g, dim: ops.stack(g, dim)))
def unbind(input: Tensor, dim: int = 0) -> list[Array]:
    """The slices along ``dim``, without that dimension."""
    check_has_dims(input, dim)
    axis = wrap_dim(dim, input.ndim)
    check_count(input.shape[axis])
    return [input[at_dim(axis, i)] for i in range(input.shape[axis])]


def _pieces(input: Array, sizes: Sequence[int], axis: int) -> list[Array]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(input[at_dim(axis, slice(start, start + size))])
        start += size
    return pieces


@op("split", overload="Tensor", view=True, outputs="list", vjp=dict(input=lambda g, dim: ops.cat(g, dim)))
def split_evenly(input: Tensor, split_size: int, dim: int = 0) -> list[Array]:
    """Pieces of ``split_size`` along ``dim``; the last may be smaller."""
    if not input.ndim:
        raise TensorRuntimeError("split expects at least a 1-dimensional tensor")
    if split_size < 0:
        raise TensorRuntimeError(f"split expects split_size be non-negative, but got split_size={split_size}")
    axis = wrap_dim(dim, input.ndim)
    size = input.shape[axis]
    if split_size == 0 and size:
        raise TensorRuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}")
    count = max(-(-size // split_size), 1) if split_size else 1
    check_count(count)
    return [input[at_dim(axis, slice(i * split_size, (i + 1) * split_size))] for i in range(count)]


def _split_sizes(input: Array, sizes: Shape, dim: int) -> list[Array]:
    if not input.ndim:
        raise TensorRuntimeError("split expects at least a 1-dimensional tensor")
    axis = wrap_dim(dim, input.ndim)
    check_count(len(sizes))
    if any(s < 0 for s in sizes):
        raise TensorRuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(sizes)}")
    if sum(sizes) != input.shape[axis]:
        raise TensorRuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {input.shape[axis]} (input tensor's size at dimension "
            f"{axis}), but got split_sizes={list(sizes)}"
        )
    return _pieces(input, sizes, axis)


@op("split", overload="sizes", view=True, outputs="list", grad_fn="SplitWithSizesBackward0", vjp=dict(input=lambda g, dim: ops.cat(g, dim)))
def split_by_sizes(input: Tensor, split_size: Dims, dim: int = 0) -> list[Array]:
    """Pieces of the given sizes along ``dim``."""
    assert isinstance(split_size, tuple)  # an int went to the other overload
    return _split_sizes(input, split_size, dim)


@op(view=True, outputs="list", vjp=dict(input=lambda g, dim: ops.cat(g, dim)))
def split_with_sizes(input: Tensor, split_sizes: Size, dim: int = 0) -> list[Array]:
    """Pieces of the given sizes along ``dim``."""
    return _split_sizes(input, split_sizes, dim)


@op(composite=True, outputs="list")
def chunk(input: Tensor, chunks: int, dim: int = 0) -> Any:
    """At most ``chunks`` pieces of equal size along ``dim``; the last may be smaller."""
    if not input.ndim:
        raise TensorRuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise TensorRuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = input.shape[wrap_dim(dim, input.ndim)]
    if size == 0:
        check_count(chunks)
        # Pieces of size 0 would all be one piece.
        return ops.split_with_sizes(input, (0,) * chunks, dim)
    return ops.split(input, -(-size // chunks), dim)


def _cuts(size: int, sections: int | Shape) -> list[tuple[int, int]]:
    """The (start, end) of each piece, as ``tensor_split`` cuts."""
    if isinstance(sections, tuple):
        check_count(len(sections))
        return list(zip((0, *sections), (*sections, size), strict=True))
    if sections <= 0:
        raise TensorRuntimeError(f"number of sections must be larger than 0, got {sections}")
    check_count(sections)
    small, larger = divmod(size, sections)
    starts = [i * small + min(i, larger) for i in range(sections + 1)]
    return list(pairwise(starts))


def _check_splittable(input: Any) -> None:
    if not input.ndim:
        raise TensorRuntimeError(f"tensor_split expected at least a 1-dimensional tensor, but got a tensor with {input.ndim} dims")


def _tensor_split(input: Any, sections: int | Shape, dim: int) -> tuple[Any, ...]:
    _check_splittable(input)
    axis = wrap_dim(dim, input.ndim)
    return tuple(ops._slice(input, axis, start, end) for start, end in _cuts(input.shape[axis], sections))


@op("tensor_split", overload="sections", composite=True, outputs="list")
def tensor_split_sections(input: Tensor, indices_or_sections: Dims, dim: int = 0) -> Any:
    """Pieces along ``dim``: a number of nearly equal ones, or those between the given positions."""
    return _tensor_split(input, indices_or_sections, dim)


@op("tensor_split", overload="tensor", composite=True, promotion="none", outputs="list", data_dependent=True)
def tensor_split_tensor(input: Tensor, tensor_indices_or_sections: Tensor, dim: int = 0) -> Any:
    """Pieces along ``dim``, where the number or the positions are in a tensor."""
    _check_splittable(input)
    dtype, ndim = dtype_of(tensor_indices_or_sections.dtype), tensor_indices_or_sections.ndim
    expected = "tensor_split expected tensor_indices_or_sections to"
    if dtype.numpy != LONG:
        raise TensorRuntimeError(f"{expected} have dtype of long, but got {dtype.torch_name}", code="dtype_mismatch")
    if ndim > 1:
        raise TensorRuntimeError(
            f"{expected} be a zero-dimensional or one-dimensional tensor, but got a tensor with {ndim} dims", code="shape_mismatch"
        )
    given = tensor_indices_or_sections.tolist()
    return _tensor_split(input, tuple(given) if isinstance(given, list) else given, dim)


def _named_split(name: str, input: Any, sections: Any, dim: int, least: int) -> Any:
    if input.ndim < least:
        raise TensorRuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {input.ndim} dimensions!"
        )
    if isinstance(sections, int) and (sections == 0 or input.shape[dim] % sections):
        raise TensorRuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {input.shape[dim]} is "
            f"not divisible by the split_size {sections}!"
        )
    return ops.tensor_split(input, sections, dim)


@op(composite=True, outputs="list")
def hsplit(input: Tensor, indices_or_sections: Dims) -> Any:
    """Splits along the second dimension (the only one of a vector)."""
    return _named_split("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, 1)


@op(composite=True, outputs="list")
def vsplit(input: Tensor, indices_or_sections: Dims) -> Any:
    """Splits along the first dimension."""
    return _named_split("vsplit", input, indices_or_sections, 0, 2)


@op(composite=True, outputs="list")
def dsplit(input: Tensor, indices_or_sections: Dims) -> Any:
    """Splits along the third dimension."""
    return _named_split("dsplit", input, indices_or_sections, 2, 3)
