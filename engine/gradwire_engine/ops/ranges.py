"""Tensors made by counting: evenly spaced numbers, identity matrices, indices of triangles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, default_dtype, is_differentiable, to_complex
from ..errors import TensorRuntimeError
from ..meta import Meta, dense
from ..op import op
from ..params import Device, Dtype, Scalar
from .making import made, memory
from .reduce import not_implemented
from .supported import converted

_INT64 = np.dtype(np.int64)


def _arange(start: Scalar, end: Scalar, step: Scalar, dtype: Dtype | None, requires_grad: bool) -> Meta:
    bounds = [b for b in (start, end, step) if not isinstance(b, complex)]
    if len(bounds) < 3:
        raise TensorRuntimeError("value cannot be converted to type double without overflow", code="complex_argument")
    if dtype is None:
        dtype = default_dtype() if any(isinstance(b, float) for b in bounds) else _INT64
    first, last, by = bounds
    unsupported = TensorRuntimeError(f"unsupported range: {_shown(first)} -> {_shown(last)}", code="bad_range")
    if dtype == _INT64:
        if not all(math.isfinite(b) for b in bounds):
            raise unsupported
        first, last, by = (int(converted(b, _INT64)) for b in bounds)
    if by == 0:
        raise TensorRuntimeError("step must be nonzero", code="bad_range", pointer="/step")
    if not (math.isfinite(first) and math.isfinite(last)):
        raise unsupported
    if (last - first) * by < 0:
        raise TensorRuntimeError("upper bound and lower bound inconsistent with step sign", code="bad_range", pointer="/step")
    span = (last - first) / by if dtype != _INT64 else 0.0
    if not math.isfinite(span):
        raise TensorRuntimeError("invalid size, possible overflow?", code="bad_range")
    count = -((first - last) // by) if dtype == _INT64 else math.ceil(span)
    meta = made((int(count),), dtype, requires_grad)
    if dtype.kind in "bc":
        raise not_implemented(meta, "arange_cpu")
    return meta


def _shown(value: float) -> str:
    """A number as a C++ stream prints it."""
    return str(value) if isinstance(value, int) else f"{value:g}"


def _counted(start: Scalar, end: Scalar, step: Scalar, dtype: Dtype | None, requires_grad: bool) -> Array:
    meta = _arange(start, end, step, dtype, requires_grad)
    working = _INT64 if meta.dtype.kind in "iu" else np.dtype(np.float64)
    counted = memory(dense(meta.shape, working), lambda shape, dtype: np.arange(shape[0], dtype=dtype))
    counted *= converted(step, working)
    counted += converted(start, working)
    return counted.astype(meta.dtype, copy=False)


@op(
    "arange",
    overload="default",
    creation=True,
    meta=lambda end, dtype, requires_grad: _arange(0, end, 1, dtype, requires_grad),
)
def arange_end(end: Scalar, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """The numbers 0, 1, 2, ... below ``end``: int64 for whole numbers, otherwise the default dtype."""
    return _counted(0, end, 1, dtype, requires_grad)


@op("arange", overload="start_step", creation=True, meta=_arange)
def arange_start(
    start: Scalar, end: Scalar, step: Scalar = 1, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False
) -> Array:
    """The numbers from ``start`` in steps of ``step`` up to, not including, ``end``."""
    return _counted(start, end, step, dtype, requires_grad)


def _spaced(start: Scalar, end: Scalar, steps: int, dtype: Dtype | None, requires_grad: bool) -> Meta:
    if dtype is None:
        dtype = default_dtype()
        if isinstance(start, complex) or isinstance(end, complex):
            dtype = to_complex(dtype)
    if steps < 0:
        raise TensorRuntimeError("number of steps must be non-negative", code="negative_size", pointer="/steps")
    for bound in (start, end):
        converted(bound, dtype)
    return made((steps,), dtype, requires_grad)


def _spread(start: Any, end: Any, steps: int, working: NumpyDType) -> Array:
    """Evenly spaced numbers, counted from both ends, so that both are exact."""
    counted = np.arange(steps).astype(working)
    if steps < 2:
        return counted + working.type(start)
    step = working.type((working.type(end) - working.type(start)) / working.type(steps - 1))
    half = steps // 2
    return np.concatenate([working.type(start) + step * counted[:half], working.type(end) - step * counted[: steps - half][::-1]])


@op(creation=True, meta=_spaced)
def linspace(
    start: Scalar, end: Scalar, steps: int, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False
) -> Array:
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included."""
    meta = _spaced(start, end, steps, dtype, requires_grad)
    return memory(meta, lambda shape, dt: _spread(converted(start, dt), converted(end, dt), steps, _working(dt)).astype(dt))


def _working(dtype: NumpyDType) -> NumpyDType:
    """The dtype in which spaced numbers are worked out."""
    if dtype == np.float16:
        return np.dtype(np.float32)
    return dtype if is_differentiable(dtype) else np.dtype(np.float64)


def _powers(start: Scalar, end: Scalar, steps: int, dtype: Dtype | None, requires_grad: bool) -> Meta:
    return _spaced(start, end, steps, dtype, requires_grad)


@op(creation=True, meta=_powers)
def logspace(
    start: Scalar,
    end: Scalar,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Dtype | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
) -> Array:
    """``steps`` numbers from ``base ** start`` to ``base ** end`` whose exponents are evenly spaced."""
    meta = _powers(start, end, steps, dtype, requires_grad)

    def allocate(shape: tuple[int, ...], dt: NumpyDType) -> Array:
        working = _working(dt)
        with np.errstate(all="ignore"):
            return np.power(working.type(base), _spread(converted(start, dt), converted(end, dt), steps, working)).astype(dt)

    return memory(meta, allocate)


def _eye(n: int, m: int | None, dtype: Dtype | None, requires_grad: bool) -> Meta:
    if n < 0:
        raise TensorRuntimeError(f"n must be greater or equal to 0, got {n}", code="negative_size", pointer="/n")
    if m is not None and m < 0:
        raise TensorRuntimeError(f"m must be greater or equal to 0, got {m}", code="negative_size", pointer="/m")
    return made((n, n if m is None else m), default_dtype() if dtype is None else dtype, requires_grad)


@op(creation=True, meta=_eye)
def eye(n: int, m: int | None = None, *, dtype: Dtype | None = None, device: Device | None = None, requires_grad: bool = False) -> Array:
    """A matrix of ``n`` rows (and ``m`` columns) with ones on the diagonal and zeros elsewhere."""
    return memory(_eye(n, m, dtype, requires_grad), lambda shape, dt: np.eye(*shape, dtype=dt))


def _below(row: int, col: int, offset: int) -> int:
    """How many places of a matrix lie on or below a diagonal: a closed form, since the sizes are the caller's."""
    first = min(max(0, -offset), row)  # the first row with a place
    full = min(max(col - offset - 1, first), row)  # the first row with all of its places
    growing = full - first
    return growing * (first + offset + 1) + growing * (growing - 1) // 2 + (row - full) * col


def _triangle(name: str, count: int, row: int, col: int, dtype: Dtype | None) -> Meta:
    for what, size in (("row", row), ("col", col)):
        if size < 0:
            raise TensorRuntimeError(f"{what} must be non-negative, got{size}", code="negative_size", pointer=f"/{what}")
    meta = made((2, count), _INT64 if dtype is None else dtype)
    if meta.dtype not in (_INT64, np.int32):
        raise not_implemented(meta, name)
    return meta


def _tril_indices(row: int, col: int, offset: int, dtype: Dtype | None) -> Meta:
    return _triangle("tril_indices", _below(max(row, 0), max(col, 0), offset), row, col, dtype)


def _triu_indices(row: int, col: int, offset: int, dtype: Dtype | None) -> Meta:
    return _triangle("triu_indices", max(row, 0) * max(col, 0) - _below(max(row, 0), max(col, 0), offset - 1), row, col, dtype)


def _indices(meta: Meta, rows: Array, starts: Array, stops: Array) -> Array:
    """Row and column of every place, row by row, from the columns at which each of ``rows`` starts and stops."""
    counts = stops - starts
    before = np.cumsum(counts) - counts
    columns = np.arange(meta.shape[1]) - np.repeat(before - starts, counts)
    return np.stack([np.repeat(rows, counts), columns]).astype(meta.dtype)


@op(creation=True, meta=_tril_indices)
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Dtype | None = None, device: Device | None = None) -> Array:
    """The rows and columns of the places on and below the diagonal ``offset`` of a matrix."""
    meta = _tril_indices(row, col, offset, dtype)

    def allocate(*_: Any) -> Array:
        # Only rows that have places are looked at: a matrix may have far more rows than that.
        rows = np.arange(min(max(0, -offset), row) if col else row, row)
        return _indices(meta, rows, np.zeros_like(rows), np.clip(rows + min(offset, col) + 1, 0, col))

    return memory(meta, allocate)


@op(creation=True, meta=_triu_indices)
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Dtype | None = None, device: Device | None = None) -> Array:
    """The rows and columns of the places on and above the diagonal ``offset`` of a matrix."""
    meta = _triu_indices(row, col, offset, dtype)

    def allocate(*_: Any) -> Array:
        rows = np.arange(min(max(col - offset, 0), row) if col else 0)
        starts = np.clip(rows + max(offset, -row), 0, col)
        return _indices(meta, rows, starts, np.full_like(starts, col))

    return memory(meta, allocate)
