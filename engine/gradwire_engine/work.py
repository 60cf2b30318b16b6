"""How much work kernels take, in the multiply-adds of a large product of matrices of floats that would take the same time.

That is about 0.05 ns: a core and its vector unit do better in a product of matrices than anywhere else, so that most kernels
take many such units for each of their steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from .dtypes import NumpyDType
from .meta import Meta, Shape
from .op import Op

_CALL: Final = 30_000
"""What LAPACK takes for the smallest matrix."""


def work_of(op: Op, arguments: Sequence[Any], outs: Sequence[Meta]) -> int:
    """The work of one call.

    Args:
        op: The op; not a composite one.
        arguments: One per parameter, a ``Meta`` (or a tuple of them, or a Python number) for every tensor slot.
        outs: The metas of its results.
    """
    if op.work is not None:
        return op.work(*[arguments[i] for i in op.work_positions])
    if op.view:
        return 0
    operands = (x for i in op.tensor_slots for x in (arguments[i] if type(arguments[i]) is tuple else (arguments[i],)))
    return sum(x.numel for x in operands if isinstance(x, Meta)) + sum(out.numel for out in outs)


def per_element(units: int) -> Callable[[Meta], int]:
    """The work of an op that takes so much for each element of its ``input``."""
    return lambda input: units * input.numel


def product_work(rows: int, inner: int, columns: int, dtype: NumpyDType) -> int:
    """The work of a product of matrices of the shapes (rows, inner) and (inner, columns)."""
    # A complex product takes four real ones, one of large integers six and their conversions.
    return rows * inner * columns * {"c": 4, "f": 1}.get(dtype.kind, 12)


def matrix_work(shape: Shape, dtype: NumpyDType, cubic: int, *, whole: bool = False) -> int:
    """The work of an algorithm of linear algebra on a matrix, or on each of a batch.

    Args:
        shape: The shape, of at least two dimensions.
        dtype: The dtype.
        cubic: The work for each of rows * columns * min(rows, columns).
        whole: Whether an orthogonal factor is made for the longer side too, which takes rows * columns * max(rows, columns).
    """
    *batch, rows, columns = shape
    steps = rows * columns * (max if whole else min)(rows, columns) * (4 if dtype.kind == "c" else 1)
    return math.prod(batch) * (steps * cubic + _CALL)
