"""Reading programs, whether they are nodes or text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..brief import shown
from ..errors import ProgramError
from ..limits import Limits
from ..names import kind_of, suggest
from ..parse import check_count, parse
from ..program import Program
from .naming import name_calls
from .scan import scan, tree_of
from .source import POINTER, Source
from .statements import Statements
from .values import Several, Tensor, spell


def read_program(document: Mapping[str, Any], inputs: Sequence[str], limits: Limits) -> Program:
    """Reads the program of a document, which has it as ``nodes`` or as the text ``program``.

    Args:
        document: An object with ``outputs``, with ``nodes`` or ``program``, and, optionally, with ``functions``.
        inputs: The names of the inputs.
        limits: Bounds on the program.

    Raises:
        ProgramError: The program is not well formed. In a text, ``line`` and ``column`` tell where, and ``detail`` shows it.
        GradwireError: An argument cannot be one, or the program is too large.
    """
    if "program" not in document:
        return parse(document, inputs, limits)
    text = document["program"]
    if not isinstance(text, str):
        raise ProgramError(f"'program' must be a string, the text of a program, not {kind_of(text)}.", code="invalid_type", pointer=POINTER)
    if "nodes" in document:
        raise ProgramError(
            "A program is given as 'nodes' or as the text 'program', and not as both.", code="unknown_field", pointer=POINTER
        )
    functions = document.get("functions", {})
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    source = scan(text)
    statements = Statements(source, inputs, functions if isinstance(functions, Mapping) else {})
    try:
        statements.run(tree_of(text, source).body)
    except RecursionError:
        raise ProgramError("The text is nested too deeply to be read.", code="too_deep", pointer=POINTER) from None
    expressions = statements.expressions
    check_count("nodes", len(expressions.calls), limits, POINTER)
    variables = name_calls(expressions.calls, expressions.readable(), expressions.inputs)
    outputs = _Outputs(source, statements, variables)
    labels = outputs.labels(document.get("outputs"))
    nodes = [
        {
            "name": call.name,
            "op": call.op,
            "args": [spell(a) for a in call.args],
            "kwargs": {key: spell(v) for key, v in call.kwargs.items()},
            "no_grad": call.no_grad,
        }
        for call in expressions.calls
    ]
    compiled = {"nodes": nodes, "functions": functions, "outputs": list(dict.fromkeys(labels.values()))}
    with source.explained():
        program = parse(compiled, inputs, limits)
    return replace(program, source=source, labels=labels, variables=variables)


class _Outputs:
    """Finds the values that ``outputs`` names."""

    def __init__(self, source: Source, statements: Statements, variables: Mapping[str, str]) -> None:
        self._source = source
        self._expressions = statements.expressions
        self._variables = variables

    def labels(self, names: Any) -> dict[str, str]:
        """The outputs as they are asked for, each with its name among the nodes."""
        if names is None:
            raise ProgramError(
                f"'outputs' is missing: name the values to be returned.{self._there_are()}", code="missing_field", pointer=""
            )
        if not isinstance(names, list):
            raise ProgramError(f"'outputs' must be a list of names, not {kind_of(names)}.", code="invalid_type", pointer="/outputs")
        found: dict[str, str] = {}
        for i, name in enumerate(names):
            pointer = f"/outputs/{i}"
            if not isinstance(name, str):
                raise ProgramError(f"Expected the name of a value, but got {kind_of(name)}.", code="invalid_type", pointer=pointer)
            if name in found:
                raise ProgramError("'outputs' names a value twice.", code="duplicate_name", pointer="/outputs")
            found[name] = self._find(name, pointer)
        return found

    def _find(self, name: str, pointer: str) -> str:
        base, dot, picked = name.partition(".")
        try:
            value = self._expressions.look_up(base)
        except KeyError:
            hint = suggest(base, self._expressions.variables)
            raise ProgramError(f"{shown(name)} is not defined.{hint}{self._there_are()}", code="undefined_name", pointer=pointer) from None
        except ProgramError as error:
            error.pointer = pointer
            raise
        if not isinstance(value, (Tensor, Several)):
            raise ProgramError(f"{shown(name)} is known before the program runs, so it is no output.", code="invalid_type", pointer=pointer)
        if isinstance(value, Several) and isinstance(value.call.name, list):
            raise ProgramError(f"{shown(name)} has no name of its own.", code="undefined_name", pointer=pointer)
        return self._variables.get(base, base) + dot + picked

    def _there_are(self) -> str:
        names = [n for n, v in self._expressions.variables.items() if isinstance(v, (Tensor, Several))]
        more = "" if len(names) <= 8 else f" and {len(names) - 8} more"
        return f" The variables are {', '.join(names[-8:])}{more}." if names else ""
