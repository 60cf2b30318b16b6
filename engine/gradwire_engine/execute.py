"""Running programs, on any recorder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .brief import shown
from .custom import call_function
from .errors import GradwireError, ProgramError
from .modes import GUARD, no_grad
from .names import suggest
from .op import Op, Overloads
from .program import PLAIN, Body, Constant, Function, Node, Reference
from .stopping import watched
from .tensor import Tensor
from .value import Value

Guard = Callable[[Any, Sequence[Any]], None]
Values = dict[str, Any]
"""The values of a run by name; an op of several outputs has ``name.0``, ``name.1``, ..."""


class Runner:
    """Runs the nodes of programs in order.

    Args:
        check: Called before every node; it raises to stop the run.
        before: Called with every node that is about to run and the values so far; what it returns, if anything, guards the
            operations of the node (``modes.GUARD``).
    """

    def __init__(self, check: Callable[[], None], before: Callable[[Node, Values], Guard | None] | None = None) -> None:
        self._check = check
        self._before = before

    def run(self, body: Body, values: Values) -> Values:
        """Runs ``body``.

        Args:
            body: The nodes.
            values: The values of the inputs; the nodes' are added.

        Returns:
            ``values``.

        Raises:
            GradwireError: A node failed; its ``pointer`` leads to the node, or to the argument at fault.
        """
        for node in body.nodes:
            self._check()
            try:
                guard = None if self._before is None else self._before(node, values)
                token = GUARD.set(guard)
                try:
                    result = self.run_node(node, values)
                finally:
                    GUARD.reset(token)
                store(node, result, values)
            except GradwireError as error:
                raise locate(error, node) from None
        return values

    def run_node(self, node: Node, values: Mapping[str, Any]) -> Any:
        """Runs one node and gives its result: a tensor, or a tuple of them."""
        args = [self._resolve(a, values, f"{node.pointer}/args/{i}") for i, a in enumerate(node.args)]
        kwargs = {key: self._resolve(v, values, f"{node.pointer}/kwargs/{key}") for key, v in node.kwargs.items()}
        if node.no_grad:
            with no_grad():
                return self._call(node.op, args, kwargs)
        return self._call(node.op, args, kwargs)

    def constant(self, constant: Constant) -> Any:
        """The tensor that a constant stands for."""
        return Tensor._wrap(constant.array)

    def _call(self, target: Op | Overloads | Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if isinstance(target, Function):
            return call_function(target, args, kwargs, self.run)
        return target(*args, **kwargs)

    def _resolve(self, value: Any, values: Mapping[str, Any], pointer: str) -> Any:
        if isinstance(value, Reference):
            if value.name in values:
                return values[value.name]
            base = value.name.partition(".")[0]
            count = sum(1 for name in values if name.startswith(base + "."))
            if not count:
                raise ProgramError(f"{base!r} is one tensor, so it has no output {value.name!r}.", code="undefined_name", pointer=pointer)
            raise ProgramError(
                f"{base!r} has {count} outputs; refer to one of them as {base}.0 to {base}.{count - 1}.",
                code="undefined_name",
                pointer=pointer,
            )
        if isinstance(value, Constant):
            return self.constant(value)
        if isinstance(value, list):
            return [self._resolve(v, values, f"{pointer}/{i}") for i, v in watched(enumerate(value))]
        if isinstance(value, tuple):
            if PLAIN.issuperset(map(type, value)):
                return value
            return tuple(self._resolve(v, values, f"{pointer}/{i}") for i, v in watched(enumerate(value)))
        if isinstance(value, slice):
            return slice(*[self._resolve(v, values, pointer) for v in (value.start, value.stop, value.step)])
        return value


def store(node: Node, result: Any, values: Values) -> None:
    """Puts the result of a node under its names."""
    names = node.names
    if isinstance(names, str):
        if isinstance(result, (tuple, list)):
            for i, item in enumerate(result):
                values[f"{names}.{i}"] = item
        else:
            values[names] = result
        return
    results: Sequence[Any] = result if isinstance(result, (tuple, list)) else (result,)
    if len(results) != len(names):
        raise ProgramError(f"The node has {len(results)} outputs, but {len(names)} names.", code="output_count", pointer="/name")
    for name, item in zip(names, results, strict=True):
        if name is not None:
            values[name] = item


def value_of(values: Values, name: str, pointer: str) -> Any:
    """The tensor of this name.

    Raises:
        ProgramError: There is none, or the name stands for several; its pointer is ``pointer``.
    """
    found = values.get(name)
    if isinstance(found, Value):
        return found
    parts = sorted(n for n in values if n.startswith(name + "."))
    if parts:
        raise ProgramError(
            f"{name!r} has {len(parts)} outputs; refer to one of them as {parts[0]} to {parts[-1]}.", code="undefined_name", pointer=pointer
        )
    raise ProgramError(f"{shown(name)} is not defined.{suggest(name, values)}", code="undefined_name", pointer=pointer)


def locate(error: GradwireError, node: Node) -> GradwireError:
    """Turns a pointer to a parameter (``/dim``) into one to the argument in the document."""
    pointer = error.pointer or ""
    if pointer.startswith((node.pointer + "/", "/functions/")):
        return error
    head, _, rest = pointer.removeprefix("/").partition("/")
    rest = "/" + rest if rest else ""
    if head == "name" or not head:
        error.pointer = node.pointer + (f"/{head}" if head else "")
    elif head in node.kwargs:
        error.pointer = f"{node.pointer}/kwargs/{head}{rest}"
    else:
        place = next((names.index(head) for names in _parameter_names(node.op) if head in names), len(node.args))
        error.pointer = f"{node.pointer}/args/{place}{rest}" if place < len(node.args) else node.pointer
    return error


def _parameter_names(target: Op | Overloads | Function) -> Sequence[Sequence[str]]:
    """The names of the parameters, for each overload."""
    if isinstance(target, Function):
        return [target.forward.inputs]
    return [overload.names for overload in target.overloads] if isinstance(target, Overloads) else [target.names]
