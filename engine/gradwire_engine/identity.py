"""The identity of programs: a hash of what they compute, and not of how it is written down.

Covered are the operations with their overloads, their parameters with defaults filled in, constants bit for bit, custom functions with
all that they consist of, and the names that callers use: of inputs and outputs. The names of what lies in between are not.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .dtypes import Array, to_real
from .errors import GradwireError
from .op import Overloads
from .outputs import several_outputs
from .program import Body, Constant, Function, Node, Program, Reference
from .stopping import watched


def program_hash(program: Program, inputs: Mapping[str, Any]) -> str:
    """The hash of a program, in hexadecimal: equal for programs that differ in the names of intermediate values alone.

    Args:
        program: The program.
        inputs: How the inputs are declared: anything by name that JSON can hold.
    """
    outputs = program.outputs()
    computed = _BodyHash({name: f"input {name}" for name in program.body.inputs}, {}).of(program.body, list(outputs.values()))
    return _digest(json.dumps(inputs, sort_keys=True), json.dumps(program.body.inputs), json.dumps(list(outputs)), computed)


def _digest(*parts: str) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        # With its length in front, so that no two lists of parts run together to the same text.
        hashed.update(b"%d:" % len(encoded))
        hashed.update(encoded)
    return hashed.hexdigest()


class _BodyHash:
    """Writes a body down with numbers in place of names.

    Args:
        names: What stands for each input.
        functions: The hashes of the custom functions that are known already.
    """

    def __init__(self, names: dict[str, str], functions: dict[int, str]) -> None:
        self._names = names
        self._functions = functions

    def of(self, body: Body, outputs: Sequence[str | None]) -> str:
        """The hash of the nodes and of which values come out."""
        hashed = hashlib.sha256()
        for number, node in watched(enumerate(body.nodes)):
            hashed.update(self._node(node).encode("utf-8", "surrogatepass") + b"\n")
            if isinstance(node.names, str):
                self._names[node.names] = f"node {number}"
            else:
                self._names.update({name: f"node {number}.{i}" for i, name in enumerate(node.names) if name is not None})
        return _digest(hashed.hexdigest(), *[self._value(None if o is None else Reference(o)) for o in outputs])

    def _node(self, node: Node) -> str:
        op, several = node.op, True
        if isinstance(op, Function):
            name, several = f"function {self._function(op)}", len(op.forward.outputs) > 1
            given = dict(zip(op.forward.inputs, node.args, strict=False))
            bound = len(node.args) <= len(op.forward.inputs) and node.kwargs.keys() <= set(op.forward.inputs) - given.keys()
            given.update(node.kwargs)
            values = [given[i] for i in op.forward.inputs if i in given] if bound else [*node.args, node.kwargs]
        else:
            name, values = op.name, [list(node.args), node.kwargs]
            several = several_outputs(op, node.args, node.kwargs, _is_tensor) is not None
            try:
                if isinstance(op, Overloads):
                    op, values = op.resolve(node.args, node.kwargs, _is_tensor)
                else:
                    values = op.bind(node.args, node.kwargs, _is_tensor)
                name = op.full_name
            except GradwireError:
                # What cannot be bound is hashed as it stands.
                name += " unbound"
        # How many names there are matters where they might be too many or too few.
        count = len(node.names) if several and isinstance(node.names, tuple) else -1
        return f"{name} {count} {node.no_grad} {self._value(values)}"

    def _function(self, function: Function) -> str:
        known = self._functions.get(id(function))
        if known is None:
            forward = _BodyHash({name: f"input {i}" for i, name in enumerate(function.forward.inputs)}, self._functions)
            given = {f"grad_{name}": f"grad {i}" for i, name in enumerate(function.forward.outputs)}
            for name in function.save:
                inputs = function.forward.inputs
                given[name] = f"input {inputs.index(name)}" if name in inputs else f"output {function.forward.outputs.index(name)}"
            backward = _BodyHash(given, self._functions)
            saved = json.dumps([given[name] for name in function.save])
            forwards: list[str] = []
            if function.jvp is not None:
                along = {f"tangent_{name}": f"tangent {i}" for i, name in enumerate(function.forward.inputs)}
                along |= {name: given[name] for name in function.save}
                forwards = [_BodyHash(along, self._functions).of(function.jvp, function.tangents)]
            # The name is that of the grad_fn, which answers show.
            known = self._functions[id(function)] = _digest(
                function.name,
                json.dumps(len(function.forward.inputs)),
                forward.of(function.forward, function.forward.outputs),
                saved,
                backward.of(function.backward, function.gradients),
                *forwards,
            )
        return known

    def _value(self, value: Any) -> str:
        kind = type(value)
        if kind is Reference:
            base, dot, picked = value.name.partition(".")
            found = self._names[value.name] if value.name in self._names else self._names[base] + dot + picked
            return f"<{found if found.startswith('input') or '.' in found else found + '.0'}>"
        if kind is Constant:
            array = value.array
            content = hashlib.sha256(_content(array)).hexdigest()
            return f"<constant {array.dtype.name} {array.shape} {content}>"
        if kind is float:
            return f"float {_bits(value)}"
        if kind is complex:
            return f"complex {_bits(value.real)} {_bits(value.imag)}"
        if kind in (list, tuple):
            return f"[{', '.join([self._value(v) for v in value])}]"
        if kind is dict:
            return f"{{{', '.join([f'{key!r}: {self._value(v)}' for key, v in sorted(value.items())])}}}"
        if kind is slice:
            return f"slice {value.start} {value.stop} {value.step}"
        if isinstance(value, np.dtype):
            return f"dtype {value.name}"
        # Integers, booleans, strings, None and the ellipsis, each as Python tells them apart.
        return repr(value)


def _content(array: Array) -> bytes:
    """The elements as bytes, the same on every machine."""
    flat = np.array(array, array.dtype.newbyteorder("<")).reshape(-1)
    if array.dtype.kind in "fc":
        parts = flat.view(to_real(array.dtype).newbyteorder("<"))
        # Of the many bit patterns that are no number, JSON and text know one.
        parts[np.isnan(parts)] = np.nan
    return flat.tobytes()


def _bits(value: float) -> str:
    return "nan" if value != value else struct.pack("<d", value).hex()


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (Reference, Constant))
