"""The node of a function that is no op: its edges, what it saved, and what its backward may return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .dtypes import is_differentiable
from .errors import TensorRuntimeError
from .meta import broadcast
from .node import FREED, Edge, Node, Version, edge_of, next_sequence, overwritten
from .value import Value
from .walk_arithmetic import Arithmetic


class CustomNode(Node):
    """The backward of one call of a function that is no op.

    Args:
        title: The name of the function.
        inputs: All of its arguments; those that are tensors have edges.
        outputs: All of its outputs, tensors and others.
        non_differentiable: The outputs that have no gradient although their dtype could.
        materialize: Whether backward gets zeros for outputs that no gradient reached.
    """

    def __init__(
        self, title: str, inputs: Sequence[Any], outputs: Sequence[Any], non_differentiable: Sequence[Value], materialize: bool
    ) -> None:
        self.title = title
        self.tensor_inputs = tuple(i for i, v in enumerate(inputs) if isinstance(v, Value))
        self.input_count = len(inputs)
        self.edges = tuple(_edge(inputs[i]) for i in self.tensor_inputs)
        self.sequence = next_sequence()
        self.tensor_outputs = tuple(i for i, v in enumerate(outputs) if isinstance(v, Value))
        self.output_count = len(outputs)
        self.outs = tuple((outputs[i]._data.shape, outputs[i]._data.dtype) for i in self.tensor_outputs)
        self.single = len(self.outs) == 1
        apart = {id(v) for v in non_differentiable}
        self.differentiable = tuple(is_differentiable(outputs[i]._data.dtype) and id(outputs[i]) not in apart for i in self.tensor_outputs)
        self.materialize = materialize
        self.kind = next(v._recorder for v in outputs if isinstance(v, Value))
        # One entry per saved argument: the tensor (an output without the history that leads here), its version, and where it is from.
        self._saved: list[tuple[Value, Version, int, Any] | None] | None = []

    def name(self) -> str:
        """torch's form of the name: the function's, followed by ``Backward``."""
        return f"{self.title}Backward"

    def save(self, tensors: Sequence[Value | None], outputs: Sequence[Any]) -> None:
        """Keeps tensors for backward; those that are outputs get their history back when they are looked at."""
        self._saved = []
        places = {id(outputs[i]): k for k, i in enumerate(self.tensor_outputs)}
        for tensor in tensors:
            if tensor is None:
                self._saved.append(None)
                continue
            counter = tensor._version_counter
            place = places.get(id(tensor))
            if place is None:
                self._saved.append((tensor, counter, counter.count, tensor))
            else:
                # Holding the output itself would be a cycle, and memory would wait for the collector.
                self._saved.append((tensor._recorder._wrap(tensor._data), counter, counter.count, ~place))

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved for backward.

        Raises:
            TensorRuntimeError: It was given up after a backward, or was written in place since (torch's messages).
        """
        if self._saved is None:
            raise TensorRuntimeError(FREED, code="graph_freed")
        found: list[Any] = []
        for entry in self._saved:
            if entry is None:
                found.append(None)
                continue
            tensor, counter, version, origin = entry
            if counter.count != version:
                raise TensorRuntimeError(overwritten(counter, version, self, _origin(origin)), code="saved_tensor_modified")
            if isinstance(origin, int):
                copy = tensor._recorder._wrap(tensor._data)
                copy._version_counter = counter
                if self.differentiable[~origin]:
                    copy._node, copy._index, copy._requires_grad = self, ~origin, True
                tensor = copy
            found.append(tensor)
        return tuple(found)

    def release(self) -> None:
        """Gives up the saved tensors."""
        if self._saved:
            self._saved = None

    def kept(self) -> Iterator[Any]:
        """The payloads of the saved tensors."""
        return (entry[0]._data for entry in self._saved or () if entry is not None)

    def receives(self, grads: list[Any], arithmetic: Arithmetic) -> list[Any]:
        """One gradient per output, ``None`` for what is no tensor or, unless zeros were wanted, was not reached."""
        found: list[Any] = [None] * self.output_count
        for place, g, (shape, dtype) in zip(self.tensor_outputs, grads, self.outs, strict=True):
            found[place] = arithmetic.zeros(shape, dtype) if g is None and self.materialize else g
        return found

    def answers(self, response: Any) -> Sequence[Any]:
        """Checks what a backward returned, and picks the gradients of the tensors among the inputs.

        Raises:
            TensorRuntimeError: There are too many or too few, one is no tensor, or does not fit (torch's messages).
        """
        given = list(response) if isinstance(response, tuple) else [response]
        while len(given) > self.input_count and given[-1] is None:
            given.pop()
        if len(given) != self.input_count:
            raise TensorRuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {self.input_count}, got {len(given)})",
                code="gradient_count",
            )
        for i, g in enumerate(given):
            if i not in self.tensor_inputs and g is not None:
                raise TensorRuntimeError(
                    f"function {self.name()} returned a gradient different than None at position {i + 1}, "
                    "but the corresponding forward input was not a Variable",
                    code="gradient_count",
                )
        found: list[Any] = []
        for i, (place, edge) in enumerate(zip(self.tensor_inputs, self.edges, strict=True)):
            g = given[place]
            if g is not None and not isinstance(g, Value):
                raise TensorRuntimeError(f"expected Variable or None (got {type(g).__name__})", code="gradient_type")
            if g is None or edge is None:
                found.append(None)
                continue
            self._check_shape(i, g._data.shape, edge[2])
            found.append(g)
        return found

    def _check_shape(self, position: int, have: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        try:
            fits = broadcast(have, wanted) == have
        except TensorRuntimeError:
            fits = False
        if not fits:
            raise TensorRuntimeError(
                f"Function {self.name()} returned an invalid gradient at index {position} - "
                f"got {list(have)} but expected shape compatible with {list(wanted)}",
                code="shape_mismatch",
            )


def _edge(value: Value) -> Edge | None:
    return edge_of(value) if value.requires_grad else None


def _origin(origin: Any) -> Any:
    """Where a saved tensor is from, as the message about its version has it: one of our outputs, or a node, or a bare tensor."""
    if isinstance(origin, int):
        return origin
    return edge_of(origin) if origin.requires_grad else origin._data
