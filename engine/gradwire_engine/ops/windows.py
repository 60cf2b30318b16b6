"""Sliding windows over arrays: what convolution and pooling have in common.

A window's elements are visited one offset at a time: for each offset in the kernel one strided slice of the padded array holds
that element of every window. Copying few large slices is faster than gathering many small windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..meta import Shape

_COLUMN_BYTES = 4 * 2**20
"""How large the columns of one part of a batch may grow: what stays in the cache is used again at once."""


def offsets(
    kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], out: Sequence[int]
) -> Iterator[tuple[Shape, tuple[Any, ...]]]:
    """Each offset in the kernel, with the index that picks that element of every window from the padded array."""
    for offset in np.ndindex(*kernel):
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
        """The windows as a matrix for each sample and group: (N, groups, channels * kernel, positions)."""
        x = padded(x, [(p, p) for p in self.padding])
        n, channels = x.shape[:2]
        columns = np.empty((n, channels, *self.kernel, *out), x.dtype)
        for offset, index in offsets(self.kernel, self.stride, self.dilation, out):
            place: Any = (slice(None), slice(None), *offset)
            columns[place] = x[index]
        return columns.reshape(n, self.groups, -1 if columns.size else self._depth(channels), int(np.prod(out)))

    def _depth(self, channels: int) -> int:
        return channels // self.groups * int(np.prod(self.kernel))

    def _parts(self, x: Array, out: Shape) -> Iterator[slice]:
        each = x.shape[1] * int(np.prod(self.kernel)) * int(np.prod(out)) * x.itemsize
        step = max(1, _COLUMN_BYTES // max(each, 1))
        for start in range(0, len(x), step):
            yield slice(start, start + step)

    def correlate(self, x: Array, weight: Array, out: Shape) -> Array:
        """Slides the filters (O, C / groups, ...) over ``x`` (N, C, ...)."""
        result = np.empty((len(x), self.groups, weight.shape[0] // self.groups, int(np.prod(out))), x.dtype)
        filters = weight.reshape(self.groups, weight.shape[0] // self.groups, self._depth(x.shape[1]))
        for part in self._parts(x, out):
            np.matmul(filters, self._columns(x[part], out), out=result[part])
        return result.reshape(len(x), weight.shape[0], *out)

    def spread(self, g: Array, weight: Array, size: Shape) -> Array:
        """The transpose of ``correlate`` in ``x``, whose spatial sizes are ``size``."""
        n, out = len(g), g.shape[2:]
        filters = weight.reshape(
            self.groups, weight.shape[0] // self.groups, -1 if weight.size else self._depth(weight.shape[1] * self.groups)
        )
        channels = weight.shape[1] * self.groups
        full = np.zeros((n, channels, *[s + 2 * p for s, p in zip(size, self.padding, strict=True)]), g.dtype)
        rows = g.reshape(n, self.groups, weight.shape[0] // self.groups, int(np.prod(out)))
        for part in self._parts(full, out):
            columns = np.matmul(filters.swapaxes(1, 2), rows[part]).reshape(-1 if n else 0, channels, *self.kernel, *out)
            region = full[part]
            for offset, index in offsets(self.kernel, self.stride, self.dilation, out):
                place: Any = (slice(None), slice(None), *offset)
                region[index] += columns[place]
        return full[inside([(p, p) for p in self.padding], size)]

    def weigh(self, g: Array, x: Array) -> Array:
        """The transpose of ``correlate`` in the filters."""
        n, outputs, *out = g.shape
        rows = g.reshape(n, self.groups, outputs // self.groups, int(np.prod(out)))
        result = np.zeros((self.groups, outputs // self.groups, self._depth(x.shape[1])), x.dtype)
        for part in self._parts(x, tuple(out)):
            result += np.matmul(rows[part], self._columns(x[part], tuple(out)).swapaxes(2, 3)).sum(0)
        return result.reshape(outputs, x.shape[1] // self.groups, *self.kernel)
