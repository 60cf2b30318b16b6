"""Writing programs as text, which ``read`` reads back to the same nodes."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from typing import Any, Final

from ..dtypes import Array, dtype_of
from ..errors import GradwireError, ProgramError
from ..op import Op, Overloads
from ..outputs import several_outputs
from ..parse_nodes import slots_of
from ..program import Constant, Function, Node, Program, Reference
from ..stopping import watched
from . import tables

_OPERATORS: Final = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "floor_divide": "//",
    "remainder": "%",
    "pow": "**",
    "matmul": "@",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "bitwise_xor": "^",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}
_SIGNS: Final = {"neg": "-", "bitwise_not": "~"}
# A variable of such a name would hide what the text needs.
_NEEDED: Final = frozenset({"torch", "functions", "float", "complex"})


def write_text(program: Program) -> str:
    """The program as text. What ``functions`` declares is called in it, and stands beside it as before.

    The names of intermediate values are kept where they can be.

    Raises:
        ProgramError: It has an input of a name that the text needs, such as ``torch``.
    """
    return "".join(line + "\n" for line in _Writer(program).lines())


class _Writer:
    def __init__(self, program: Program) -> None:
        self._program = program
        hidden = _NEEDED.intersection(program.body.inputs)
        if hidden:
            raise ProgramError(f"A program with an input of the name {min(hidden)!r} cannot be written as text.", code="invalid_name")
        self._names = self._choose_names()

    def _choose_names(self) -> dict[str, str]:
        """The names in the text of the nodes that cannot keep theirs."""
        given = [name for node in self._program.body.nodes for name in _names_of(node)]
        taken = {*given, *self._program.body.inputs, *self._program.outputs()}
        chosen: dict[str, str] = {}
        for name in given:
            if name in _NEEDED or name == "_" or keyword.iskeyword(name):
                number = 1
                while f"{name}_{number}" in taken:
                    number += 1
                chosen[name] = f"{name}_{number}"
                taken.add(chosen[name])
        return chosen

    def lines(self) -> Iterator[str]:
        """The lines of the text."""
        inside = False
        for node in watched(self._program.body.nodes):
            if node.no_grad and not inside:
                yield "with torch.no_grad():"
            inside = node.no_grad
            yield f"{'    ' if inside else ''}{self._targets(node)} = {self._call(node)}"
        renamed = {label: self._reference(name) for label, name in self._program.outputs().items() if label != self._reference(name)}
        renamed = {label: name for label, name in renamed.items() if "." not in label}
        if renamed:
            # All at once, because one may have the name of another.
            yield f"{', '.join(renamed)} = {', '.join(renamed.values())}"

    def _targets(self, node: Node) -> str:
        if isinstance(node.names, str):
            return self._names.get(node.names, node.names)
        names = ["_" if name is None else self._names.get(name, name) for name in node.names]
        if len(names) == 1 and not self._has_several(node):
            return names[0]
        return ", ".join(names) + ("," if len(names) == 1 else "")

    def _has_several(self, node: Node) -> bool:
        if isinstance(node.op, Function):
            return len(node.op.forward.outputs) > 1
        return several_outputs(node.op, node.args, node.kwargs, _is_tensor) is not None

    def _reference(self, name: str) -> str:
        base, dot, picked = name.partition(".")
        base = self._names.get(base, base)
        return f"{base}[{picked}]" if dot else base

    def _call(self, node: Node) -> str:
        op, args, kwargs = node.op, node.args, node.kwargs
        if isinstance(op, Function):
            parts = [self._value(a, frozenset()) for a in args] + [f"{k}={self._value(v, frozenset())}" for k, v in kwargs.items()]
            return f"functions.{op.name}({', '.join(parts)})"
        if op.name == "getitem":
            return self._getitem(op, node)
        values = [self._value(a, _kinds(op, i, None)) for i, a in enumerate(args)]
        named = [f"{key}={self._value(v, _kinds(op, None, key))}" for key, v in kwargs.items()]
        if args and isinstance(args[0], Reference):
            if len(args) == 1 and not kwargs and op.name in tables.ATTRIBUTES:
                return f"{values[0]}.{op.name}"
            if len(args) == 1 and not kwargs and op.name in _SIGNS:
                return f"{_SIGNS[op.name]}{values[0]}"
            if len(args) == 2 and not kwargs and op.name in _OPERATORS and _can_be_operand(args[1]):
                return f"{values[0]} {_OPERATORS[op.name]} {values[1]}"
            first = op.overloads[0] if isinstance(op, Overloads) else op
            short = op.name.rpartition(".")[2]
            if tables.methods().get(short) == op.name and first.names[0] == "input":
                return f"{values[0]}.{short}({', '.join([*values[1:], *named])})"
        return f"torch.{op.name}({', '.join([*values, *named])})"

    def _getitem(self, op: Op | Overloads, node: Node) -> str:
        assert isinstance(op, Op)
        try:
            tensor, index = op.bind(node.args, node.kwargs, _is_tensor)
        except GradwireError:
            raise ProgramError("An index without a tensor or without items cannot be written as text.", pointer=node.pointer) from None
        items = [self._item(i) for i in index]
        return f"{self._value(tensor, frozenset({'Tensor'}))}[{', '.join(items) or '()'}]"

    def _item(self, item: Any) -> str:
        if item is Ellipsis:
            return "..."
        if isinstance(item, slice):
            bounds = ["" if b is None else str(b) for b in (item.start, item.stop)]
            return ":".join(bounds) + ("" if item.step is None else f":{item.step}")
        return self._value(item, frozenset({"Index"}))

    def _value(self, value: Any, kinds: frozenset[str]) -> str:
        if isinstance(value, Reference):
            return self._reference(value.name)
        if isinstance(value, Constant):
            return _tensor(value.array)
        if isinstance(value, str) and "Dtype" in kinds:
            try:
                return f"torch.{dtype_of(value).name}"
            except GradwireError:
                return _plain(value)
        if isinstance(value, (list, tuple)):
            items = [self._value(v, kinds) for v in value]
            if isinstance(value, list) or "Data" in kinds:
                return f"[{', '.join(items)}]"
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        return _plain(value)


def _names_of(node: Node) -> list[str]:
    return [node.names] if isinstance(node.names, str) else [name for name in node.names if name is not None]


def _kinds(op: Op | Overloads, position: int | None, name: str | None) -> frozenset[str]:
    return frozenset(p.kind for p in slots_of(op, position, name))


def _can_be_operand(value: Any) -> bool:
    return isinstance(value, (Reference, Constant, bool, int, float, complex))


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (Reference, Constant))


def _plain(value: Any) -> str:
    """A number, a string or ``None``."""
    if isinstance(value, complex):
        return f"complex({_plain(value.real)}, {_plain(value.imag)})"
    if isinstance(value, float):
        text = repr(value)
        return text if text.lstrip("-")[0].isdigit() else f'float("{text}")'
    return ascii(value)


def _tensor(array: Array) -> str:
    dtype = dtype_of(array.dtype)
    if array.size == 0:
        sizes = ", ".join(map(str, array.shape))
        return f"torch.tensor([], dtype={dtype!r})" + (f".reshape({sizes})" if array.shape != (0,) else "")
    return f"torch.tensor({_nested(array.tolist())}, dtype={dtype!r})"


def _nested(value: Any) -> str:
    return f"[{', '.join([_nested(v) for v in value])}]" if isinstance(value, list) else _plain(value)
