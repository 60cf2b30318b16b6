"""Pooling over windows of the last two dimensions, and by the largest element of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorIndexError, TensorRuntimeError
from ..meta import Meta, Shape, dense
from ..op import op, ops
from ..params import Dims, Size, Tensor
from .supported import only
from .windows import offsets, padded

_Pair = tuple[int, int]

_VISITED = 100
"""How many multiply-adds take as long as to look at one element of a window."""
_STEP = 200_000
"""The same for a step from one window, or offset in the windows, to the next."""


class Pool(NamedTuple):
    """The windows of one pooling: two numbers each, for height and width."""

    kernel: _Pair
    stride: _Pair
    padding: _Pair
    dilation: _Pair
    out: _Pair

    def margins(self, size: Shape) -> list[tuple[int, int]]:
        """The padding before and after each dimension that lets every window fit."""
        each = zip(size, self.kernel, self.stride, self.padding, self.dilation, self.out, strict=True)
        return [(p, max((out - 1) * s + (k - 1) * d + 1 - n - p, 0)) for n, k, s, p, d, out in each]

    @property
    def overlapping(self) -> bool:
        """Whether an element may lie in several windows."""
        return any(s < (k - 1) * d + 1 for k, s, d in zip(self.kernel, self.stride, self.dilation, strict=True))

    @property
    def few_windows(self) -> bool:
        """Whether visiting windows takes fewer steps than visiting the offsets in one."""
        return math.prod(self.out) < math.prod(self.kernel)

    def by_window(self) -> Iterator[tuple[Any, Any]]:
        """The index of each window in the output, with the index that picks all its elements from the padded input."""
        for position, index in offsets(self.out, self.dilation, self.stride, self.kernel):
            yield (..., *position), index

    def by_offset(self) -> Iterator[tuple[Shape, tuple[Any, ...]]]:
        """Each offset in a window, with the index that picks that element of every window from the padded input."""
        return offsets(self.kernel, self.stride, self.dilation, self.out)

    def scratch(self, shape: Shape, itemsize: int) -> int:
        """What the padded input of ``shape`` takes, and one window of each plane, in bytes."""
        planes, margins = math.prod(shape[:-2]), self.margins(shape[-2:])
        full = math.prod(n + low + high for n, (low, high) in zip(shape[-2:], margins, strict=True))
        window = math.prod(self.kernel)
        held = (full if any(map(any, margins)) else 0) + (window if self.few_windows else 0)
        return planes * itemsize * held

    def work(self, shape: Shape) -> int:
        """The work of looking at all windows of an input of ``shape``."""
        window, windows = math.prod(self.kernel), math.prod(self.out)
        return math.prod(shape[:-2]) * window * windows * _VISITED + min(window, windows) * _STEP


def _two(op_name: str, name: str, value: int | Shape, *, optional: bool = False) -> _Pair:
    values = (value,) if isinstance(value, int) else value
    if len(values) not in (1, 2):
        allowed = (
            "either be omitted, a single int, or a tuple of two ints" if optional else "either be a single int, or a tuple of two ints"
        )
        raise TensorRuntimeError(f"{op_name}: {name} must {allowed}")
    return values[0], values[-1]


def read_pool(
    op_name: str,
    input: Any,
    kernel_size: int | Shape,
    stride: int | Shape | None,
    padding: int | Shape,
    dilation: int | Shape,
    ceil_mode: bool,
) -> Pool:
    """Reads the parameters of a pooling and checks them against its input, in torch's order."""
    kernel = _two(op_name, "kernel_size", kernel_size)
    # No stride, or an empty list of strides, means that windows lie side by side.
    step = kernel if stride is None or stride == () else _two(op_name, "stride", stride, optional=True)
    margin, gap = _two(op_name, "padding", padding), _two(op_name, "dilation", dilation)
    shape = list(input.shape)
    if len(shape) < 3 and op_name == "avg_pool2d":
        span = max(len(shape), 1)
        raise TensorIndexError(
            f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got -3)", code="dim_out_of_range"
        )
    if len(shape) not in (3, 4):
        raise TensorRuntimeError("non-empty 3D or 4D (batch mode) tensor expected for input", code="shape_mismatch")
    out = tuple(pooled_size(n, k, s, p, d, ceil_mode) for n, k, s, p, d in zip(shape[-2:], kernel, step, margin, gap, strict=True))
    if min(kernel) <= 0:
        raise TensorRuntimeError(f"kernel size should be greater than zero, but got kH: {kernel[0]} kW: {kernel[1]}")
    if min(step) <= 0:
        raise TensorRuntimeError(f"stride should be greater than zero, but got dH: {step[0]} dW: {step[1]}")
    if min(gap) <= 0:
        raise TensorRuntimeError(f"dilation should be greater than zero, but got dilationH: {gap[0]} dilationW: {gap[1]}")
    if 0 in shape[-3:]:
        raise TensorRuntimeError(
            f"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape}", code="shape_mismatch"
        )
    if min(out) < 1:
        have, made = "x".join(map(str, shape[-3:])), "x".join(map(str, (shape[-3], *out)))
        raise TensorRuntimeError(
            f"Given input size: ({have}). Calculated output size: ({made}). Output size is too small", code="shape_mismatch"
        )
    only("iuf", op_name)(input.dtype)
    return Pool(kernel, step, margin, gap, (out[0], out[1]))


def pooled_size(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows fit, with torch's refusals."""
    if stride == 0:
        raise TensorRuntimeError("stride should not be zero")
    if padding < 0:
        raise TensorRuntimeError(f"pad must be non-negative, but got pad: {padding}")
    if padding > ((kernel - 1) * dilation + 1) // 2:
        raise TensorRuntimeError(
            f"pad should be at most half of effective kernel size, but got pad={padding}, kernel_size={kernel} and dilation={dilation}"
        )
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    out = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    # A window that would start beyond the input and its padding is left out.
    return out - 1 if ceil_mode and (out - 1) * stride >= size + padding else out


def _max_meta(input: Meta, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> tuple[Meta, Meta]:
    pool = read_pool("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    shape = (*input.shape[:-2], *pool.out)
    return dense(shape, input.dtype), dense(shape, np.dtype(np.int64))


def _max_rule(
    g: Any, input: Any, input_meta: Meta, indices: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Any:
    pool = read_pool("max_pool2d", input_meta, kernel_size, stride, padding, dilation, ceil_mode)
    return ops._pool_scatter(g[0], indices, tuple(input.shape), pool.overlapping)


def _max_scratch(input: Meta, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> int:
    pool = read_pool("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    # Beside the indices there are the numbers of the elements in their windows, and comparisons.
    word = np.dtype(np.int64).itemsize
    numbers = math.prod((*input.shape[:-2], *pool.out)) * (word + 4)
    return pool.scratch(input.shape, input.dtype.itemsize) + numbers + 3 * word * math.prod(pool.kernel)


def _max_work(input: Meta, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> int:
    return read_pool("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode).work(input.shape)


@op(
    "nn.functional.max_pool2d_with_indices",
    batch="folded",
    outputs=("out", "indices"),
    method=False,
    grad_fn="MaxPool2DWithIndicesBackward0",
    meta=_max_meta,
    scratch=_max_scratch,
    work=_max_work,
    vjp=dict(input=_max_rule),
)
def max_pool2d_with_indices(
    input: Tensor, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, dilation: Dims = 1, ceil_mode: bool = False
) -> tuple[Array, Array]:
    """The largest element of each window, and where it lies in the (flattened) plane."""
    pool = read_pool("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    height, width = input.shape[-2:]
    lowest = -np.inf if input.dtype.kind == "f" else np.iinfo(input.dtype).min
    full = padded(input, pool.margins((height, width)), lowest)
    starts = [np.arange(n) * s - p for n, s, p in zip(pool.out, pool.stride, pool.padding, strict=True)]
    first = [-(np.minimum(start, 0) // d) for start, d in zip(starts, pool.dilation, strict=True)]
    # Where nothing improves on the lowest value, torch names the first element inside the input.
    number = first[0][:, None] * pool.kernel[1] + first[1]
    best, which = (_best_by_window if pool.few_windows else _best_by_offset)(full, pool, lowest, number)
    rows, columns = np.divmod(np.arange(math.prod(pool.kernel)), pool.kernel[1])
    steps = rows * pool.dilation[0] * width + columns * pool.dilation[1]
    where = np.take(steps, which)
    where += starts[0][:, None] * width + starts[1]
    return best, where


def _best_by_offset(full: Array, pool: Pool, lowest: Any, number: Array) -> tuple[Array, Array]:
    """The largest element of each window and its number in there; ``number`` where nothing is larger than ``lowest``."""
    # Later elements have higher numbers in the window, so the largest number of an improvement is the last one, and no step of
    # this has to branch.
    small = np.min_scalar_type(math.prod(pool.kernel))
    best = np.full((*full.shape[:-2], *pool.out), lowest, full.dtype)
    which = np.broadcast_to(number.astype(small), best.shape).copy()
    for k, (_, index) in enumerate(pool.by_offset()):
        candidate = full[index]
        better = candidate > best
        if full.dtype.kind == "f":
            better |= candidate != candidate
        np.maximum(which, better * small.type(k), out=which)
        np.maximum(best, candidate, out=best)
    return best, which


def _best_by_window(full: Array, pool: Pool, lowest: Any, number: Array) -> tuple[Array, Array]:
    """The same, with one step for each window."""
    count = math.prod(pool.kernel)
    best = np.empty((*full.shape[:-2], *pool.out), full.dtype)
    which = np.empty(best.shape, np.int64)
    for position, index in pool.by_window():
        window = full[index].reshape(*full.shape[:-2], count)
        at = window.argmax(-1)
        largest = np.take_along_axis(window, at[..., None], -1)[..., 0]
        if full.dtype.kind == "f":
            # torch names the last of several that are not a number; argmax finds the first.
            missing = np.isnan(window)
            at = np.where(np.isnan(largest), count - 1 - missing[..., ::-1].argmax(-1), at)
        best[position] = largest
        which[position] = np.where(largest == lowest, number[position], at)
    return best, which


def _scatter_rule(g: Any, indices: Any) -> Any:
    return ops._pool_gather(g, indices)


@op(
    "_pool_scatter",
    method=False,
    batch="folded",
    meta=lambda grad_output, size: dense(size, grad_output.dtype),
    scratch=lambda indices: indices.nbytes,
    vjp=dict(grad_output=_scatter_rule),
)
def pool_scatter(grad_output: Tensor, indices: Tensor, size: Size, overlapping: bool) -> Array:
    """Adds each element of ``grad_output`` to its place in planes of zeros, whose full shape is ``size``."""
    plane = size[-2] * size[-1]
    out = np.zeros(size, grad_output.dtype)
    starts = plane * np.arange(out.size // plane).reshape(*size[:-2], 1, 1)
    places = (indices + starts).reshape(-1)
    if overlapping:
        np.add.at(out.reshape(-1), places, grad_output.reshape(-1))
    else:
        out.reshape(-1)[places] = grad_output.reshape(-1)
    return out


def _gather_rule(g: Any, indices: Any, input_meta: Meta) -> Any:
    return ops._pool_scatter(g, indices, input_meta.shape, True)


@op(
    "_pool_gather",
    method=False,
    meta=lambda input, indices: dense(indices.shape, input.dtype),
    vjp=dict(input=_gather_rule),
    batch="folded",
)
def pool_gather(input: Tensor, indices: Tensor) -> Array:
    """The elements of the planes of ``input`` at ``indices``."""
    planes = int(np.prod(input.shape[:-2]))
    flat = input.reshape(planes, input.shape[-2] * input.shape[-1])
    return np.take_along_axis(flat, indices.reshape(planes, indices.shape[-2] * indices.shape[-1]), 1).reshape(indices.shape)


@op("nn.functional.max_pool2d", aliases=("max_pool2d",), composite=True, method=False)
def max_pool2d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (N, C, H, W) or (C, H, W); with ``return_indices`` also where it lies in the plane."""
    result = ops.nn.functional.max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return tuple(result) if return_indices else result[0]


def only_size(op_name: str, name: str, value: int | Shape) -> int:
    """A parameter of a pooling in one dimension."""
    values = (value,) if isinstance(value, int) else value
    if len(values) != 1:
        raise TensorRuntimeError(f"{op_name}() {name} must be an int or int list of size 1 but got size {len(values)}")
    return values[0]


@op("nn.functional.max_pool1d", aliases=("max_pool1d",), composite=True, method=False)
def max_pool1d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    dilation: Dims = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (N, C, L) or (C, L); with ``return_indices`` also where it lies."""
    shape = list(input.shape)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise TensorRuntimeError(
            f"max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape}",
            code="shape_mismatch",
        )
    kernel = only_size("max_pool1d", "kernel_size", kernel_size)
    step = kernel if stride is None or stride == () else only_size("max_pool1d", "stride", stride)
    margin, gap = only_size("max_pool1d", "padding", padding), only_size("max_pool1d", "dilation", dilation)
    for name, value in (("kernel_size", kernel), ("stride", step), ("dilation", gap)):
        if value <= 0:
            raise TensorRuntimeError(f"max_pool1d() {name} must be greater than zero, but got {value}")
    if margin < 0:
        raise TensorRuntimeError(f"max_pool1d() padding must be non-negative, but got {margin}")
    if margin > kernel // 2:
        raise TensorRuntimeError(
            f"max_pool1d() padding should be at most half of kernel size, but got padding={margin} and kernel_size={kernel}"
        )
    made = pooled_size(shape[-1], kernel, step, margin, gap, ceil_mode)
    if made <= 0:
        raise TensorRuntimeError(f"max_pool1d() Invalid computed output size: {made}", code="shape_mismatch")
    only("f", "max_pool1d_impl")(dtype_of(input.dtype).numpy)
    pooled = ops.nn.functional.max_pool2d_with_indices(ops.unsqueeze(input, -2), (1, kernel), (1, step), (0, margin), (1, gap), ceil_mode)
    out, indices = [ops.squeeze(part, -2) for part in pooled]
    return (out, indices) if return_indices else out
