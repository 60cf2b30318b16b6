"""Statements: assignments of all kinds, and ``no_grad`` blocks."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ProgramError
from ..names import check_name
from ..op import REGISTRY
from ..stopping import watched
from .arguments import describe, several
from .assign import assigned
from .expressions import Expressions
from .source import NodePlaces, Source
from .values import DottedName, Literal, Several, Tensor


class Statements:
    """Compiles the statements of a text, in order.

    Args:
        source: The text.
        inputs: The names of the inputs.
        functions: The custom functions as the document declares them.
        sizes: The names of sizes, which are no variables.

    Attributes:
        expressions: What compiles the expressions, and knows the variables and the nodes.
    """

    def __init__(self, source: Source, inputs: Sequence[str], functions: Mapping[str, Any], sizes: Sequence[str]) -> None:
        self.source = source
        self.expressions = Expressions(source, inputs, functions, sizes)

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Compiles statements.

        Raises:
            GradwireError: One of them is no part of programs, or cannot mean anything; with its place.
        """
        for statement in watched(body):
            match statement:
                case ast.Assign():
                    self._assign(statement)
                case ast.AugAssign():
                    self._augmented(statement)
                case ast.With():
                    # That it is one of no_grad, the scanner has seen to.
                    outer, self.expressions.no_grad = self.expressions.no_grad, True
                    self.run(statement.body)
                    self.expressions.no_grad = outer
                case ast.Expr(value=ast.Constant(value=str())):
                    pass
                case ast.Expr(value=value):
                    # What is wrong inside says more than that nothing comes of it.
                    self.expressions.value(value)
                    raise self.expressions.refused(statement)
                case _:
                    raise self.expressions.refused(statement)

    def _assign(self, statement: ast.Assign) -> None:
        value = self.expressions.value(statement.value)
        with self.source.located(statement.value):
            value = self._settled(value, statement.value)
        for target in statement.targets:
            self._bind(target, value, statement)

    def _settled(self, value: Any, node: ast.expr) -> Any:
        """The value as a variable has it: a tensor that is written out is a node then."""
        if isinstance(value, Literal):
            if value.data is None:
                raise ProgramError("An empty tensor is made by torch.zeros, as in torch.zeros(0, 3).", code="unsupported_syntax")
            place = self.source.place(node)
            return self.expressions.made("tensor", REGISTRY["tensor"], value.args, value.kwargs, NodePlaces(place, place, [place]))
        if isinstance(value, (list, tuple)):
            return type(value)([self._settled(v, node) for v in value])
        if isinstance(value, DottedName):
            raise ProgramError(f"{value.name!r} is no value; operations are called, as in torch.sin(x).", code="undefined_name")
        return value

    def _bind(self, target: ast.expr, value: Any, statement: ast.stmt) -> None:
        if isinstance(target, ast.Name):
            with self.source.located(target):
                check_name(target.id, "")
            if isinstance(value, (Tensor, Several)) and value.call is not None and value.call.wish is None and value.call.outputs is None:
                value.call.wish = target.id
            self.expressions.set(target.id, value)
        elif isinstance(target, ast.Subscript):
            self._write(target, value, statement)
        elif isinstance(target, (ast.Tuple, ast.List)):
            with self.source.located(target):
                self._unpack(target.elts, value, target, statement)
        elif isinstance(target, ast.Attribute):
            message = "Attributes cannot be assigned to; gradients are asked for by 'backward' and 'wrt' beside the program."
            raise self.source.error(message, "unsupported_syntax", target)
        else:
            raise self.expressions.refused(target)

    def _unpack(self, targets: Sequence[ast.expr], value: Any, node: ast.expr, statement: ast.stmt) -> None:
        names: list[str] = []
        for target in targets:
            if not isinstance(target, ast.Name):
                raise self.source.error("Several values are unpacked to plain names.", "unsupported_syntax", target)
            with self.source.located(target):
                names.append(check_name(target.id, ""))
        if isinstance(value, Tensor):
            # As in Python, which goes along the first dimension.
            place = self.source.place(node)
            value = self.expressions.made("unbind", REGISTRY["unbind"], [value], {}, NodePlaces(place, place))
        if isinstance(value, Several):
            parts: Sequence[Any] = [value.pick(i) for i in range(len(names))]
            count = value.count
            fresh = value.call is self.expressions.calls[-1] and value.call.wish is None and value.call.outputs is None
            if fresh and (count is None or count == len(names)):
                value.call.outputs = [None if name == "_" else name for name in names]
            elif count is None:
                raise several(value)
        elif isinstance(value, (list, tuple)):
            parts, count = value, len(value)
        else:
            raise ProgramError(f"{describe(value).capitalize()} cannot be unpacked.", code="output_count")
        if count is not None and count != len(names):
            raise ProgramError(f"There are {count} values, but {len(names)} names.", code="output_count")
        for target, part in zip(targets, parts, strict=True):
            dropped = isinstance(value, Several) and isinstance(target, ast.Name) and target.id == "_"
            if not dropped:
                self._bind(target, part, statement)

    def _augmented(self, statement: ast.AugAssign) -> None:
        target, expressions = statement.target, self.expressions
        if isinstance(target, ast.Name):
            read: ast.expr = ast.copy_location(ast.Name(target.id, ast.Load()), target)
        elif isinstance(target, ast.Subscript):
            read = ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
        else:
            raise self.source.error("Only variables and parts of them can be changed like this.", "unsupported_syntax", target)
        before = expressions.value(read)
        result = expressions.value(ast.copy_location(ast.BinOp(read, statement.op, statement.value), statement))
        if isinstance(target, ast.Subscript):
            self._write(target, result, statement)
            return
        self._bind(target, result, statement)
        if isinstance(before, Tensor):
            expressions.wrote(target.id, before.storage)

    def _write(self, target: ast.Subscript, value: Any, statement: ast.stmt) -> None:
        """``name[index] = value`` as a new value of the name."""
        if not isinstance(target.value, ast.Name):
            message = "Only a part of a variable can be written: bring the indices together, as in x[0, 1] = v."
            raise self.source.error(message, "unsupported_syntax", target)
        expressions, name = self.expressions, target.value.id
        whole = expressions.value(target.value)
        items = expressions.index(target.slice)
        with self.source.located(target):
            if not isinstance(whole, Tensor):
                raise ProgramError(f"Only parts of tensors can be written, and {name!r} is {describe(whole)}.", code="unsupported_syntax")
            place = self.source.place(statement)
            result = assigned(expressions, whole, items, value, NodePlaces(place, place))
        expressions.set(name, result)
        if result.call is not None and result.call.wish is None:
            result.call.wish = name
        expressions.wrote(name, whole.storage)
