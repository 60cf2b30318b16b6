"""What calls choose by name: outputs that are answered, inputs that are differentiated by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradwire_engine.brief import shown
from gradwire_engine.dtypes import is_differentiable
from gradwire_engine.errors import ProgramError, TensorRuntimeError
from gradwire_engine.names import suggest

from .definition import Definition


def chosen_outputs(definition: Definition, document: Mapping[str, Any]) -> tuple[str, ...]:
    """The outputs that a call chooses, by default all.

    Raises:
        ProgramError: There is no such output.
    """
    given = document.get("outputs")
    if given is None:
        return tuple(definition.outputs)
    for i, name in enumerate(read_names(given, "outputs")):
        known_output(definition, name, f"/outputs/{i}")
    return tuple(dict.fromkeys(given))


def chosen_output(definition: Definition, document: Mapping[str, Any]) -> str:
    """The one output that a call is about.

    Raises:
        ProgramError: There is no such output, or there are several and none is named.
    """
    given = document.get("output")
    if given is not None:
        return known_output(definition, given, "/output")
    if len(definition.outputs) > 1:
        raise ProgramError(
            f"The function has {len(definition.outputs)} outputs, so that 'output' has to name one of them: "
            f"{', '.join(list(definition.outputs)[:8])}.",
            code="missing_field",
            pointer="",
        )
    return next(iter(definition.outputs))


def read_differentiated(definition: Definition, document: Mapping[str, Any]) -> tuple[str, ...]:
    """The inputs by which a call differentiates, by default all that are floating point.

    Raises:
        GradwireError: There is none, or one that is named is unknown or of another dtype.
    """
    signature = definition.signature
    given = document.get("wrt")
    if given is None:
        names = tuple(declared.name for declared in signature.inputs if is_differentiable(declared.dtype))
    else:
        for i, name in enumerate(read_names(given, "wrt")):
            known_input(definition, name, f"/wrt/{i}")
            if not is_differentiable(signature[name].dtype):
                raise TensorRuntimeError(
                    "Only Tensors of floating point and complex dtype can require gradients: "
                    f"the input {name!r} is declared as {signature[name].dtype.name}.",
                    code="not_differentiable",
                    pointer=f"/wrt/{i}",
                )
        names = tuple(dict.fromkeys(given))
    if not names:
        raise _nothing_to_differentiate(definition, given)
    return names


def _nothing_to_differentiate(definition: Definition, wrt: list[str] | None) -> ProgramError:
    inputs = definition.signature.inputs
    floating = [declared.name for declared in inputs if is_differentiable(declared.dtype)]
    if floating:
        why = f"'wrt' names none of {', '.join(floating[:8])}"
    elif inputs:
        why = f"it would have to be of floating point, and there are {', '.join(declared.text() for declared in inputs[:8])}"
    else:
        why = "the function has none"
    return ProgramError(
        f"There is no input to differentiate by: {why}.", code="nothing_to_differentiate", pointer="" if wrt is None else "/wrt"
    )


def read_names(given: Any, field: str) -> list[str]:
    """A list of names.

    Raises:
        ProgramError: It is something else.
    """
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise ProgramError(f"'{field}' must be a list of names.", code="invalid_type", pointer=f"/{field}")
    return given


def known_input(definition: Definition, name: Any, pointer: str) -> None:
    """Refuses what is not the name of an input.

    Raises:
        ProgramError: It is not; the message has the name that comes closest.
    """
    if not isinstance(name, str) or name not in definition.signature:
        hint = suggest(name, dict.fromkeys(definition.signature.names)) if isinstance(name, str) else ""
        raise ProgramError(f"The function has no input {shown(name)}.{hint}", code="unknown_input", pointer=pointer)


def known_output(definition: Definition, name: Any, pointer: str) -> str:
    """The name of an output.

    Raises:
        ProgramError: It is none; the message has the name that comes closest.
    """
    if not isinstance(name, str) or name not in definition.outputs:
        hint = suggest(name, definition.outputs) if isinstance(name, str) else ""
        raise ProgramError(
            f"The function has no output {shown(name)}.{hint or ' Its outputs are ' + ', '.join(list(definition.outputs)[:8]) + '.'}",
            code="unknown_output",
            pointer=pointer,
        )
    return name
