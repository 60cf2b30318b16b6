"""The short way for calls like an earlier one: what follows from the shapes of the arguments is remembered.

A training loop makes the same calls again and again. The first one takes the general path (binding, promotion, shape rules); its
outcome is kept as a :class:`Plan` under everything that it depends on: the op, the metas of its tensors, and its other arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gradwire_engine.dtypes import default_dtype
from gradwire_engine.meta import Meta
from gradwire_engine.modes import GRAD_MODE
from gradwire_engine.node import OpNode, edge_of, next_sequence
from gradwire_engine.op import Op
from gradwire_engine.value import Value
from gradwire_engine.views import share

from .arguments import argument
from .remote import Remote

_MOST_PLANS: Final = 4096
_OF_ONE_CALL: Final = frozenset({"edges", "sequence", "saved", "versions"})
_PLAIN: Final = frozenset({int, bool, str, type(None)})

_plans: dict[Any, Plan | None] = {}


class Plan:
    """What a call makes, whatever the elements of its arguments.

    Attributes:
        metas: The metas of its results.
        values: One per parameter, without the tensors.
        literals: The arguments of the instruction, with ``None`` where a tensor's name or a number goes.
        tensors: The positions of the tensors among the arguments.
        numbers: The positions of the numbers that stand in place of tensors.
        node: What all nodes of such calls have in common; ``None`` where there is no node.
        saves: What the node saves, as ``Spec.saves`` has it.
        saved: The shadows of that.
        sources: For each edge the argument that it leads to, ``None`` where no gradient is needed.
        edges: For each argument the number of its edge, if it has one.
    """

    __slots__ = ("edges", "literals", "metas", "node", "numbers", "op", "saved", "saves", "sources", "tensors", "values")

    def __init__(self, op: Op, args: Sequence[Any], results: Sequence[Any], values: Sequence[Any]) -> None:
        self.op = op
        self.metas: tuple[Meta, ...] = tuple(r._data.meta for r in results)
        self.values = tuple(None if i in op.tensor_slots else v for i, v in enumerate(values))
        self.tensors = tuple(i for i, a in enumerate(args) if isinstance(a, Value))
        self.numbers = tuple(i for i in op.tensor_slots if i < len(args) and not isinstance(args[i], Value))
        # Sizes may be given one by one, where the op has one parameter for them all.
        count = min(len(args), op.first_keyword)
        self.literals = [None if i in op.tensor_slots else argument(values[i], False, False, _never) for i in range(count)]
        node = results[0]._node
        self.node: dict[str, Any] | None = None
        self.saves: tuple[int, ...] = ()
        self.saved: tuple[Any, ...] = ()
        self.sources: tuple[int | None, ...] = ()
        self.edges: dict[int, int] = {}
        if node is not None:
            self.node = {name: value for name, value in vars(node).items() if name not in _OF_ONE_CALL}
            self.saves, self.saved = node.spec.saves, node.saved
            ruled = [slot for slot, has_rule in op.ruled_slots if has_rule]
            self.sources = tuple(None if e is None else slot for slot, e in zip(ruled, node.edges, strict=True))
            self.edges = {slot: number for number, slot in enumerate(self.sources) if slot is not None}


def _never(value: Value) -> str:
    raise AssertionError(value)


def key_of(op: Op, args: Sequence[Any]) -> Any:
    """What the outcome of a call depends on, ``None`` where that is too much to tell."""
    parts: list[Any] = [op, GRAD_MODE.get(), default_dtype()]
    slots = op.tensor_slots
    for i, a in enumerate(args):
        kind = type(a)
        if kind in _PLAIN:
            parts.append((kind, a))
        elif kind is float:
            # 0.0 and -0.0 are equal, and not the same.
            parts.append(float if i in slots else (float, repr(a)))
        elif isinstance(a, Value):
            data = a._data
            if type(data) is not Remote:
                return None
            meta = data.meta
            parts.append((meta.shape, meta.dtype, meta.strides, a.requires_grad))
        elif kind is tuple and all(type(x) is int for x in a):
            parts.append(a)
        else:
            return None
    return tuple(parts)


def plan_for(key: Any) -> Plan | None:
    """The plan for a key, if there is one."""
    return _plans.get(key)


def remember(key: Any, op: Op, args: Sequence[Any], results: Sequence[Any], values: Sequence[Any]) -> None:
    """Keeps the outcome of a call, if the next one like it can do without the general path."""
    if len(_plans) >= _MOST_PLANS:
        _plans.clear()
    node = results[0]._node
    if (
        op.data_dependent
        or op.leaf_flag is not None
        or any(op.params[i].is_list for i in op.tensor_slots)
        or any(isinstance(values[i], Value) for i in op.tensor_slots if i >= len(args))
        or not all(_is_number_or_value(args[i]) for i in op.tensor_slots if i < len(args))
        or not (node is None or isinstance(node, OpNode))
        or (op.variable_outputs and op.view is False)
    ):
        return
    _plans[key] = Plan(op, args, results, values)


def _is_number_or_value(value: Any) -> bool:
    return value is None or isinstance(value, (Value, bool, int, float))


def attach(plan: Plan, args: Sequence[Any], results: Sequence[Value]) -> None:
    """Gives the results of a call a node like that of the first one, and makes views views."""
    op = plan.op
    if op.view:
        share(args[0], results, op, [args[0], *plan.values[1:]])
    if plan.node is None:
        return
    node = OpNode()
    vars(node).update(plan.node)
    node.edges = tuple([None if s is None else edge_of(args[s]) for s in plan.sources])
    node.sequence = next_sequence()
    if plan.saves:
        node.saved = plan.saved
        versions: list[Any] = []
        for code, shadow in zip(plan.saves, plan.saved, strict=True):
            if code < 0:
                counter = results[~code]._version_counter
                versions += (counter, counter.count, code)
            elif code < len(args) and isinstance(args[code], Value):
                counter = args[code]._version_counter
                versions += (counter, counter.count, plan.edges.get(code, shadow))
        node.versions = tuple(versions)
    for index, result in enumerate(results):
        if result._data.dtype.kind in "fc":
            result._node = node
            result._index = index
            result._requires_grad = True
