"""What is known of a tensor without its values: shape, dtype and strides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .dtypes import Array, NumpyDType
from .errors import LimitError, TensorIndexError, TensorRuntimeError

Shape = tuple[int, ...]

MAX_DIMENSIONS: Final = 64
"""The most dimensions that a tensor may have, which is NumPy's limit."""


@dataclass(slots=True)
class Meta:
    """Shape, dtype and strides of a tensor.

    Args:
        shape: Sizes.
        dtype: The element type.
        strides: Steps in elements (not bytes) along each dimension, as ``torch.Tensor.stride``.
    """

    shape: Shape
    dtype: NumpyDType
    strides: Shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def numel(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes that the tensor counts for: those of its elements or, where they are more, of the brackets of its nested list.

        Sizes of 0 and 1 make many lists of few elements.
        """
        return max(math.prod(self.shape) * self.dtype.itemsize, 2 * lists_in(self.shape))


def check_extent(shape: Sequence[int], itemsize: int) -> None:
    """Refuses shapes that no array can have, even an empty one or one that repeats its elements.

    Raises:
        LimitError: There are too many dimensions.
        TensorRuntimeError: The bytes cannot be counted in 64 bits; sizes of 0 count as 1 (torch's message).
    """
    if len(shape) > MAX_DIMENSIONS:
        raise LimitError(
            f"A tensor can have at most {MAX_DIMENSIONS} dimensions, but this one would have {len(shape)}.", code="too_many_dimensions"
        )
    if math.prod([s or 1 for s in shape]) * itemsize >= 1 << 63:
        raise TensorRuntimeError(f"Storage size calculation overflowed with sizes={list(shape)}", code="out_of_memory")


def lists_in(shape: Sequence[int]) -> int:
    """How many lists the nested list of a tensor of this shape has; below an empty one there are none."""
    lists, rows = 0, 1
    for size in shape:
        lists += rows
        rows *= size
    return lists


def contiguous_strides(shape: Sequence[int]) -> Shape:
    """Row-major strides in elements; sizes of 0 count as 1, as in torch."""
    strides = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * max(shape[i + 1], 1)
    return tuple(strides)


def dense(shape: Sequence[int], dtype: NumpyDType) -> Meta:
    """The meta of a freshly made row-major tensor."""
    return Meta(tuple(shape), dtype, contiguous_strides(shape))


def meta_of_array(array: Array) -> Meta:
    """The meta of an array."""
    if not array.size:
        # NumPy multiplies by the size 0 where torch counts it as 1; with no element the order in memory means nothing.
        return dense(array.shape, array.dtype)
    itemsize = array.itemsize
    return Meta(array.shape, array.dtype, tuple(s // itemsize for s in array.strides))


def is_contiguous(meta: Meta) -> bool:
    """Whether elements lie in row-major order without gaps; dimensions of size 1 do not matter."""
    expected = 1
    for size, stride in zip(reversed(meta.shape), reversed(meta.strides), strict=True):
        if size == 0:
            return True
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True


def is_without_gaps(meta: Meta) -> bool:
    """Whether elements fill a stretch of memory, in the row-major order or any other order of the dimensions."""
    expected = 1
    for stride, size in sorted((stride, size) for size, stride in zip(meta.shape, meta.strides, strict=True) if size != 1):
        if stride != expected:
            return False
        expected *= size
    return True


def ordered_like(shape: Shape, dtype: NumpyDType, operands: Sequence[Meta]) -> Meta:
    """The meta of an elementwise result, which keeps the memory order of its operands.

    The order is NumPy's ``order="K"``: dimensions are sorted by the strides of the operands, the first operand deciding.
    """
    ndim = len(shape)
    if ndim < 2:
        return dense(shape, dtype)
    rows: list[list[int]] = []
    for operand in operands:
        pad = ndim - len(operand.shape)
        sizes = (1,) * pad + operand.shape
        steps = (0,) * pad + operand.strides
        rows.append([0 if size == 1 else abs(step) for size, step in zip(sizes, steps, strict=True)])
    if all(is_contiguous(m) for m in operands):
        return dense(shape, dtype)
    # An insertion sort, because the comparison is not transitive where an operand is broadcast (stride 0).
    order = list(range(ndim))
    for i in range(ndim - 2, -1, -1):
        position = i
        for j in range(i + 1, ndim):
            verdict = _compare(rows, order[position], order[j])
            if verdict < 0:
                order[position], order[j] = order[j], order[position]
                position = j
            elif verdict > 0:
                break
    strides = [0] * ndim
    step = 1
    for axis in reversed(order):
        strides[axis] = step
        step *= max(shape[axis], 1)
    return Meta(tuple(shape), dtype, tuple(strides))


def _compare(rows: list[list[int]], outer: int, inner: int) -> int:
    """Whether ``outer`` rightly stands outside ``inner`` (1), should be inside it (-1), or no operand tells (0)."""
    verdict = 0
    for row in rows:
        a, b = row[outer], row[inner]
        if a == 0 or b == 0:
            continue
        if a >= b:
            return 1
        verdict = -1
    return verdict


def broadcast(*shapes: Shape) -> Shape:
    """The shape that all of ``shapes`` broadcast to.

    Raises:
        TensorRuntimeError: Two sizes differ and neither is 1 (torch's message).
    """
    ndim = max((len(s) for s in shapes), default=0)
    out = [1] * ndim
    for shape in shapes:
        offset = ndim - len(shape)
        for i, size in enumerate(shape):
            have = out[offset + i]
            if have == 1:
                out[offset + i] = size
            elif size != 1 and size != have:
                raise TensorRuntimeError(
                    f"The size of tensor a ({have}) must match the size of tensor b ({size}) at non-singleton dimension {offset + i}",
                    code="shape_mismatch",
                )
    return tuple(out)


def wrap_dim(dim: int, ndim: int) -> int:
    """``dim`` as a non-negative dimension; a zero-dimensional tensor counts as having one.

    Raises:
        TensorIndexError: ``dim`` is out of range (torch's message).
    """
    span = max(ndim, 1)
    if not -span <= dim < span:
        raise TensorIndexError(
            f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got {dim})", code="dim_out_of_range"
        )
    return dim + span if dim < 0 else dim


def wrap_dims(dims: int | Sequence[int] | None, ndim: int, *, empty_means_all: bool = True) -> Shape:
    """``dims`` as a tuple of distinct non-negative dimensions; ``None`` (and, by torch's habit, ``[]``) means all.

    Raises:
        TensorIndexError: A dimension is out of range.
        TensorRuntimeError: A dimension appears twice.
    """
    if dims is None or (empty_means_all and not isinstance(dims, int) and len(dims) == 0):
        return tuple(range(ndim))
    wrapped: list[int] = []
    for dim in (dims,) if isinstance(dims, int) else dims:
        axis = wrap_dim(dim, ndim)
        if axis in wrapped:
            raise TensorRuntimeError(f"dim {axis} appears multiple times in the list of dims", code="duplicate_dim")
        wrapped.append(axis)
    return tuple(d for d in wrapped if d < ndim)


def dummy(meta: Meta) -> Array:
    """An array with the shape and strides of ``meta`` and almost no memory: for view kernels, which never read it."""
    itemsize = meta.dtype.itemsize
    return np.lib.stride_tricks.as_strided(np.empty(1, meta.dtype), meta.shape, tuple(s * itemsize for s in meta.strides), writeable=False)
