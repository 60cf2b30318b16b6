"""Operations that are not expressed through others on the batch: one op whose kernel takes all items.

Where the op has a kernel for that (``whole``), it runs once; otherwise its own kernel runs item after item. However many items there
are, it is one operation to the graph and one instruction of a trace. Its rules are the op's own, run on batched values.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..meta import Meta, dense, meta_of_array
from ..op import Op, Rule, ops
from ..opmath import narrowed, widened
from ..record import call_bound
from ..shapes import infer
from ..stopping import watched
from ..tensor import Tensor
from ..value import Value
from ..walk_arithmetic import sum_to_shape
from .apply import MappedCall, inner
from .batch import Batch, Batched, depth_of, level
from .whole import whole_kernel

Pattern = tuple[Any, ...]
"""For each tensor slot whether its operand is mapped; a tuple of booleans for a list of tensors."""


def loop(call: MappedCall) -> Any:
    """Carries a call out item after item, in one operation."""
    slots = call.op.tensor_slots
    pattern = tuple(_mapped(call.values[i]) for i in slots)
    return call_bound(_looped(call.op, pattern), [inner(v) if i in slots else v for i, v in enumerate(call.values)])


def _mapped(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_mapped(v) for v in value)
    return isinstance(value, Batch) and value.mapped


@functools.lru_cache(maxsize=1024)
def _looped(op: Op, pattern: Pattern) -> Looped:
    return Looped(op, pattern)


class Looped(Op):
    """An op on a batch of items, each of which another op would take.

    Args:
        op: The other; no composite one.
        pattern: Which operands have the leading axis of the batch.
    """

    def __init__(self, op: Op, pattern: Pattern) -> None:
        # It has the same parameters and outputs; what follows from shapes and promotion is its own.
        self.__dict__.update(op.__dict__)
        self.item_op = op
        self._pattern = dict(zip(op.tensor_slots, pattern, strict=True))
        self.name = f"vmap({op.full_name})"
        self.overload = ""
        self._whole = whole_kernel(op)
        self.kernel = self._run_items
        self.batch = "item_by_item"
        everything = tuple(range(len(op.params)))
        self.meta_rule, self.meta_positions = self._metas, everything
        self.promotion, self.promoted = "none", frozenset()
        self.elementwise = self.view = self.multi_view = False
        self.method = self.inplace = self.numbers_alone = self.named_outputs = False
        self.check = self.inplace_check = self.leaf_flag = None
        if op.work is not None:
            self.work, self.work_positions = self._work, everything
        if op.scratch is not None:
            self.scratch, self.scratch_positions = self._scratch, everything
        self.vjp = {key: self._mapped_rule(key, rule) for key, rule in op.vjp.items()}
        self.vjp_specs = {}
        self.recorder = self._first_call

    def run(self, values: Sequence[Any]) -> Any:
        """Calls the kernel with one value per parameter."""
        wide = widened(values) if self.opmath else None
        return self.kernel(*values) if wide is None else narrowed(self.kernel(*wide))

    def _item(self, slot: int, value: Any, pick: Callable[[Any], Any]) -> Any:
        """What one item sees of the operand at ``slot``; ``pick`` takes a row of what is mapped."""
        mapped = self._pattern.get(slot, False)
        if isinstance(mapped, tuple):
            return tuple(pick(v) if m else v for v, m in zip(value, mapped, strict=True))
        return pick(value) if mapped else value

    def _items(self, values: Sequence[Any], pick: Callable[[Any], Any]) -> list[Any]:
        return [self._item(i, v, pick) for i, v in enumerate(values)]

    def _size(self, values: Sequence[Any]) -> int:
        for slot, mapped in self._pattern.items():
            operands = values[slot] if isinstance(mapped, tuple) else (values[slot],)
            for operand, flag in zip(operands, mapped if isinstance(mapped, tuple) else (mapped,), strict=True):
                if flag:
                    return int(operand.shape[0])
        raise AssertionError("a loop has an operand that is mapped")

    def _run_items(self, *values: Any) -> Any:
        size = self._size(values)
        if not size or self._whole is not None:
            metas = infer(self.item_op, self._items([_as_meta(v) for v in values], _row_meta))
        if not size:
            made: Sequence[Any] = [np.empty((0, *m.shape), m.dtype) for m in metas]
        elif self._whole is not None:
            return self._whole(*[self._spread(i, v, size) for i, v in enumerate(values)])
        else:
            rows = [self._row(values, k) for _, k in watched(enumerate(range(size)))]
            made = [np.stack([np.asarray(x) for x in column]) for column in zip(*rows, strict=True)]
        return tuple(made) if self.outputs is not None or self.variable_outputs else made[0]

    def _spread(self, slot: int, value: Any, size: int) -> Any:
        """An operand with the leading axis, also where it is the same for all items."""
        if self._pattern.get(slot, True) or value is None:
            return value
        return np.broadcast_to(value, (size, *np.shape(value)))

    def _row(self, values: Sequence[Any], k: int) -> Sequence[Any]:
        result = self.item_op.run(self._items(values, lambda x: x[k, ...]))
        return (result,) if self.outputs is None and not self.variable_outputs else result

    def _metas(self, *values: Any) -> tuple[Meta, ...]:
        size = self._size(values)
        return tuple(dense((size, *m.shape), m.dtype) for m in infer(self.item_op, self._items(values, _row_meta)))

    def _work(self, *values: Any) -> int:
        assert self.item_op.work is not None
        items = self._items(values, _row_meta)
        return self._size(values) * self.item_op.work(*[items[i] for i in self.item_op.work_positions])

    def _scratch(self, *values: Any) -> int:
        assert self.item_op.scratch is not None
        items = self._items(values, _row_meta)
        # The results of the items are held beside the whole that they become.
        held = sum(m.nbytes for m in self._metas(*values))
        return held + self.item_op.scratch(*[items[i] for i in self.item_op.scratch_positions])

    def _mapped_rule(self, key: tuple[str, ...], rule: Rule) -> Rule:
        """A rule of the other op, run on batched values and settled for each operand."""
        own = tuple(inspect.signature(rule).parameters)
        names = tuple(dict.fromkeys(("g", *[f"{k}_meta" for k in key], *own)))

        def mapped(*args: Any) -> Any:
            given = dict(zip(names, args, strict=True))
            cotangents = given["g"] if type(given["g"]) is tuple else (given["g"],)
            plain = not isinstance(cotangents[0], Value)
            kind = level(depth_of(_flat(args)) + 1)
            result = rule(*[self._operand(kind, name, given[name]) for name in own])
            found = [
                self._settled(r, self._pattern[self.names.index(k)], given[f"{k}_meta"], int(cotangents[0].shape[0]))
                for k, r in zip(key, (result,) if len(key) == 1 else result, strict=True)
            ]
            if plain:
                found = [_plain(r) for r in found]
            return found[0] if len(key) == 1 else tuple(found)

        parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
        mapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return mapped

    def _operand(self, kind: type[Value], name: str, value: Any) -> Any:
        """One argument of a rule as the items see it."""
        if name in self.names:
            slot = self.names.index(name)
            return _wrapped(kind, value, self._pattern[slot]) if slot in self._pattern else value
        if name in ("g", "out", *(self.outputs or ())):
            return _wrapped(kind, value, (True,) * len(value) if type(value) is tuple else True)
        if name.endswith("_meta"):
            return self._item(self.names.index(name.removesuffix("_meta")), value, _row_meta)
        return value

    def _settled(self, result: Any, mapped: Any, meta: Any, size: int) -> Any:
        """The gradient of an operand from what the rule gave for it: with the batch's axis, or summed over it."""
        if type(mapped) is tuple:
            return [self._settled(r, m, x, size) for r, m, x in zip(result, mapped, meta, strict=True)]
        if result is None:
            return None
        shape = meta.shape[1:] if mapped else meta.shape
        if tuple(result.shape) != shape:
            result = sum_to_shape(result, shape)
        batch = result._data if isinstance(result, Batched) else Batch(result, False)
        if mapped:
            return batch.stacked(size)
        return ops.sum(batch.value, (0,)) if batch.mapped else batch.value * size


def _wrapped(kind: type[Value], value: Any, mapped: Any) -> Any:
    if type(mapped) is tuple:
        return tuple(_wrapped(kind, v, m) for v, m in zip(value, mapped, strict=True))
    if value is None or isinstance(value, (bool, int, float, complex)):
        return value
    return kind._wrap(Batch(value if isinstance(value, Value) else Tensor._lift(value), mapped))


def _plain(result: Any) -> Any:
    if isinstance(result, list):
        return [_plain(r) for r in result]
    return result if result is None else result._data


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (tuple, list)):
            yield from _flat(value)
        else:
            yield value


def _as_meta(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_as_meta(v) for v in value)
    return meta_of_array(value) if isinstance(value, np.ndarray) else value


def _row_meta(meta: Meta) -> Meta:
    return Meta(meta.shape[1:], meta.dtype, meta.strides[1:])
