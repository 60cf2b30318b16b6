"""What the calls of functions ask for, read from their documents.

Every call is a form of one: values of outputs, and gradients that start from some of them. ``Wanted`` has what decides, with the
shapes of the inputs, what is computed; ``Request`` has the arrays beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gradwire_engine.brief import shown
from gradwire_engine.dtypes import Array, is_differentiable
from gradwire_engine.errors import ProgramError, TensorRuntimeError
from gradwire_engine.limits import Limits
from gradwire_engine.names import check_fields, join, kind_of, suggest

from .definition import Definition


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a function, whatever the values.

    Attributes:
        outputs: The outputs whose values are answered.
        single: Whether there is one of them, answered as ``value``; it must be a scalar if gradients start from it.
        wrt: The inputs whose gradients are answered.
        starts: The outputs that gradients start from, and of each whether a gradient is given; otherwise it is 1.
    """

    outputs: tuple[str, ...]
    single: bool = False
    wrt: tuple[str, ...] = ()
    starts: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One call.

    Attributes:
        wanted: What is asked for.
        arrays: The inputs, as they are declared.
        grad_outputs: The given gradients of outputs, still to be read: their shapes are those of the outputs.
        seed: Where random operations start; ``None`` for anywhere.
    """

    wanted: Wanted
    arrays: list[Array]
    grad_outputs: Mapping[str, Any]
    seed: int | None


_COMMON: Final = frozenset({"inputs", "seed"})


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of call.

    Attributes:
        fields: What its documents may have.
        required: What they must have.
        read: Reads what is asked for.
    """

    fields: frozenset[str]
    required: tuple[str, ...]
    read: Callable[[Definition, Mapping[str, Any]], Wanted]


def read_request(definition: Definition, form: str, document: Any, limits: Limits) -> Request:
    """Reads the document of a call.

    Args:
        definition: The function that is called.
        form: The kind of call, a key of ``FORMS``.
        document: The document.
        limits: What a tensor may take.

    Raises:
        GradwireError: The document is wrong; ``pointer`` tells where.
    """
    known = FORMS[form]
    if not isinstance(document, Mapping):
        raise ProgramError(f"The request must be a JSON object, not {kind_of(document)}.", code="invalid_type", pointer="")
    check_fields(document, known.fields, known.required, "")
    seed = document.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not -(2**63) <= seed < 2**64):
        raise ProgramError("'seed' must be an integer of at most 64 bits.", code="invalid_type", pointer="/seed")
    wanted = known.read(definition, document)
    return Request(wanted, definition.signature.bind(document.get("inputs", {}), limits), document.get("grad_outputs") or {}, seed)


def _evaluate(definition: Definition, document: Mapping[str, Any]) -> Wanted:
    return Wanted(_outputs(definition, document))


def _value_and_grad(definition: Definition, document: Mapping[str, Any]) -> Wanted:
    output = _output(definition, document)
    return Wanted((output,), True, read_differentiated(definition, document), ((output, False),))


def _vjp(definition: Definition, document: Mapping[str, Any]) -> Wanted:
    given = document["grad_outputs"]
    if not isinstance(given, Mapping):
        raise ProgramError(
            f"'grad_outputs' must be an object of gradients by the names of outputs, not {kind_of(given)}.",
            code="invalid_type",
            pointer="/grad_outputs",
        )
    for name in given:
        _known_output(definition, name, join("/grad_outputs", str(name)))
    if not given:
        raise ProgramError("'grad_outputs' names nothing to start from.", code="invalid_type", pointer="/grad_outputs")
    starts = tuple((name, given[name] is not None) for name in definition.outputs if name in given)
    return Wanted(_outputs(definition, document), False, read_differentiated(definition, document), starts)


def _nan_check(definition: Definition, document: Mapping[str, Any]) -> Wanted:
    if document.get("output") is not None:
        return _value_and_grad(definition, document)
    if document.get("wrt") is not None:
        raise ProgramError(
            "'wrt' names what to differentiate by, but there is no 'output' that says what to differentiate.",
            code="missing_field",
            pointer="/wrt",
        )
    return Wanted(tuple(definition.outputs))


FORMS: Final[Mapping[str, Form]] = {
    "evaluate": Form(_COMMON | {"outputs"}, (), _evaluate),
    "value_and_grad": Form(_COMMON | {"wrt", "output"}, (), _value_and_grad),
    "vjp": Form(_COMMON | {"wrt", "outputs", "grad_outputs"}, ("grad_outputs",), _vjp),
    "gradcheck": Form(_COMMON | {"wrt", "outputs", "eps", "atol", "rtol"}, (), _evaluate),
    "nan_check": Form(_COMMON | {"wrt", "output"}, (), _nan_check),
}
"""The kinds of calls, by the last segment of their paths."""


def _outputs(definition: Definition, document: Mapping[str, Any]) -> tuple[str, ...]:
    """The outputs that a call chooses, by default all."""
    given = document.get("outputs")
    if given is None:
        return tuple(definition.outputs)
    for i, name in enumerate(_names(given, "outputs")):
        _known_output(definition, name, f"/outputs/{i}")
    return tuple(dict.fromkeys(given))


def _output(definition: Definition, document: Mapping[str, Any]) -> str:
    """The one output that a call is about."""
    given = document.get("output")
    if given is not None:
        return _known_output(definition, given, "/output")
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
        for i, name in enumerate(_names(given, "wrt")):
            if name not in signature:
                raise ProgramError(
                    f"The function has no input {shown(name)}.{suggest(name, dict.fromkeys(signature.names))}",
                    code="unknown_input",
                    pointer=f"/wrt/{i}",
                )
            if not is_differentiable(signature[name].dtype):
                raise TensorRuntimeError(
                    "Only Tensors of floating point and complex dtype can require gradients: "
                    f"the input {name!r} is declared as {signature[name].dtype.name}.",
                    code="not_differentiable",
                    pointer=f"/wrt/{i}",
                )
        names = tuple(dict.fromkeys(given))
    if not names:
        raise ProgramError("There is no input to differentiate by: 'wrt' names none.", code="nothing_to_differentiate", pointer="/wrt")
    return names


def _names(given: Any, field: str) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise ProgramError(f"'{field}' must be a list of names.", code="invalid_type", pointer=f"/{field}")
    return given


def _known_output(definition: Definition, name: Any, pointer: str) -> str:
    if not isinstance(name, str) or name not in definition.outputs:
        hint = suggest(name, definition.outputs) if isinstance(name, str) else ""
        raise ProgramError(
            f"The function has no output {shown(name)}.{hint or ' Its outputs are ' + ', '.join(list(definition.outputs)[:8]) + '.'}",
            code="unknown_output",
            pointer=pointer,
        )
    return name
