"""Promotion: the dtype in which an op computes, by torch's rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .dtypes import NumpyDType, default_dtype, result_type
from .op import Op

_NUMBERS = (bool, int, float, complex)


def settled_dtype(op: Op, values: Sequence[Any]) -> NumpyDType | None:
    """The one floating dtype that all operands have already, which Python's real numbers do not change; ``None`` if there is none.

    There is in nearly every call, and to find it takes less than ``compute_dtype`` does. Operands in lists are not looked at.

    Args:
        op: An op with promotion.
        values: One per parameter; tensors are anything with a NumPy ``dtype``.

    Raises:
        GradwireError: The op refuses the arguments.
    """
    dtype: NumpyDType | None = None
    for i in op.promoted:
        value = values[i]
        kind = type(value)
        if value is None or kind is float or kind is int or kind is bool:
            continue
        if kind is tuple or kind is complex:
            return None
        if dtype is None:
            dtype = value.dtype
            if dtype.kind != "f":
                return None
        elif value.dtype is not dtype:
            return None
    if dtype is not None and op.check is not None:
        op.run_check(values, dtype)
    return dtype


def compute_dtype(op: Op, values: Sequence[Any]) -> NumpyDType:
    """The dtype in which ``op`` computes: torch's promotion over the arguments that take part in it.

    Args:
        op: An op with promotion.
        values: One per parameter; tensors are anything with ``shape`` and a NumPy ``dtype``.

    Raises:
        GradwireError: The op refuses the arguments.
    """
    dimensioned: list[NumpyDType] = []
    zero_dim: list[NumpyDType] = []
    scalars: list[Any] = []
    for i in op.promoted:
        value = values[i]
        # A Meta is a tuple too.
        for item in value if type(value) is tuple else (value,):
            if item is None:
                continue
            if isinstance(item, _NUMBERS) and not isinstance(item, np.generic):
                scalars.append(item)
            else:
                (dimensioned if item.shape else zero_dim).append(item.dtype)
    if not (dimensioned or zero_dim or scalars):
        return default_dtype()  # of an empty list, which the op itself refuses
    dtype = result_type(dimensioned, zero_dim, scalars)
    if op.promotion == "float" and dtype.kind in "bui":
        dtype = default_dtype()
    op.run_check(values, dtype)
    return dtype
