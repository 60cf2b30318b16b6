"""The first node of a function that makes a NaN, in its value or in its gradients."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradwire_engine.autograd import walk_back
from gradwire_engine.dtypes import set_default_dtype
from gradwire_engine.execute import Runner, store
from gradwire_engine.limits import Limits
from gradwire_engine.modes import GENERATOR, PURE, enable_grad, no_grad
from gradwire_engine.op import Op, Overloads
from gradwire_engine.program import Function, Node
from gradwire_engine.random import generator_from
from gradwire_engine.stopping import stoppable
from gradwire_engine.tensor import Tensor
from gradwire_engine.value import Value

from .definition import Definition
from .wanted import Request, read_request


def read_nan_check(definition: Definition, document: Any, limits: Limits) -> Request:
    """Reads ``{"inputs", "output", "wrt", "seed"}``; gradients are looked at if an output is named.

    Raises:
        GradwireError: The document is wrong; ``pointer`` tells where.
    """
    return read_request(definition, "nan_check", document, limits)


def find_nan(definition: Definition, request: Request, check: Callable[[], None]) -> dict[str, Any]:
    """Runs the function node by node, and looks at every result.

    Args:
        definition: The function.
        request: The call.
        check: Called before every node; what it raises ends the search.

    Returns:
        ``{"ok", "found"}``, where ``found`` is ``None`` or ``{"where", "name", "op", "pointer", "shape", "count"}``, of a text with
        ``line`` and ``column``. Where it is: in an ``input``, in the result of a node (``value``), or in the gradient that arrives at
        such a result or at an input (``gradient``).
    """
    return contextvars.copy_context().run(_find, definition, request, check)


def _find(definition: Definition, request: Request, check: Callable[[], None]) -> dict[str, Any]:
    set_default_dtype(definition.dtype)
    GENERATOR.set(generator_from(request.seed))
    PURE.set(True)
    inputs = {name: Tensor._wrap(array) for name, array in zip(definition.signature.names, request.arrays, strict=True)}
    for name, tensor in inputs.items():
        if count := _count(tensor):
            return {"ok": False, "found": _found("input", name, None, tensor, count)}
    for name in request.wanted.wrt:
        inputs[name].requires_grad_()
    watcher = _Watcher(check)
    with stoppable(check), definition.program.explained(), enable_grad() if request.wanted.output else no_grad():
        values = watcher.run(definition.program.body, dict(inputs))
        if watcher.found is None and request.wanted.output is not None:
            output = definition.program.outputs()[request.wanted.output]
            watcher.found = _in_gradients(values, output, request.wanted.wrt, watcher.made)
    found = watcher.found
    if found is None:
        return {"ok": True, "found": None}
    for source in definition.program.sources:
        # Of a text the place in it says more than the number of a node that nobody has written.
        place = source.place_of(found["pointer"])
        if place is not None:
            found |= {"pointer": source.pointer, "line": place.line, "column": place.column}
            break
    return {"ok": False, "found": found}


class _Watcher(Runner):
    """Looks at what every node gives.

    Args:
        check: Called before every node.

    Attributes:
        found: The first NaN, as ``_find`` answers it.
        made: The nodes that gave what, by name.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__(check)
        self.found: dict[str, Any] | None = None
        self.made: dict[str, Node] = {}

    def run_node(self, node: Node, values: Mapping[str, Any]) -> Any:
        """Runs one node; inside custom functions their nodes come first."""
        result = super().run_node(node, values)
        named: dict[str, Any] = {}
        store(node, result, named)
        if node.pointer.startswith("/nodes"):
            self.made.update(dict.fromkeys(named, node))
        for name, tensor in named.items():
            if self.found is None and isinstance(tensor, Tensor) and (count := _count(tensor)):
                self.found = _found("value", name, node, tensor, count)
        return result


def _in_gradients(values: Mapping[str, Any], output: str, wrt: Sequence[str], made: Mapping[str, Node]) -> dict[str, Any] | None:
    """The last result in the program, which is where a walk back comes first, at which a gradient with a NaN arrives."""
    named = [name for name in (*wrt, *made) if isinstance(values.get(name), Tensor) and values[name].requires_grad]
    if not values[output].requires_grad:
        return None
    gradients = walk_back([values[output]], [None], [values[name] for name in named])
    for name, gradient in reversed(list(zip(named, gradients, strict=True))):
        if gradient is not None and (count := _count(gradient)):
            return _found("gradient", name, made.get(name), gradient, count)
    return None


def _count(tensor: Value) -> int:
    return int(np.isnan(tensor._data).sum()) if tensor._data.dtype.kind in "fc" else 0


def _found(where: str, name: str, node: Node | None, tensor: Value, count: int) -> dict[str, Any]:
    op = None if node is None else _name_of(node.op)
    pointer = f"/inputs/{name}" if node is None else node.pointer
    shape = list(tensor._data.shape)
    return {"where": where, "name": name, "op": op, "pointer": pointer, "shape": shape, "count": count}


def _name_of(target: Op | Overloads | Function) -> str:
    return f"functions.{target.name}" if isinstance(target, Function) else target.name
