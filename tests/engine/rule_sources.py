"""The syntax trees of rules, for checks of how they are written."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from gradwire_engine.op import Op

FAMILIES = "gradwire_engine.ops"


@cache
def _module_tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module]))


def tree_of(function: Callable[..., Any]) -> ast.Lambda | ast.FunctionDef:
    """The syntax tree of a function of a family, or of a lambda, which is found by the places of its instructions.

    Raises:
        LookupError: There is no such function in the source of its module.
    """
    code: CodeType = function.__code__
    tree = _module_tree(function.__module__)
    if code.co_name != "<lambda>":
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and code.co_firstlineno in (node.lineno, *(d.lineno for d in node.decorator_list)):
                return node
        raise LookupError(f"{function.__qualname__} is not in the source of {function.__module__}")
    places = [(a, c, b, d) for a, b, c, d in code.co_positions() if a is not None and (a, c) != (b, d)]
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno and all(_is_inside(node.body, *place) for place in places)
    ]
    if not around:
        raise LookupError(f"a lambda at line {code.co_firstlineno} is not in the source of {function.__module__}")
    return max(around, key=lambda node: (node.body.lineno, node.body.col_offset))


def _is_inside(body: ast.expr, line: Any, column: Any, end_line: Any, end_column: Any) -> bool:
    end = (body.end_lineno or 0, body.end_col_offset or 0)
    return (body.lineno, body.col_offset) <= (line, column) and (end_line, end_column) <= end


def helpers_of(function: Callable[..., Any]) -> set[FunctionType]:
    """The functions of the families that ``function`` calls, and those that they call."""
    found: set[FunctionType] = set()
    waiting: list[Any] = [function]
    while waiting:
        current = waiting.pop()
        for name in _global_names(current.__code__):
            used = current.__globals__.get(name)
            if isinstance(used, FunctionType) and used.__module__.startswith(FAMILIES) and used not in found:
                found.add(used)
                waiting.append(used)
    return found


def _global_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)


def uses_of_tensors(tree: ast.AST, op: Op) -> Iterator[str]:
    """What a rule does that only arrays or only tensors can: methods, attributes other than the shape, subscripts."""
    tensors = {"g", "out", *(op.outputs or ()), *(op.names[i] for i in op.tensor_slots if not op.params[i].is_list)}
    if op.outputs is not None or op.variable_outputs:
        tensors -= {"g", "out"}
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Attribute, ast.Subscript)) or not isinstance(node.value, ast.Name) or node.value.id not in tensors:
            continue
        if isinstance(node, ast.Subscript):
            yield f"{node.value.id}[...]"
        elif node.attr not in ("shape", "ndim"):
            yield f"{node.value.id}.{node.attr}"
