"""One operation on a whole batch: which rule carries it out, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import GradwireError, TensorRuntimeError
from ..meta import Meta
from ..op import Op, ops
from ..record import call_bound
from ..shapes import infer
from ..value import Value
from .batch import Batch


class MappedCall:
    """A call of an op of which at least one operand is mapped.

    Args:
        op: The op; no composite one, and none that is random.
        values: One per parameter, a ``Batch`` (or a tuple of them, or a Python number) in tensor slots.
        size: How many items the batch has.
    """

    def __init__(self, op: Op, values: Sequence[Any], size: int) -> None:
        self.op = op
        self.values = list(values)
        self.size = size

    def __getitem__(self, name: str) -> Any:
        """The value of the parameter ``name``."""
        return self.values[self.op.names.index(name)]

    @property
    def batches(self) -> list[Batch]:
        """The operands, those of lists among them."""
        found: list[Batch] = []
        for slot in self.op.tensor_slots:
            value = self.values[slot]
            found += [v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, Batch)]
        return found

    @cached_property
    def outs(self) -> tuple[Meta, ...]:
        """The metas of what one item gives.

        Raises:
            GradwireError: The arguments do not fit.
        """
        return infer(self.op, [item_meta(v) if i in self.op.tensor_slots else v for i, v in enumerate(self.values)])

    def stacked(self, batch: Any) -> Any:
        """An operand with the leading axis; a list of operands likewise, and ``None`` and numbers as they are."""
        if isinstance(batch, tuple):
            return tuple(self.stacked(b) for b in batch)
        return batch.stacked(self.size) if isinstance(batch, Batch) else batch

    def run(self, values: Sequence[Any]) -> Any:
        """Calls the op itself on other values."""
        return call_bound(self.op, list(values))


def item_meta(value: Any) -> Any:
    """What a shape rule gets for an operand."""
    if isinstance(value, Batch):
        return value.meta
    return tuple(item_meta(v) for v in value) if isinstance(value, tuple) else value


def inner(value: Any) -> Any:
    """The value inside a batch; a list of batches likewise, and everything else as it is."""
    if isinstance(value, Batch):
        return value.value
    return tuple(inner(v) for v in value) if type(value) is tuple else value


def apply(depth: int, op: Op, operands: Sequence[Any]) -> list[Batch]:
    """Runs an op for every item of the batch of level ``depth``.

    Args:
        depth: The level.
        op: The op; no composite one.
        operands: One per parameter, promoted.

    Raises:
        TensorRuntimeError: The shape of the result would depend on the item, or random numbers are drawn where that is not allowed.
    """
    values = list(operands)
    if op.leaf_flag is not None:
        values[op.leaf_flag] = False  # the result is a leaf on this level, not on the one below
    if op.random:
        from .randomness import draw

        return draw(depth, op, values)
    size = size_of(op, values)
    if size is None:
        result = call_bound(op, [inner(v) if i in op.tensor_slots else v for i, v in enumerate(values)])
        return [Batch(r, False) for r in listed(result)]
    if op.data_dependent and not _is_known_index(op, values):
        raise TensorRuntimeError(
            f"vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over {op.name}.",
            code="vmap_unsupported",
        )
    from .rules import rule_of

    return _applied(rule_of(op), MappedCall(op, values, size))


def _applied(rule: Callable[[MappedCall], Any], call: MappedCall) -> list[Batch]:
    from .looped import loop

    try:
        result = rule(call)
    except GradwireError:
        call.outs  # noqa: B018 - what is wrong with the items is said of the items
        raise
    if result is None:
        result = loop(call)
    return [r if isinstance(r, Batch) else Batch(r, True) for r in listed(result)]


def _is_known_index(op: Op, values: Sequence[Any]) -> bool:
    """Whether this reads at positions that are known, which masks are not where they are mapped."""
    return op.name == "_index_masked" and not any(is_mask(i) and (i.mapped or not i.value.computes_on_arrays) for i in values[1])


def is_mask(index: Any) -> bool:
    """Whether an index is a tensor of truth values."""
    return index is not None and (index.dtype.kind == "b" or index.dtype == np.uint8)


def size_of(op: Op, values: Sequence[Any]) -> int | None:
    """How many items the operands of a call have, ``None`` where none is mapped."""
    for slot in op.tensor_slots:
        value = values[slot]
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Batch) and item.mapped:
                return int(item.value._data.shape[0])
    return None


def listed(result: Any) -> Sequence[Any]:
    """The results of a call, also where there is one."""
    return result if isinstance(result, (tuple, list)) else (result,)


def merged(value: Value) -> Value:
    """The batch and the first axis of the items as one axis."""
    first, second, *rest = value._data.shape
    return ops.reshape(value, (first * second, *rest))  # type: ignore[no-any-return]
