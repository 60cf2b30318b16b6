"""Pooling by the mean of each window."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorRuntimeError
from ..meta import Meta, Shape, dense
from ..op import op, ops
from ..opmath import HALF, SINGLE
from ..params import Dims, Size, Tensor
from .pooling import Pool, only_size, read_pool
from .windows import inside, padded

_Pair = tuple[int, int]


def _divisors(pool: Pool, size: Shape, count_include_pad: bool) -> Array:
    """How many elements each window counts."""
    counts = []
    for n, k, s, p, out in zip(size, pool.kernel, pool.stride, pool.padding, pool.out, strict=True):
        start = np.arange(out) * s - p
        end = np.minimum(start + k, n + p)
        counts.append(end - start if count_include_pad else np.minimum(end, n) - np.maximum(start, 0))
    return np.multiply.outer(counts[0], counts[1])


def _avg_meta(input: Meta, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, divisor_override: int | None) -> Meta:
    pool = _avg_pool(input, kernel_size, stride, padding, ceil_mode, divisor_override)
    return dense((*input.shape[:-2], *pool.out), input.dtype)


def _avg_pool(input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, divisor_override: int | None) -> Pool:
    if divisor_override == 0:
        raise TensorRuntimeError("divisor must be not zero")
    return read_pool("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)


def _avg_rule(
    g: Any, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool, divisor_override: int | None
) -> Any:
    return ops._avg_pool2d_backward(g, tuple(input.shape), kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _avg_scratch(input: Meta, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, divisor_override: int | None) -> int:
    if input.dtype == HALF:
        # It is pooled in single precision, beside what it is cast from and to.
        wide = dense(input.shape, SINGLE)
        held = wide.nbytes + _avg_meta(wide, kernel_size, stride, padding, ceil_mode, divisor_override).nbytes
        return held + _avg_scratch(wide, kernel_size, stride, padding, ceil_mode, divisor_override)
    pool = _avg_pool(input, kernel_size, stride, padding, ceil_mode, divisor_override)
    # Integers are divided with their signs and magnitudes apart.
    results = 1 if input.dtype.kind == "f" else 4
    return (
        pool.scratch(input.shape, input.dtype.itemsize)
        + results * _avg_meta(input, kernel_size, stride, padding, ceil_mode, divisor_override).nbytes
    )


def _avg_backward_scratch(
    grad_output: Meta, size: Shape, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, divisor_override: int | None
) -> int:
    input = dense(size, grad_output.dtype)
    return input.nbytes + _avg_scratch(input, kernel_size, stride, padding, ceil_mode, divisor_override)


def _avg_work(input: Meta, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, divisor_override: int | None) -> int:
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, divisor_override).work(input.shape)


def _avg_backward_work(
    grad_output: Meta, size: Shape, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, divisor_override: int | None
) -> int:
    return _avg_work(dense(size, grad_output.dtype), kernel_size, stride, padding, ceil_mode, divisor_override)


@op(
    "nn.functional.avg_pool2d",
    method=False,
    opmath=True,
    grad_fn="AvgPool2DBackward0",
    batch="folded",
    meta=_avg_meta,
    scratch=_avg_scratch,
    work=_avg_work,
    vjp=dict(input=_avg_rule),
)
def avg_pool2d(
    input: Tensor,
    kernel_size: Dims,
    stride: Dims | None = None,
    padding: Dims = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The mean of each window of (N, C, H, W) or (C, H, W)."""
    pool = _avg_pool(input, kernel_size, stride, padding, ceil_mode, divisor_override)
    size = input.shape[-2:]
    full = padded(input, pool.margins(size))
    total = np.zeros((*input.shape[:-2], *pool.out), input.dtype)
    if pool.few_windows:
        for position, index in pool.by_window():
            total[position] = full[index].sum((-2, -1), dtype=total.dtype)
    else:
        for _, index in pool.by_offset():
            total += full[index]
    divisor = _divisors(pool, size, count_include_pad) if divisor_override is None else divisor_override
    if input.dtype.kind == "f":
        return total / np.asarray(divisor, input.dtype)
    # torch divides integers as C does, towards zero.
    return (np.sign(total) * np.sign(divisor) * (np.abs(total) // np.abs(divisor))).astype(input.dtype)


def _avg_backward_rule(
    g: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool, divisor_override: int | None
) -> Any:
    return ops.nn.functional.avg_pool2d(g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@op(
    "_avg_pool2d_backward",
    method=False,
    opmath=True,
    batch="folded",
    meta=lambda grad_output, size: dense(size, grad_output.dtype),
    scratch=_avg_backward_scratch,
    work=_avg_backward_work,
    vjp=dict(grad_output=_avg_backward_rule),
)
def avg_pool2d_backward(
    grad_output: Tensor,
    size: Size,
    kernel_size: Dims,
    stride: Dims | None,
    padding: Dims,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """The transpose of ``avg_pool2d``, whose input has the shape ``size``."""
    pool = _avg_pool(dense(size, grad_output.dtype), kernel_size, stride, padding, ceil_mode, divisor_override)
    plane = size[-2:]
    divisor = _divisors(pool, plane, count_include_pad) if divisor_override is None else divisor_override
    share = grad_output / np.asarray(divisor, grad_output.dtype)
    margins = pool.margins(plane)
    full = np.zeros((*size[:-2], *[n + low + high for n, (low, high) in zip(plane, margins, strict=True)]), grad_output.dtype)
    if pool.few_windows:
        for position, index in pool.by_window():
            full[index] += share[position][..., None, None]
    else:
        for _, index in pool.by_offset():
            full[index] += share
    return full[inside(margins, plane)]


@op("nn.functional.avg_pool1d", aliases=("avg_pool1d",), composite=True, method=False)
def avg_pool1d(
    input: Tensor, kernel_size: Dims, stride: Dims | None = None, padding: Dims = 0, ceil_mode: bool = False, count_include_pad: bool = True
) -> Any:
    """The mean of each window of (N, C, L) or (C, L)."""
    ndim = len(input.shape)
    if ndim not in (2, 3):
        raise TensorRuntimeError(
            f"Expected 2 to 3 dimensions, but got {ndim}-dimensional tensor for argument #1 'self' "
            "(while checking arguments for avg_pool1d)",
            code="shape_mismatch",
        )
    kernel = only_size("avg_pool1d", "kernel_size", kernel_size)
    step = kernel if stride is None or stride == () else only_size("avg_pool1d", "stride", stride)
    margin = only_size("avg_pool1d", "padding", padding)
    pooled = ops.nn.functional.avg_pool2d(ops.unsqueeze(input, -2), (1, kernel), (1, step), (0, margin), ceil_mode, count_include_pad)
    return ops.squeeze(pooled, -2)
