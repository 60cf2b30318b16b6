"""A function as it was registered: declared inputs, a program, outputs."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gradwire_engine.declaration import Signature, read_signature
from gradwire_engine.dtypes import Array, NumpyDType, default_dtype, set_default_dtype
from gradwire_engine.errors import GradwireError, LimitError, ProgramError
from gradwire_engine.identity import program_hash
from gradwire_engine.limits import Limits
from gradwire_engine.meta import Meta, meta_of_array
from gradwire_engine.names import check_fields, kind_of
from gradwire_engine.program import Program
from gradwire_engine.stopping import stoppable
from gradwire_engine.text import read_program

from .probing import Output, probe

_FIELDS: Final = frozenset({"inputs", "nodes", "program", "outputs", "functions", "description", "default_dtype"})
_LONGEST_DESCRIPTION: Final = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A function that can be called.

    Attributes:
        signature: Its inputs.
        program: What it computes.
        outputs: What is known of its outputs, by name.
        dtype: The dtype of floats that have none.
        document: What it was read from.
        hash: Its identity.
        wanted: What calls have asked for, by the fields that say so.
        nbytes: What is kept of it, about.
    """

    signature: Signature
    program: Program
    outputs: Mapping[str, Output]
    dtype: NumpyDType
    document: Mapping[str, Any]
    hash: str
    wanted: dict[Any, Any] = field(default_factory=dict)
    nbytes: int = 0

    def metas(self, arrays: Sequence[Array]) -> dict[str, Meta]:
        """The metas of a call's inputs."""
        return {name: meta_of_array(array) for name, array in zip(self.signature.names, arrays, strict=True)}

    def text(self, name: str) -> str:
        """The signature for people: ``loss(w: float64[n], b: float64[] = ...) -> (r: float64[n], loss: float64[])``."""
        inputs = ", ".join(declared.text() for declared in self.signature.inputs)
        outputs = ", ".join(f"{name}: {output.text()}" for name, output in self.outputs.items())
        return f"{name}({inputs}) -> ({outputs})"

    @property
    def description(self) -> str:
        """What it is for, in the words of whoever registered it."""
        description: str = self.document.get("description") or ""
        return description


def read_definition(document: Any, limits: Limits, check: Callable[[], None]) -> Definition:
    """Reads a function and checks what can be known of it before it is called.

    Args:
        document: ``{"inputs", "nodes" or "program", "outputs", "functions", "description", "default_dtype"}``, the last three of which may
            be left out.
        limits: Bounds on the program.
        check: Called between nodes; what it raises ends the reading.

    Raises:
        GradwireError: The function is not well formed, or cannot run on any inputs as declared; ``pointer`` tells where.
    """
    return contextvars.copy_context().run(_read, document, limits, check)


def _read(document: Any, limits: Limits, check: Callable[[], None]) -> Definition:
    if not isinstance(document, Mapping):
        raise ProgramError(f"The request must be a JSON object, not {kind_of(document)}.", code="invalid_type", pointer="")
    check_fields(document, _FIELDS, ("inputs", "outputs"), "")
    description = document.get("description")
    if description is not None and not isinstance(description, str):
        raise ProgramError(f"'description' must be a string, not {kind_of(description)}.", code="invalid_type", pointer="/description")
    if description is not None and len(description) > _LONGEST_DESCRIPTION:
        raise LimitError(
            f"The description has {len(description):,} characters, more than the {_LONGEST_DESCRIPTION:,} that are allowed.",
            code="description_too_long",
            pointer="/description",
        )
    with stoppable(check):
        dtype = document.get("default_dtype")
        try:
            set_default_dtype("float32" if dtype is None else dtype)
        except GradwireError as error:
            raise error.at("/default_dtype") from None
        signature = read_signature(document["inputs"], limits)
        program = read_program(document, signature.names, limits, signature.sizes)
        if not program.body.outputs:
            raise ProgramError("'outputs' is empty: name the values that the function gives.", code="no_outputs", pointer="/outputs")
        with program.explained():
            outputs = probe(signature, program, limits, check)
        declared = {"inputs": signature.describe(), "default_dtype": default_dtype().name}
        return Definition(signature, program, outputs, default_dtype(), document, program_hash(program, declared))
