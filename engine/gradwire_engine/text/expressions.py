"""Expressions: from the syntax tree to values, with a node for every operation on the way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..brief import shown
from ..dtypes import DType
from ..errors import GradwireError, ProgramError
from ..names import find_op, suggest
from ..op import REGISTRY, Op, Overloads
from ..outputs import several_outputs
from ..params import _ALIASES
from . import tables
from .arguments import CUSTOM, argument_slots, describe, emptied, encode, literal, several
from .source import NodePlaces, Source
from .static import fold, negated
from .values import Call, DottedName, Literal, Several, Storage, Tensor, is_tensor


class Expressions:
    """Compiles expressions.

    Args:
        source: The text.
        inputs: The names of the inputs.
        functions: The custom functions as the document declares them.
        sizes: The names of sizes, which are no variables.

    Attributes:
        variables: What each name stands for at this point.
        calls: The nodes so far.
        no_grad: Whether what is compiled stands in a ``no_grad`` block.
    """

    def __init__(self, source: Source, inputs: Sequence[str], functions: Mapping[str, Any], sizes: Sequence[str]) -> None:
        self.source = source
        self.functions = functions
        self.sizes = frozenset(sizes)
        self.inputs = frozenset(inputs)
        self.variables: dict[str, Any] = {name: Tensor(input=name) for name in inputs}
        self.calls: list[Call] = []
        self.no_grad = False
        self._written: dict[str, str] = {}
        self._values: dict[type[ast.expr], Callable[[Any], Any]] = {
            ast.Constant: lambda node: node.value,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Call: self._call,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.Compare: self._compare,
            ast.Subscript: self._subscript,
            ast.List: lambda node: [self.value(item) for item in node.elts],
            ast.Tuple: lambda node: tuple([self.value(item) for item in node.elts]),
        }

    def value(self, node: ast.expr) -> Any:
        """What an expression stands for.

        Raises:
            GradwireError: It is no part of programs, or cannot mean anything; with its place.
        """
        compile_ = self._values.get(type(node))
        if compile_ is None:
            raise self.refused(node)
        return compile_(node)

    def refused(self, node: ast.AST) -> ProgramError:
        """The error for syntax that programs do not have."""
        return self.source.error(tables.refusal(node), "unsupported_syntax", node)

    def look_up(self, name: str) -> Any:
        """The value of a variable.

        Raises:
            KeyError: There is none of that name.
            ProgramError: An assignment would have changed it in torch, where it shares its elements with what was written.
        """
        value = self.variables[name]
        if name in self._written:
            raise ProgramError(
                f"{name!r} may share its elements with {self._written[name]!r}, which was written in place since, and a program has no "
                f"memory to share. Make {name!r} after that, or of a copy: {self._written[name]}.clone().",
                code="shared_elements",
            )
        return value

    def readable(self) -> dict[str, Any]:
        """The variables that ``look_up`` gives."""
        return {name: value for name, value in self.variables.items() if name not in self._written}

    def set(self, name: str, value: Any) -> None:
        """Gives a name a new value."""
        self.variables[name] = value
        self._written.pop(name, None)

    def wrote(self, name: str, storage: Storage) -> None:
        """Notes that ``name`` was written in place, which in torch all who share the storage see."""
        for other, value in self.variables.items():
            if other != name and isinstance(value, (Tensor, Several)) and value.storage is storage:
                self._written[other] = name

    # Names and constants.

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.variables:
            with self.source.located(node):
                return self.look_up(node.id)
        if node.id in tables.roots() or node.id in REGISTRY:
            return DottedName(node.id)
        if node.id in self.sizes:
            message = f"{node.id!r} is the name of a size, and no value of the program. {tables.ADVICE['shape']}"
            raise self.source.error(message, "undefined_name", node)
        known = [name for name in self.variables if not name.startswith("_")]
        hint = suggest(node.id, {**self.variables, **dict.fromkeys(tables.last_names())})
        hint = hint or (f" Defined are {', '.join(sorted(known)[:8])}." if known else " Nothing is defined at this point.")
        raise self.source.error(f"{shown(node.id)} is not defined.{hint}", "undefined_name", node)

    def _attribute(self, node: ast.Attribute) -> Any:
        base = self.value(node.value)
        if node.attr.startswith("_"):
            message = f"Names that start with an underscore, such as {shown(node.attr)}, are not part of programs."
            raise self.source.error(message, "unsupported_attribute", node)
        if isinstance(base, DottedName):
            full = f"{base.name}.{node.attr}"
            known = tables.torch_value(full)
            return DottedName(full) if known is None else known
        if isinstance(base, Several) and node.attr in base.fields:
            return base.pick(base.fields.index(node.attr))
        with self.source.located(node):
            if is_tensor(base) and node.attr in tables.ATTRIBUTES:
                return self.made(node.attr, REGISTRY[node.attr], [base], {}, NodePlaces(self.source.place(node), self.source.place(node)))
            raise tables.no_attribute(base, node.attr, called=False)

    # Calls.

    def _call(self, node: ast.Call) -> Any:
        args = [self.value(a) for a in node.args]
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self.source.error("Arguments are written out one by one; ** is not part of programs.", "unsupported_syntax", keyword)
            kwargs[keyword.arg] = self.value(keyword.value)
        place = self.source.place
        at = NodePlaces(
            place(node),
            place(node.func),
            [place(a) for a in node.args],
            {k.arg: place(k.value) for k in node.keywords if k.arg is not None},
        )
        if isinstance(node.func, ast.Attribute):
            base = self.value(node.func.value)
            if not isinstance(base, DottedName):
                with self.source.located(node.func):
                    return self._method(base, node.func.attr, args, kwargs, at, node.func.value)
            name = f"{base.name}.{node.func.attr}"
        elif isinstance(node.func, ast.Name) and node.func.id not in self.variables:
            if node.func.id in tables.NUMBERS:
                with self.source.located(node):
                    return tables.NUMBERS[node.func.id](args, kwargs)
            if node.func.id in tables.AMBIGUOUS:
                message = f"In Python {node.func.id}() is not torch's; write torch.{node.func.id}(...)."
                raise self.source.error(message, "unknown_op", node.func)
            name = node.func.id
        else:
            raise self.source.error("Only operations and methods of tensors can be called.", "unsupported_syntax", node.func)
        with self.source.located(node.func):
            return self._function(name, args, kwargs, at)

    def _function(self, name: str, args: list[Any], kwargs: dict[str, Any], at: NodePlaces) -> Any:
        if name.startswith("functions.") and name.removeprefix("functions.") in self.functions:
            return self._custom(name, args, kwargs, at)
        path = tables.op_path(name)
        if path == "tensor":
            written = literal(tuple(args), kwargs)
            if written is not None:
                return written
        advice = tables.ADVICE.get(path)
        if advice is not None and path not in REGISTRY:
            raise ProgramError(advice, code="unknown_op")
        target = find_op(path, {}, self.functions, "")
        assert isinstance(target, (Op, Overloads))  # there are no functions among which to find one
        return self.made(path, target, args, kwargs, at)

    def _method(self, base: Any, name: str, args: list[Any], kwargs: dict[str, Any], at: NodePlaces, receiver: ast.expr) -> Any:
        if isinstance(base, Several):
            raise several(base)
        if isinstance(base, Literal) and name == "reshape" and not kwargs:
            empty = emptied(base, args)
            if empty is not None:
                return empty
        path = tables.methods().get(name) if is_tensor(base) else None
        if path is None:
            raise tables.no_attribute(base, name, called=True)
        target = REGISTRY[path]
        first = target.overloads[0] if isinstance(target, Overloads) else target
        position = first.names.index("input") if "input" in first.names else 0
        places = list(at.args)
        if len(args) < position:
            kwargs = {"input": base, **kwargs}
            at = NodePlaces(at.whole, at.op, places, {**at.kwargs, "input": self.source.place(receiver)})
        else:
            args = [*args[:position], base, *args[position:]]
            places.insert(position, self.source.place(receiver))
            at = NodePlaces(at.whole, at.op, places, at.kwargs)
        return self.made(path, target, args, kwargs, at)

    def _custom(self, name: str, args: list[Any], kwargs: dict[str, Any], at: NodePlaces) -> Any:
        plain = [encode(a, CUSTOM, name, i) for i, a in enumerate(args)]
        named = {key: encode(v, CUSTOM, name, None) for key, v in kwargs.items()}
        call = self._add(Call(name, plain, named, self.no_grad, at))
        forward = self.functions[name.removeprefix("functions.")]
        outputs = forward.get("forward") if isinstance(forward, Mapping) else None
        outputs = outputs.get("outputs") if isinstance(outputs, Mapping) else None
        if isinstance(outputs, list) and len(outputs) > 1:
            return Several(call, len(outputs), (), Storage())
        return Tensor(call=call)

    def made(self, path: str, target: Op | Overloads, args: Sequence[Any], kwargs: Mapping[str, Any], at: NodePlaces) -> Any:
        """A call of an op: its one output, or its several.

        Raises:
            GradwireError: An argument cannot be one.
        """
        plain: list[Any] = []
        named: dict[str, Any] = {}
        which: int | str = 0
        try:
            for which, value in enumerate(args):
                slots = argument_slots(target, which)
                if type(value) is Tensor and slots.tensor and not slots.index:
                    if slots.tensor_by_name is None:
                        plain.append(value)
                    else:
                        # In JSON a string at this place is not the name of a tensor; the parameter's own name makes it one.
                        named[slots.tensor_by_name] = value
                else:
                    plain.append(encode(value, slots, target.short_name, which))
            for which, value in kwargs.items():
                name = which if argument_slots(target, which).params else _ALIASES.get(which, which)
                named[name] = encode(value, argument_slots(target, name), target.short_name, None)
        except GradwireError as error:
            raise (error if error.line is not None else self.source.put(error, at.of_argument(which))) from None
        call = self._add(Call(path, plain, named, self.no_grad, at))
        storage = next((v.storage for v in args if isinstance(v, Tensor)), None) if tables.shares(path, plain) else None
        several_of = several_outputs(target, args, kwargs, is_tensor)
        if several_of is None:
            return Tensor(call=call, storage=storage or Storage())
        fields = several_of.outputs or ()
        return Several(call, len(fields) or None, fields if several_of.named_outputs else (), storage or Storage())

    def _add(self, call: Call) -> Call:
        self.calls.append(call)
        self.source.nodes.append(call.places)
        return call

    # Operators.

    def _binary(self, node: ast.BinOp) -> Any:
        if type(node.op) not in tables.BINARY:
            raise self.refused(node.op if hasattr(node.op, "lineno") else node)
        return self.binary(self.value(node.left), type(node.op), self.value(node.right), node, (node.left, node.right))

    def binary(self, left: Any, sign: type[ast.operator], right: Any, node: ast.AST, parts: tuple[ast.AST, ast.AST]) -> Any:
        """``left sign right``; folded where both are numbers."""
        with self.source.located(node):
            for side in (left, right):
                if isinstance(side, (str, DType, DottedName, Several)) or side is None or side is Ellipsis:
                    raise (
                        several(side)
                        if isinstance(side, Several)
                        else ProgramError(f"Operators work on tensors and numbers, not on {describe(side)}.", code="argument_type")
                    )
            if not is_tensor(left) and not is_tensor(right):
                return fold(left, sign, right)
            place = self.source.place
            whole = place(node)
            at = NodePlaces(whole, whole, [place(p) for p in parts])
            op, reflected = tables.BINARY[sign]
            if is_tensor(left):
                return self.made(op, REGISTRY[op], [left, right], {}, at)
            if sign is ast.Div:
                # torch computes 1 / x as reciprocal(x) * 1, and grad_fn shows it.
                inverse = self.made("reciprocal", REGISTRY["reciprocal"], [right], {}, NodePlaces(at.whole, at.op, at.args[1:]))
                return self.made("mul", REGISTRY["mul"], [inverse, left], {}, NodePlaces(at.whole, at.op, at.args[::-1]))
            if reflected:
                return self.made(op, REGISTRY[op], [left, right], {}, at)
            op = "rsub" if sign is ast.Sub else op
            return self.made(op, REGISTRY[op], [right, left], {}, NodePlaces(at.whole, at.op, at.args[::-1]))

    def _unary(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        with self.source.located(node):
            if not is_tensor(value):
                return negated(value, type(node.op))
            op = tables.UNARY[type(node.op)]
            place = self.source.place
            return self.made(op, REGISTRY[op], [value], {}, NodePlaces(place(node), place(node), [place(node.operand)]))

    def _compare(self, node: ast.Compare) -> Any:
        if len(node.ops) > 1:
            message = "A comparison has two sides; join two comparisons with &: (a < x) & (x < b)."
            raise self.source.error(message, "unsupported_syntax", node)
        parts = (node.left, node.comparators[0])
        left, right = self.value(parts[0]), self.value(parts[1])
        op, swapped = tables.COMPARE[type(node.ops[0])]
        with self.source.located(node):
            if not is_tensor(left) and not is_tensor(right):
                raise ProgramError("One side of a comparison must be a tensor.", code="unsupported_syntax")
            place = self.source.place
            at = NodePlaces(place(node), place(node), [place(p) for p in parts])
            if is_tensor(left):
                return self.made(op, REGISTRY[op], [left, right], {}, at)
            return self.made(swapped, REGISTRY[swapped], [right, left], {}, NodePlaces(at.whole, at.op, at.args[::-1]))

    # Indexing.

    def index(self, node: ast.expr) -> tuple[Any, ...]:
        """What stands between brackets, one item per pair of commas."""
        return tuple([self._item(i) for i in (node.elts if isinstance(node, ast.Tuple) else [node])])

    def _item(self, node: ast.expr) -> Any:
        if not isinstance(node, ast.Slice):
            return self.value(node)
        return slice(*[None if b is None else self.value(b) for b in (node.lower, node.upper, node.step)])

    def _subscript(self, node: ast.Subscript) -> Any:
        base = self.value(node.value)
        items = self.index(node.slice)
        with self.source.located(node):
            if is_tensor(base):
                return self.read(base, items, node, node.value, node.slice)
            if isinstance(base, (Several, list, tuple)) and len(items) == 1 and type(items[0]) is int:
                count = base.count if isinstance(base, Several) else len(base)
                picked = items[0] + count if items[0] < 0 and count is not None else items[0]
                if picked < 0 or (count is not None and picked >= count):
                    among = "an unknown number of" if count is None else count
                    raise ProgramError(f"There is no item {items[0]} among {among} of them.", code="index_out_of_range")
                return base.pick(picked) if isinstance(base, Several) else base[picked]
            if isinstance(base, Several):
                raise several(base)
            raise ProgramError(f"Only tensors can be indexed like this, not {describe(base)}.", code="unsupported_syntax")

    def read(self, base: Any, items: tuple[Any, ...], node: ast.AST, *parts: ast.AST) -> Any:
        """``base[items]``."""
        at = NodePlaces(self.source.place(node), self.source.place(node), [self.source.place(p) for p in parts])
        return self.made("getitem", REGISTRY["getitem"], [base, items], {}, at)
