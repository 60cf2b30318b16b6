"""Reading programs, whether they are nodes or text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..limits import Limits
from ..parse import parse
from ..program import Program
from .bodies import read_bodies
from .compiled import Text
from .source import explained


def read_program(document: Mapping[str, Any], inputs: Sequence[str], limits: Limits, sizes: Sequence[str] = ()) -> Program:
    """Reads the program of a document, which has it as ``nodes`` or as the text ``program``.

    Args:
        document: An object with ``outputs``, with ``nodes`` or ``program``, and, optionally, with ``functions``.
        inputs: The names of the inputs.
        limits: Bounds on the program.
        sizes: The names of sizes that the inputs are declared with, which are no variables of a text, for messages.

    Raises:
        ProgramError: The program is not well formed. In a text, ``line`` and ``column`` tell where, and ``detail`` shows it.
        GradwireError: An argument cannot be one, or the program is too large.
    """
    functions, texts = read_bodies(document.get("functions", {}), limits)
    if "program" not in document:
        if not texts:
            return parse(document, inputs, limits)
        with explained(texts):
            return replace(parse({**document, "functions": functions}, inputs, limits), texts=texts)
    text = Text(document, inputs, functions, limits, "", sizes=sizes)
    labels = text.labels(document.get("outputs"), "/outputs")
    compiled = {"nodes": text.nodes(), "functions": functions, "outputs": list(dict.fromkeys(labels.values()))}
    with explained((text.source, *texts)):
        program = parse(compiled, inputs, limits)
    return replace(program, source=text.source, labels=labels, variables=text.variables, texts=texts)
