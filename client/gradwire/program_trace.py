"""A program that is being written down while a Python callable runs: nodes in order, with names to be settled at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from gradwire_engine.dtypes import Array, dtype_of
from gradwire_engine.modes import GRAD_MODE


class Name:
    """What stands in nodes for a value, until it is written.

    Attributes:
        text: The name, which may still change.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Trace:
    """A program, node by node.

    Attributes:
        inputs: The declarations of the inputs, by name.
    """

    def __init__(self) -> None:
        self.inputs: dict[str, dict[str, Any]] = {}
        self._nodes: list[dict[str, Any]] = []
        self._names: list[Name] = []
        self._constants: dict[Any, tuple[Any, Name]] = {}
        # What values are derived from others of the same storage by, kept as long as the trace needs it.
        self.positions: dict[tuple[int, ...], Any] = {}

    def input(self, name: str, shape: Sequence[int], dtype: str) -> Name:
        """Declares an input."""
        self.inputs[name] = {"dtype": dtype, "shape": list(shape)}
        return Name(name)

    def node(self, op: str, args: Sequence[Any], kwargs: Mapping[str, Any], outputs: int | None) -> list[Name]:
        """Writes a node down.

        Args:
            op: What it calls.
            args: Its arguments, with names in place of values.
            kwargs: Likewise.
            outputs: How many it has as a list; ``None`` for one that is no list.

        Returns:
            The names of its outputs.
        """
        made = [self._new_name(op) for _ in range(1 if outputs is None else outputs)]
        node: dict[str, Any] = {"name": made[0] if outputs is None else made, "op": op, "args": list(args)}
        if kwargs:
            node["kwargs"] = dict(kwargs)
        if not GRAD_MODE.get():
            node["no_grad"] = True
        self._nodes.append(node)
        return made

    def constant(self, array: Array, source: Any) -> Name:
        """The name of a constant; the same one for the same ``source``."""
        found = self._constants.get(id(source))
        if found is None:
            # The source is kept, so that its id stays its own.
            found = self._constants[id(source)] = (source, self.node("detach", [written(array)], {}, None)[0])
        return found[1]

    def _new_name(self, op: str) -> Name:
        made = Name(f"{op.rpartition('.')[2].strip('_')}_{len(self._names) + 1}")
        self._names.append(made)
        return made

    def document(self, outputs: Sequence[tuple[str, Name]], default_dtype: str) -> dict[str, Any]:
        """The program as ``PUT /v1/functions/{name}`` takes it.

        Args:
            outputs: What callers call each output, and what is called so; no two are the same, and none is an input.
            default_dtype: The dtype of numbers that have none.
        """
        for label, name in outputs:
            name.text = label
        taken = {*self.inputs, *(label for label, _ in outputs)}
        for name in self._names:
            if name.text in self.inputs or (name.text in taken and all(name is not out for _, out in outputs)):
                while name.text in taken:
                    name.text += "_"
        return {
            "inputs": self.inputs,
            "nodes": [_named(node) for node in self._nodes],
            "outputs": [label for label, _ in outputs],
            "default_dtype": default_dtype,
        }


TRACE: ContextVar[Trace] = ContextVar("gradwire_trace_of_callable")


def written(array: Array) -> dict[str, Any]:
    """A constant as a node has it."""
    return {"data": np.array(array), "dtype": dtype_of(array.dtype).name, "shape": list(array.shape)}


def _named(value: Any) -> Any:
    """A part of a node with texts in place of names."""
    if isinstance(value, Name):
        return value.text
    if isinstance(value, dict):
        return {key: _named(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item) for item in value]
    return value
