"""Where the axes of the items are in a batch: the two rules that most ops go by."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, Final

from ..op import ops
from ..value import Value
from .apply import MappedCall, inner, listed
from .batch import Batch

DIMENSIONS: Final = frozenset({"dim", "dims", "dim0", "dim1", "dim2", "dimension"})
"""The names of the parameters that count dimensions."""

_SIZES: Final = frozenset({"size", "shape"})


def aligned(value: Value, rank: int) -> Value:
    """A mapped value whose items get dimensions of size 1 in front until they have ``rank``."""
    shape = value._data.shape
    missing = rank - (len(shape) - 1)
    return ops.view(value, (shape[0], *(1,) * missing, *shape[1:])) if missing > 0 else value


def elementwise(call: MappedCall) -> Any:
    """Operands that broadcast against each other behind the batch's axis."""
    op = call.op
    rank = max([len(b.shape) for b in call.batches])
    values = call.values.copy()
    for slot in op.tensor_slots:
        value = values[slot]
        if isinstance(value, Batch):
            values[slot] = aligned(value.value, rank) if value.mapped else value.value
    # The recorder of the op has a short way for eager tensors.
    return op.recorder(*values) if op.first_keyword == len(values) else call.run(values)


def leading(call: MappedCall, shared: Collection[str] = (), empty_means_all: bool = True) -> Any:
    """All operands with the batch's axis in front, and dimensions counted past it; those counted from the end stay.

    Args:
        call: The call.
        shared: The operands that are left as they are, because they are the same for all items.
        empty_means_all: Whether no dimensions stand for all of them.
    """
    op = call.op
    call.outs  # noqa: B018 - a dimension that is out of range for an item may be within for the batch
    first = call.batches[0]
    rank = len(first.shape)
    if "shape" in op.names:
        rank = len(call["shape"])
    elif op.name == "stack":
        rank += 1
    if "index" in op.names and isinstance(call["index"], Batch) and any(len(b.shape) != rank for b in _others(call, shared)):
        return None  # positions in a number, or for one
    values: list[Any] = []
    flat = False
    for param, value in zip(op.params, call.values, strict=True):
        if param.is_tensor:
            value = inner(value) if param.name in shared else call.stacked(value)
        elif param.name in DIMENSIONS:
            if not rank:
                return None
            if value is None and param.kind == "int":
                flat, value = True, 1
            elif param.kind == "Dims" and (value is None or (value == () and empty_means_all)):
                value = tuple(range(1, rank + 1))
            else:
                value = past(value)
        elif param.name in _SIZES and param.kind == "Size":
            value = (call.size, *value)
        values.append(value)
    if not flat:
        return call.run(values)
    # Without a dimension the items are read as vectors.
    values[0] = ops.reshape(values[0], (call.size, math.prod(first.shape)))
    result = call.run(values)
    return [ops.reshape(r, (call.size, *out.shape)) for r, out in zip(listed(result), call.outs, strict=True)]


def _others(call: MappedCall, shared: Collection[str]) -> list[Batch]:
    left = [call[name] for name in shared if name in call.op.names]
    return [b for b in call.batches if not any(b is x for x in left)]


def past(dims: Any) -> Any:
    """Dimensions of an item as those of a batch; what is counted from the end stays."""
    if isinstance(dims, tuple):
        return tuple(past(d) for d in dims)
    return dims + 1 if dims >= 0 else dims


def literal(call: MappedCall) -> Any:
    """``leading`` for an op that takes an empty list of dimensions at its word."""
    return leading(call, empty_means_all=False)
