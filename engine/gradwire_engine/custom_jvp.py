"""Forward mode through custom functions, by their ``jvp`` programs.

The derivative along tangents is found by transposing: gradients are taken of cotangents that are variables, and a walk back through
those gradients is the derivative forwards (``derivatives``). What a custom function does to a cotangent is a program, of which nobody knows
that it is the transpose of the derivative. So while gradients are transposed it is not run; a node stands in its place, and the
walk that comes back there runs the program ``jvp``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .errors import TensorRuntimeError
from .meta import broadcast
from .node import Node, edge_of, next_sequence
from .op import ops
from .value import Value
from .walk_arithmetic import ARRAYS, Arithmetic

if TYPE_CHECKING:
    from .custom import FunctionNode

TRANSPOSING: ContextVar[bool] = ContextVar("gradwire_transposing", default=False)
"""Set while gradients are taken in order to be transposed."""


@contextmanager
def transposing() -> Iterator[None]:
    """The gradients that are taken inside are there to be walked back through, and their values do not matter."""
    token = TRANSPOSING.set(True)
    try:
        yield
    finally:
        TRANSPOSING.reset(token)


class TransposedNode(Node):
    """What stands behind the gradients of a custom function while they are transposed.

    Args:
        function_node: The backward of the call.
        grads: The gradients that arrived there.
    """

    def __init__(self, function_node: FunctionNode, grads: Sequence[Any]) -> None:
        self._function_node = function_node
        self.sequence = next_sequence()
        self.reached = [i for i, edge in enumerate(function_node.edges) if edge is not None]
        self.single = len(self.reached) == 1
        self.outs = tuple((edge[2], edge[3]) for edge in function_node.edges if edge is not None)
        self.edges = tuple(edge_of(g) if isinstance(g, Value) and g.requires_grad else None for g in grads)

    def name(self) -> str:
        """The name of the function, with what is computed."""
        return f"{self._function_node.function.name}Jvp"

    def apply(self, grads: list[Any], arithmetic: Arithmetic) -> Sequence[Any]:
        """Runs the forward-mode program on the tangents of the inputs; gives the tangents of the outputs."""
        node = self._function_node
        function = node.function
        assert function.jvp is not None
        recorder = node.recorder(arithmetic)
        values = node.saved_values(arithmetic)
        arrived = dict(zip(self.reached, grads, strict=True))
        for i, (name, like) in enumerate(zip(function.forward.inputs, node.inputs, strict=True)):
            tangent = arrived.get(i)
            if tangent is not None:
                values[f"tangent_{name}"] = node.wrapped(tangent, arithmetic)
            else:
                values[f"tangent_{name}"] = 0.0 if like is None else recorder.zeros(*like)
        done = node.run(function.jvp, {name: values[name] for name in function.jvp.inputs})
        results: list[Any] = []
        for output, tangent_name, (shape, dtype), edge in zip(
            function.forward.outputs, function.tangents, node.outs, self.edges, strict=True
        ):
            if tangent_name is None or edge is None:
                results.append(None)
                continue
            found = done[tangent_name]
            if not isinstance(found, Value):
                found = recorder.zeros((), dtype) + found
            found = _expanded(found, shape, function.name, output)
            results.append(found._data if arithmetic is ARRAYS else found)
        return results


def _expanded(found: Value, shape: tuple[int, ...], function: str, output: str) -> Any:
    have = tuple(found.shape)
    if have == shape:
        return found
    try:
        fits = broadcast(have, shape) == shape
    except TensorRuntimeError:
        fits = False
    if not fits:
        raise TensorRuntimeError(
            f"The program 'jvp' of the function {function!r} gives a tangent of the shape {list(have)} for the output {output!r}, "
            f"whose shape is {list(shape)}.",
            code="shape_mismatch",
        )
    return ops.expand(found, shape)


def gradients_to_transpose(node: FunctionNode, grads: Sequence[Any], arithmetic: Arithmetic) -> list[Any]:
    """Gradients of the inputs of a custom function whose values do not matter, with a history that leads through its ``jvp``.

    Args:
        node: The backward of the call.
        grads: The gradients that arrived there.
        arithmetic: How the walk computes: on values that record.
    """
    recorder = node.recorder(arithmetic)
    behind = TransposedNode(node, grads)
    results: list[Any] = [None] * len(node.edges)
    for index, position in enumerate(behind.reached):
        made = recorder.zeros(*behind.outs[index])
        if any(edge is not None for edge in behind.edges):
            made._node, made._index, made._requires_grad = behind, index, True
        results[position] = made
    return results
