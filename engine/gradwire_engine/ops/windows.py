"""Sliding windows over arrays: what convolution and pooling have in common.

Windows and the elements of a window are two sides of one grid, so either can be visited step by step: for each offset in the
kernel one strided slice of the padded array holds that element of every window, and for each window one holds all its elements.
Copying few large slices is faster than gathering many small ones, so whichever side is shorter is walked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType
from ..meta import Shape
from ..stopping import check
from ..work import product_work
from .matrix_product import product

_COLUMN_BYTES = 4 * 2**20
"""How large the columns of one part of a batch may grow: what stays in the cache is used again at once."""

_TILE_BYTES = 64 * 2**20
"""How large the columns of one sample may grow before they are made piece by piece."""

_COPIED = 100
"""How many multiply-adds take as long as to gather one element of the columns, or to add it to its place."""


def offsets(
    kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], out: Sequence[int]
) -> Iterator[tuple[Shape, tuple[Any, ...]]]:
    """Each offset in the kernel, with the index that picks that element of every window from the padded array.

    With ``kernel`` and ``out`` exchanged, and ``stride`` and ``dilation`` too, each window with the index of all its elements.
    """
    for offset in np.ndindex(*kernel):
        check()
        yield (
            offset,
            (
                ...,
                *[slice(o * d, o * d + (n - 1) * s + 1 if n else 0, s) for o, d, s, n in zip(offset, dilation, stride, out, strict=True)],
            ),
        )


def inside(padding: Sequence[tuple[int, int]], size: Sequence[int]) -> tuple[Any, ...]:
    """The index of what the last dimensions, of the sizes ``size``, were before they were padded."""
    return (..., *[slice(low, low + n) for n, (low, _) in zip(size, padding, strict=True)])


def padded(x: Array, padding: Sequence[tuple[int, int]], value: Any = 0) -> Array:
    """``x`` with its last dimensions padded before and after."""
    if not any(low or high for low, high in padding):
        return x
    lead = x.ndim - len(padding)
    out = np.full((*x.shape[:lead], *[n + low + high for n, (low, high) in zip(x.shape[lead:], padding, strict=True)]), value, x.dtype)
    out[inside(padding, x.shape[lead:])] = x
    return out


class Windows:
    """The windows of one convolution.

    Args:
        kernel: The spatial sizes of the filters.
        stride: The steps between windows.
        padding: Zeros before and after each spatial dimension.
        dilation: The steps between the elements of a window.
        groups: The number of groups that channels are divided into.
    """

    def __init__(self, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int) -> None:
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups

    def _columns(self, x: Array, out: Shape) -> Array:
        """The first windows of a padded array as a matrix for each sample and group: (N, groups, channels * kernel, positions)."""
        n, channels = x.shape[:2]
        # A dimension of one element is never stepped along, and its step may be too large to be written down.
        inner = [d * step if k > 1 else 0 for k, d, step in zip(self.kernel, self.dilation, x.strides[2:], strict=True)]
        outer = [s * step if size > 1 else 0 for size, s, step in zip(out, self.stride, x.strides[2:], strict=True)]
        shape = (n, channels, *self.kernel, *out)
        columns = np.empty(shape, x.dtype)
        columns[...] = np.lib.stride_tricks.as_strided(x, shape, (*x.strides[:2], *inner, *outer), writeable=False)
        return columns.reshape(n, self.groups, self._depth(channels), math.prod(out))

    def _depth(self, channels: int) -> int:
        return channels // self.groups * math.prod(self.kernel)

    def _sample_bytes(self, channels: int, out: Shape, itemsize: int) -> int:
        return channels * math.prod(self.kernel) * math.prod(out) * itemsize

    def _samples(self, channels: int, out: Shape, itemsize: int) -> int:
        """How many samples make one part of a batch."""
        return max(1, _COLUMN_BYTES // max(self._sample_bytes(channels, out, itemsize), 1))

    def _parts(self, x: Array, out: Shape) -> Iterator[slice]:
        step = self._samples(x.shape[1], out, x.itemsize)
        for start in range(0, len(x), step):
            yield slice(start, start + step)

    def _tiles(self, channels: int, out: Shape, itemsize: int) -> Iterator[tuple[Any, Any, Shape]]:
        """The windows in pieces: the index of the piece in the output, where it starts in the padded input, its sizes."""
        if not out:
            yield ..., ..., out
            return
        axis = out.index(max(out))
        row = self._sample_bytes(channels, out, itemsize) // max(out[axis], 1)
        step = out[axis] if row * out[axis] <= _TILE_BYTES else max(1, _TILE_BYTES // row)
        whole = [slice(None)] * (len(out) - axis - 1)
        for start in range(0, out[axis], step):
            size = min(step, out[axis] - start)
            yield (
                (..., slice(start, start + size), *whole),
                (..., slice(start * self.stride[axis], None), *whole),
                (*out[:axis], size, *out[axis + 1 :]),
            )

    def scratch(self, shape: Shape, outputs: int, out: Shape, itemsize: int) -> int:
        """The bytes of what is made on the way between an input of ``shape`` (N, C, ...) and an output of ``outputs`` channels.

        Args:
            shape: The shape on the side of the windows' elements.
            outputs: The channels on the side of the windows.
            out: The number of windows in each spatial dimension.
            itemsize: The size of an element.
        """
        n, channels, *size = shape
        held = min(n, self._samples(channels, out, itemsize))
        sample = self._sample_bytes(channels, out, itemsize)
        full = channels * math.prod(s + 2 * p for s, p in zip(size, self.padding, strict=True)) * itemsize
        # One row is never divided.
        tile = max(min(sample, _TILE_BYTES), sample // max(max(out, default=1), 1)) * held
        side = outputs * math.prod(out) * itemsize * held
        return full * (held if any(self.padding) else 0) + tile + side

    def work(self, shape: Shape, outputs: int, out: Shape, dtype: NumpyDType) -> int:
        """The work of any of the three maps between an input of ``shape`` (N, C, ...) and an output of ``outputs`` channels."""
        n, channels = shape[:2]
        gathered = n * channels * math.prod(self.kernel) * math.prod(out)
        return _COPIED * gathered + product_work(gathered, 1, outputs // self.groups, dtype)

    def correlate(self, x: Array, weight: Array, out: Shape) -> Array:
        """Slides the filters (O, C / groups, ...) over ``x`` (N, C, ...)."""
        outputs, channels = weight.shape[0], x.shape[1]
        result = np.empty((len(x), outputs, *out), x.dtype)
        filters = weight.reshape(self.groups, outputs // self.groups, self._depth(channels))
        for part in self._parts(x, out):
            full = padded(x[part], [(p, p) for p in self.padding])
            for place, start, size in self._tiles(channels, out, x.itemsize):
                check()
                made = product(filters, self._columns(full[start], size))
                result[part][place] = made.reshape(len(full), outputs, *size)
        return result

    def spread(self, g: Array, weight: Array, size: Shape) -> Array:
        """The transpose of ``correlate`` in ``x``, whose spatial sizes are ``size``."""
        n, outputs, *rest = g.shape
        out = tuple(rest)
        channels = weight.shape[1] * self.groups
        filters = weight.reshape(self.groups, outputs // self.groups, self._depth(channels)).swapaxes(1, 2)
        result = np.zeros((n, channels, *size), g.dtype)
        padding = [(p, p) for p in self.padding]
        every = (slice(None), slice(None))
        for part in self._parts(result, out):
            full = padded(result[part], padding)
            for place, start, tile in self._tiles(channels, out, g.itemsize):
                rows, region = g[part][place], full[start]
                rows = rows.reshape(len(rows), self.groups, outputs // self.groups, math.prod(tile))
                check()
                columns: Any = product(filters, rows).reshape(len(rows), channels, *self.kernel, *tile)
                if math.prod(self.kernel) <= math.prod(tile):
                    for offset, index in offsets(self.kernel, self.stride, self.dilation, tile):
                        region[index] += columns[(*every, *offset)]
                else:
                    for position, index in offsets(tile, self.dilation, self.stride, self.kernel):
                        region[index] += columns[(..., *position)]
            if any(self.padding):
                result[part] = full[inside(padding, size)]
        return result

    def weigh(self, g: Array, x: Array) -> Array:
        """The transpose of ``correlate`` in the filters."""
        outputs, *rest = g.shape[1:]
        out, channels = tuple(rest), x.shape[1]
        result = np.zeros((self.groups, outputs // self.groups, self._depth(channels)), x.dtype)
        for part in self._parts(x, out):
            full = padded(x[part], [(p, p) for p in self.padding])
            for place, start, size in self._tiles(channels, out, x.itemsize):
                columns, rows = self._columns(full[start], size), g[part][place]
                rows = rows.reshape(len(rows), self.groups, outputs // self.groups, math.prod(size))
                # A product for all samples at once would hold a result for each of them.
                for left, right in zip(rows, columns, strict=True):
                    check()
                    result += product(left, right.swapaxes(1, 2))
        return result.reshape(outputs, channels // self.groups, *self.kernel)
