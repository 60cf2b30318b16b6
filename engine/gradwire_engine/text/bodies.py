"""The bodies of custom functions that are given as text, put into nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import ProgramError
from ..limits import Limits
from ..names import join
from ..parse import read_input_names
from ..parse_nodes import check_count
from ..stopping import watched
from .compiled import Text
from .source import Source

_BODIES: Final = ("forward", "backward", "jvp")


def read_bodies(functions: Any, limits: Limits) -> tuple[Any, list[Source]]:
    """The custom functions of a document with nodes in place of texts.

    Args:
        functions: The field ``functions``, of which ``parse`` checks all that is no text.
        limits: The number of functions, and of nodes of each body.

    Returns:
        The functions, as they are if there is no text; and the texts.

    Raises:
        ProgramError: A text is no program; ``pointer`` leads to it.
        LimitError: There is too much of something.
    """
    if not isinstance(functions, Mapping) or not any(_has_text(spec, part) for spec in functions.values() for part in _BODIES):
        return functions, []
    check_count("functions", len(functions), limits, "/functions")
    made: dict[str, Any] = {}
    texts: list[Source] = []
    for name, spec in watched(functions.items()):
        made[name] = spec
        for part in _BODIES:
            if _has_text(spec, part):
                body, source = _read_body(spec[part], functions, limits, join("/functions", str(name)) + "/" + part)
                made[name] = {**made[name], part: body}
                texts.append(source)
    return made, texts


def _has_text(spec: Any, part: str) -> bool:
    return isinstance(spec, Mapping) and isinstance(spec.get(part), Mapping) and "program" in spec[part]


def _read_body(body: Mapping[str, Any], functions: Mapping[str, Any], limits: Limits, where: str) -> tuple[dict[str, Any], Source]:
    inputs = read_input_names(body.get("inputs"), where + "/inputs", limits)
    outputs = body.get("outputs")
    names = list(outputs.values()) if isinstance(outputs, Mapping) else outputs
    named = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    text = Text(body, inputs, functions, limits, where, named)
    made = {key: value for key, value in body.items() if key != "program"}
    made["nodes"] = text.nodes()
    if isinstance(outputs, Mapping):
        made["outputs"] = {
            key: text.find(name, join(where + "/outputs", str(key))) if isinstance(name, str) else name for key, name in outputs.items()
        }
    else:
        made["outputs"] = _own_names(text.labels(outputs, where + "/outputs"), inputs, where + "/outputs")
    return made, text.source


def _own_names(labels: Mapping[str, str], inputs: list[str], pointer: str) -> list[str]:
    """The outputs of a forward body, which ``save`` and ``grad_<output>`` name, so that each needs a name that is its alone."""
    for i, (label, name) in enumerate(labels.items()):
        if label == name:
            continue
        if label in inputs:
            message = f"{label!r} is the name of an input, and of another value in the end; give the output a name of its own."
        elif name in inputs:
            message = f"{label!r} is the input {name!r} itself; name that among the outputs, or compute something."
        else:
            message = f"{label!r} is the same value as {name!r}; name one of them."
        raise ProgramError(message, code="invalid_name", pointer=f"{pointer}/{i}")
    return list(labels)
