"""A text and the nodes that it stands for: those of a whole program, or of a body of a custom function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..brief import shown
from ..errors import ProgramError
from ..limits import Limits
from ..names import kind_of, suggest
from ..parse_nodes import check_count
from .naming import name_calls
from .scan import scan, tree_of
from .source import POINTER
from .statements import Statements
from .values import Several, Tensor, spell


class Text:
    """The field ``program`` of a document, compiled.

    Args:
        document: The document, which has ``program`` and so no ``nodes``.
        inputs: The names of the inputs.
        functions: The custom functions as they are declared.
        limits: The number of nodes.
        where: Where the document stands.
        named: The variables that give nodes their names; by default all.
        sizes: The names of sizes, which are no variables.

    Attributes:
        source: Where what stands.
        variables: The variables whose last values have another name among the nodes, each with that name.

    Raises:
        ProgramError: The text is no program; ``line`` and ``column`` tell where, and ``detail`` shows it.
        LimitError: It has too many nodes.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        inputs: Sequence[str],
        functions: Any,
        limits: Limits,
        where: str,
        named: Sequence[str] | None = None,
        sizes: Sequence[str] = (),
    ) -> None:
        text, pointer = document["program"], where + POINTER
        if not isinstance(text, str):
            raise ProgramError(
                f"'program' must be a string, the text of a program, not {kind_of(text)}.", code="invalid_type", pointer=pointer
            )
        if "nodes" in document:
            raise ProgramError(
                "A program is given as 'nodes' or as the text 'program', and not as both.", code="unknown_field", pointer=pointer
            )
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.source = scan(text, pointer)
        statements = Statements(self.source, inputs, functions if isinstance(functions, Mapping) else {}, sizes)
        try:
            statements.run(tree_of(text, self.source).body)
        except RecursionError:
            raise ProgramError("The text is nested too deeply to be read.", code="too_deep", pointer=pointer) from None
        self._expressions = statements.expressions
        check_count("nodes", len(self._expressions.calls), limits, pointer)
        readable = self._expressions.readable()
        if named is not None:
            readable = {name: readable[name] for name in named if name in readable}
        self.variables = name_calls(self._expressions.calls, readable, self._expressions.inputs)

    def nodes(self) -> list[dict[str, Any]]:
        """The nodes, as ``parse`` reads them."""
        return [
            {
                "name": call.name,
                "op": call.op,
                "args": [spell(a) for a in call.args],
                "kwargs": {key: spell(v) for key, v in call.kwargs.items()},
                "no_grad": call.no_grad,
            }
            for call in self._expressions.calls
        ]

    def labels(self, names: Any, pointer: str) -> dict[str, str]:
        """The outputs as they are asked for, each with its name among the nodes.

        Args:
            names: What the document has for them.
            pointer: Where it stands.

        Raises:
            ProgramError: They are no variables that have a value.
        """
        if names is None:
            raise ProgramError(
                f"'outputs' is missing: name the values to be returned.{self._there_are()}",
                code="missing_field",
                pointer=pointer.removesuffix("/outputs"),
            )
        if not isinstance(names, list):
            raise ProgramError(f"'outputs' must be a list of names, not {kind_of(names)}.", code="invalid_type", pointer=pointer)
        found: dict[str, str] = {}
        for i, name in enumerate(names):
            at = f"{pointer}/{i}"
            if not isinstance(name, str):
                raise ProgramError(f"Expected the name of a value, but got {kind_of(name)}.", code="invalid_type", pointer=at)
            if name in found:
                raise ProgramError("'outputs' names a value twice.", code="duplicate_name", pointer=pointer)
            found[name] = self.find(name, at)
        return found

    def find(self, name: str, pointer: str) -> str:
        """The name among the nodes of what a variable stands for in the end.

        Args:
            name: The variable, perhaps with the number of one of its outputs.
            pointer: Where it is named.

        Raises:
            ProgramError: There is none, or it has no value when the program runs.
        """
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
        return self.variables.get(base, base) + dot + picked

    def _there_are(self) -> str:
        names = [n for n, v in self._expressions.variables.items() if isinstance(v, (Tensor, Several))]
        more = "" if len(names) <= 8 else f" and {len(names) - 8} more"
        return f" The variables are {', '.join(names[-8:])}{more}." if names else ""
