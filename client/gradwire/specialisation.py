"""A Python callable for arguments of given shapes and dtypes: the program that it is, and the structure of what it returns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradwire_engine.errors import TensorTypeError, TensorValueError
from gradwire_engine.meta import Meta
from gradwire_engine.modes import PURE, enable_grad
from gradwire_engine.namespace import get_default_dtype
from gradwire_engine.value import CREATOR, Value

from . import wire
from .program_trace import TRACE, Name, Trace
from .structure import Fixed, Group, Leaf, Structure, free_name, put_together
from .traced import Traced, output_name, traced_input


@dataclass(frozen=True, slots=True, eq=False)
class Specialisation:
    """What a callable is for arguments of given shapes.

    Attributes:
        document: The program, as a server registers it.
        hash: A hash of the document.
        result: The structure of what the callable returns; its tensors are called as the outputs are.
    """

    document: dict[str, Any]
    hash: str
    result: Structure


def specialise(
    callable: Callable[..., Any], arguments: Mapping[str, Structure], metas: Mapping[str, Meta], call: Callable[[dict[str, Any]], Any]
) -> Specialisation:
    """Runs a callable on tensors without elements, and writes down what it does.

    Args:
        callable: What is traced, for messages.
        arguments: The structures of its arguments, by parameter.
        metas: The metas of the tensors in them.
        call: Calls it with one argument per parameter.

    Raises:
        ValueNeeded: It looks at elements.
        TensorTypeError: It returns something other than tensors, or tuples, lists and dicts of them.
        GradwireError: It does something that a program cannot.
    """
    trace = Trace()
    tokens = TRACE.set(trace), CREATOR.set(Traced), PURE.set(True)
    try:
        with enable_grad():
            inputs = {name: traced_input(name, meta) for name, meta in metas.items()}
            returned = call({name: put_together(structure, inputs.__getitem__) for name, structure in arguments.items()})
            outputs: dict[str, Name] = {}
            result = _outputs(returned, "", outputs, getattr(callable, "__name__", "The function"))
    finally:
        TRACE.reset(tokens[0])
        CREATOR.reset(tokens[1])
        PURE.reset(tokens[2])
    if not outputs:
        raise TensorValueError("A traced function has to return a tensor.", code="no_output")
    document = wire.jsonable(trace.document(list(outputs.items()), get_default_dtype().name))
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return Specialisation(document, digest, result)


def _outputs(returned: Any, name: str, outputs: dict[str, Name], called: str) -> Structure:
    """The structure of what was returned."""
    if returned is None:
        return Fixed(type(None), None)
    if isinstance(returned, (Value, bool, int, float, complex, np.ndarray, np.generic)):
        label = free_name(name or "out", {*outputs, *TRACE.get().inputs})
        outputs[label] = output_name(returned, list(outputs.values()))
        return Leaf(label)
    if isinstance(returned, (tuple, list)):
        parts = [_outputs(item, f"{name or 'out'}_{i}", outputs, called) for i, item in enumerate(returned)]
        return Group(type(returned), tuple(range(len(parts))), tuple(parts))
    if isinstance(returned, dict):
        parts = [_outputs(item, f"{name}_{key}" if name else str(key), outputs, called) for key, item in returned.items()]
        return Group(dict, tuple(returned), tuple(parts))
    raise TensorTypeError(
        f"{called} returns a {type(returned).__name__}, but a traced function returns tensors, or tuples, lists and dicts of them."
    )
