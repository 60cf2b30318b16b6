"""Where things stand in a text: places, the picture with the caret, and errors that carry both."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from ..errors import GradwireError, ProgramError

POINTER: Final = "/program"
_WIDEST: Final = 100

E = TypeVar("E", bound=GradwireError)


class Place(NamedTuple):
    """A stretch of one line.

    Attributes:
        line: Its number, counted from 1.
        column: Its first character, counted from 1.
        width: How many characters it has.
    """

    line: int
    column: int
    width: int


@dataclass(frozen=True, slots=True)
class NodePlaces:
    """Where a node of the program and its parts stand.

    Attributes:
        whole: The expression or statement that became the node.
        op: What names the operation.
        args: The positional arguments.
        kwargs: The arguments by name.
    """

    whole: Place
    op: Place
    args: Sequence[Place] = ()
    kwargs: Mapping[str, Place] = field(default_factory=dict)

    def of_argument(self, which: int | str) -> Place:
        """The place of an argument, given by its position or its name."""
        return self.of(f"args/{which}" if isinstance(which, int) else f"kwargs/{which}")

    def of(self, part: str) -> Place:
        """The place of a part of the node, given as the rest of a JSON pointer: ``args/1``, ``kwargs/dim``, ``op``."""
        kind, _, rest = part.partition("/")
        which = rest.partition("/")[0]
        if kind == "args" and which.isdecimal() and int(which) < len(self.args):
            return self.args[int(which)]
        if kind == "kwargs":
            return self.kwargs.get(which, self.whole)
        return self.op if kind == "op" else self.whole


class Source:
    r"""A text, and where in it the nodes stand that it was compiled to.

    Args:
        text: The program, with ``\n`` at the ends of its lines.
        pointer: Where the text stands in the document.

    Attributes:
        pointer: As given.
        nodes: The places of the nodes, in order.
    """

    def __init__(self, text: str, pointer: str = POINTER) -> None:
        self.pointer = pointer
        self._lines = text.split("\n")
        self.nodes: list[NodePlaces] = []

    def place(self, node: ast.AST) -> Place:
        """Where a piece of syntax begins, and how far it goes on that line."""
        line: int = node.lineno  # type: ignore[attr-defined]
        if node.end_lineno == line and self._lines[line - 1].isascii():  # type: ignore[attr-defined]
            return Place(line, node.col_offset + 1, node.end_col_offset - node.col_offset)  # type: ignore[attr-defined]
        column = self._characters(line, node.col_offset)  # type: ignore[attr-defined]
        last: int = node.end_lineno  # type: ignore[attr-defined]
        end = self._characters(line, node.end_col_offset) if last == line else len(self._lines[line - 1])  # type: ignore[attr-defined]
        return Place(line, column + 1, max(end - column, 1))

    def _characters(self, line: int, offset: int) -> int:
        """How many characters the first ``offset`` bytes of a line are."""
        text = self._lines[line - 1]
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))

    def error(self, message: str, code: str, at: ast.AST | Place) -> ProgramError:
        """An error in the text, to be raised."""
        return self.put(ProgramError(message, code=code), at)

    def put(self, error: E, at: ast.AST | Place) -> E:
        """The error with its place in the text: line, column and a picture."""
        place = at if isinstance(at, Place) else self.place(at)
        error.detail = f"{error.detail}\n{self._picture(place)}"
        error.args = (error.detail,)
        error.pointer, error.line, error.column = self.pointer, place.line, place.column
        return error

    def _picture(self, place: Place) -> str:
        line = self._lines[place.line - 1].replace("\t", " ")
        start = max(0, place.column - 1 - _WIDEST // 2) if len(line) > _WIDEST else 0
        shown = line[start : start + _WIDEST].rstrip()
        offset = place.column - 1 - start
        carets = "^" * max(1, min(place.width, len(shown) - offset))
        gutter = f"{place.line} | "
        return f"  {gutter}{shown}\n  {'| '.rjust(len(gutter))}{' ' * offset}{carets}"

    @contextmanager
    def located(self, at: ast.AST) -> Iterator[None]:
        """Errors that arise inside get this place."""
        try:
            yield
        except GradwireError as error:
            raise (error if error.line is not None else self.put(error, at)) from None

    def explain(self, error: GradwireError) -> None:
        """Gives an error that points at a node the node's place in the text."""
        if error.line is not None or error.pointer is None:
            return
        place = self.place_of(error.pointer)
        if place is not None:
            self.put(error, place)
        elif error.pointer.startswith(self._nodes):
            error.pointer = self.pointer

    def place_of(self, pointer: str) -> Place | None:
        """Where a node stands, or a part of it, from the pointer to it among the nodes; ``None`` where that is none of these."""
        head, _, rest = pointer.removeprefix(self._nodes).removeprefix("/").partition("/")
        if not pointer.startswith(self._nodes) or not head.isdecimal() or int(head) >= len(self.nodes):
            return None
        return self.nodes[int(head)].of(rest)

    @property
    def _nodes(self) -> str:
        return self.pointer.removesuffix(POINTER) + "/nodes"


@contextmanager
def explained(sources: Sequence[Source]) -> Iterator[None]:
    """Errors that arise inside and point at a node of one of the texts get the node's place in it."""
    try:
        yield
    except GradwireError as error:
        for source in sources:
            source.explain(error)
        raise error from None
