"""What gathering and scattering ops share: checks of index tensors, open grids, and adding up at repeated positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, dtype_of
from ..errors import GradwireError, TensorIndexError, TensorRuntimeError

LONG = np.dtype(np.int64)
INT = np.dtype(np.int32)


def grid(index: Array, axis: int) -> tuple[Array, ...]:
    """The NumPy index that reads ``index`` along ``axis`` and every other dimension at its own position."""
    parts: list[Array] = []
    for i, size in enumerate(index.shape):
        parts.append(index if i == axis else np.arange(size).reshape([size if j == i else 1 for j in range(index.ndim)]))
    return tuple(parts)


def add_at(out: Array, where: Any, values: Array) -> None:
    """Adds ``values`` to ``out[where]``, also where positions repeat; ``out`` is row-major."""
    flat = np.arange(out.size).reshape(out.shape)[where]
    # NumPy's one-dimensional case is several times as fast as add.at on rows.
    np.add.at(out.reshape(-1), flat.ravel(), np.broadcast_to(values, flat.shape).ravel())


def first_outside(index: Array, low: int, high: int) -> int | None:
    """The first position in ``index`` that is not in ``[low, high)``."""
    if not index.size or (index.min() >= low and index.max() < high):
        return None
    return int(index[(index < low) | (index >= high)][0])


def check_bounds(
    index: Array, dim: int, size: int, *, low: int = 0, prefix: str = "", error: type[GradwireError] = TensorRuntimeError
) -> None:
    """Refuses positions outside a dimension, in the wording that most ops share.

    Raises:
        GradwireError: A position is less than ``low`` or not less than ``size``; of the class ``error``.
    """
    bad = first_outside(index, low, size)
    if bad is not None:
        raise error(f"{prefix}index {bad} is out of bounds for dimension {dim} with size {size}", code="index_out_of_range")


def torch_name(dtype: NumpyDType) -> str:
    """The name of a dtype in torch's messages, such as ``"Float"``."""
    return dtype_of(dtype).torch_name


def check_long(name: str, index: Any) -> None:
    """Refuses index tensors that are not int64.

    Raises:
        TensorRuntimeError: The dtype is another (torch's message).
    """
    if index.dtype != LONG:
        raise TensorRuntimeError(f"{name}(): Expected a long tensor for index, but got {torch_name(index.dtype)}", code="dtype_mismatch")


def check_vector(message: str, index: Any, error: type[GradwireError] = TensorIndexError) -> None:
    """Refuses index tensors of more than one dimension.

    Raises:
        GradwireError: ``index`` has more; of the class ``error``.
    """
    if len(index.shape) > 1:
        raise error(message, code="shape_mismatch")


def shape_text(shape: Sequence[int]) -> str:
    """A shape as torch's messages show it."""
    return str(list(shape))
