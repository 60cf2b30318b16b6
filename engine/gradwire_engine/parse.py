"""Reading programs from JSON.

Reading settles all that does not need a shape: names, ops, references, constants (``parse_nodes``), and here custom functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .brief import shown
from .errors import ProgramError
from .limits import Limits
from .names import check_fields, check_name, join, kind_of
from .parse_nodes import Budget, check_count, parse_body
from .program import Body, Function, Program
from .stopping import watched

# Functions are called by recursion, and their backward programs too.
_MOST_CALLS: Final = 32
_FUNCTION_FIELDS: Final = frozenset({"forward", "save", "backward", "jvp"})
_BODY_FIELDS: Final = frozenset({"inputs", "nodes", "outputs"})


def parse(document: Mapping[str, Any], inputs: Sequence[str], limits: Limits) -> Program:
    """Reads a program.

    Args:
        document: An object with ``nodes``, ``outputs`` and, optionally, ``functions``.
        inputs: The names of its inputs.
        limits: Bounds; the number of nodes is checked here.

    Raises:
        ProgramError: The program is not well formed; ``pointer`` tells where.
        LimitError: It has too many nodes or functions, or refers to values too often.
    """
    budget = Budget(limits)
    functions: dict[str, Function] = {}
    declared = document.get("functions", {})
    if not isinstance(declared, Mapping):
        raise ProgramError(
            f"'functions' must be an object of functions by name, not {kind_of(declared)}.", code="invalid_type", pointer="/functions"
        )
    check_count("functions", len(declared), limits, "/functions")
    for name, spec in watched(declared.items()):
        check_name(name, join("/functions", name))
        functions[name] = _parse_function(name, spec, functions, declared, budget)
    body = parse_body(document.get("nodes", []), document.get("outputs"), inputs, functions, declared, "", budget)
    return Program(body, functions)


def _parse_function(name: str, spec: Any, functions: Mapping[str, Function], declared: Mapping[str, Any], budget: Budget) -> Function:
    pointer = f"/functions/{name}"
    if not isinstance(spec, Mapping):
        raise ProgramError(
            f"A function must be an object with 'forward' and 'backward', not {kind_of(spec)}.", code="invalid_type", pointer=pointer
        )
    check_fields(spec, _FUNCTION_FIELDS, ("forward", "backward"), pointer)
    forward = _parse_part(spec["forward"], functions, declared, pointer + "/forward", budget)
    for i, output in enumerate(forward.outputs):
        if "." in output:
            raise ProgramError(
                f"An output of a function needs a name of its own, which {output!r} is not: give the node a list of names.",
                code="invalid_name",
                pointer=f"{pointer}/forward/outputs/{i}",
            )
    save = spec.get("save", [])
    if not isinstance(save, list):
        raise ProgramError(f"'save' must be a list of names, not {kind_of(save)}.", code="invalid_type", pointer=pointer + "/save")
    inputs = frozenset(forward.inputs)
    savable = inputs.union(forward.outputs)
    for i, each in watched(enumerate(save)):
        if not isinstance(each, str) or each not in savable:
            raise ProgramError(
                f"Only inputs and outputs of 'forward' can be saved, and {shown(each)} is neither.",
                code="undefined_name",
                pointer=f"{pointer}/save/{i}",
            )
    saved = frozenset(save)
    backward, gradients = _parse_linear(
        spec["backward"],
        frozenset(f"grad_{o}" for o in forward.outputs) | saved,
        forward.inputs,
        ("backward", "the gradient of each input", "an input"),
        functions,
        declared,
        pointer,
        budget,
    )
    jvp: Body | None = None
    tangents: tuple[str | None, ...] = ()
    if spec.get("jvp") is not None:
        jvp, tangents = _parse_linear(
            spec["jvp"],
            frozenset(f"tangent_{i}" for i in forward.inputs) | saved,
            forward.outputs,
            ("jvp", "the tangent of each output", "an output"),
            functions,
            declared,
            pointer,
            budget,
        )
    parts = [forward, backward, *([] if jvp is None else [jvp])]
    cost = 1 + sum(part.cost() for part in parts)
    check_count("nodes", cost, budget.limits, pointer)
    depth = 1 + max(part.depth() for part in parts)
    if depth > _MOST_CALLS:
        raise ProgramError(f"Functions may call functions {_MOST_CALLS} deep, and {name!r} goes deeper.", code="too_deep", pointer=pointer)
    return Function(name, forward, tuple(save), backward, gradients, cost, depth, jvp, tangents)


def _parse_linear(
    spec: Any,
    given: frozenset[str],
    wanted: Sequence[str],
    words: tuple[str, str, str],
    functions: Mapping[str, Function],
    declared: Mapping[str, Any],
    pointer: str,
    budget: Budget,
) -> tuple[Body, tuple[str | None, ...]]:
    """A body that maps gradients or tangents, and which of its values is that of what is ``wanted``."""
    part, named_by, one = words
    outputs = spec.get("outputs") if isinstance(spec, Mapping) else None
    if not isinstance(outputs, Mapping):
        raise ProgramError(
            f"'outputs' of {part!r} must be an object that names {named_by}.", code="invalid_type", pointer=f"{pointer}/{part}/outputs"
        )
    known = frozenset(wanted)
    for key, value in outputs.items():
        at = join(f"{pointer}/{part}/outputs", key)
        if key not in known:
            raise ProgramError(f"{shown(key)} is not {one} of 'forward'.", code="undefined_name", pointer=at)
        if value is not None and not isinstance(value, str):
            raise ProgramError(f"Expected the name of a value or null, but got {kind_of(value)}.", code="invalid_type", pointer=at)
    received = spec.get("inputs")
    for i, name in watched(enumerate(received if isinstance(received, list) else [])):
        if not isinstance(name, str) or name not in given:
            raise ProgramError(
                f"{part!r} cannot receive {shown(name)}: it receives {', '.join(sorted(given))}.",
                code="undefined_name",
                pointer=f"{pointer}/{part}/inputs/{i}",
            )
    named = list(dict.fromkeys(v for v in outputs.values() if v is not None))
    body = _parse_part({**spec, "outputs": named}, functions, declared, f"{pointer}/{part}", budget)
    return body, tuple(outputs.get(name) for name in wanted)


def _parse_part(spec: Any, functions: Mapping[str, Function], declared: Mapping[str, Any], pointer: str, budget: Budget) -> Body:
    if not isinstance(spec, Mapping):
        raise ProgramError(
            f"Expected an object with 'inputs', 'nodes' and 'outputs', but got {kind_of(spec)}.", code="invalid_type", pointer=pointer
        )
    check_fields(spec, _BODY_FIELDS, ("inputs", "outputs"), pointer)
    inputs = read_input_names(spec["inputs"], pointer + "/inputs", budget.limits)
    return parse_body(spec.get("nodes", []), spec["outputs"], inputs, functions, declared, pointer, budget)


def read_input_names(inputs: Any, pointer: str, limits: Limits) -> list[str]:
    """The names of the inputs of a body.

    Args:
        inputs: What the document has for them.
        pointer: Where it stands.
        limits: How many there may be.

    Raises:
        ProgramError: They are no names, or one is there twice.
        LimitError: There are too many.
    """
    if not isinstance(inputs, list):
        raise ProgramError(f"'inputs' must be a list of names, not {kind_of(inputs)}.", code="invalid_type", pointer=pointer)
    check_count("inputs", len(inputs), limits, pointer)
    seen: set[str] = set()
    for i, name in watched(enumerate(inputs)):
        if check_name(name, f"{pointer}/{i}") in seen:
            raise ProgramError(f"The name {name!r} is defined twice.", code="duplicate_name", pointer=f"{pointer}/{i}")
        seen.add(name)
    return inputs
