"""Reading a long JSON document in pieces.

A parser holds the interpreter lock from its first byte to its last, and with it every other thread, the event loop's included. So a
long text is cut at commas, each piece is made a document of its own by the brackets that are open around it, and what the pieces
hold is put together: the same document, in steps of about a millisecond.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any, Final, Protocol

PIECE_BYTES: Final = 64 * 1024
"""How long a piece is, unless a single string is longer."""

_SCAN_BYTES: Final = 2**20
_LONGEST_KEY: Final = 256
_NO_MARKS: Final = bytes(set(range(256)) - set(b"[]{},:"))
_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)
_INSIDE: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class RepeatedKey(Exception):
    """A key that an object in two pieces has in both; the only argument is the key."""


class Decode(Protocol):
    """A parser of whole documents."""

    def __call__(self, text: bytes, *, start: int, lead: int, keys: int) -> Any:
        """Parses a text, and raises if it is malformed.

        Args:
            text: The text.
            start: Where in the body the text comes from.
            lead: Number of bytes before that in the text, which are not in the body.
            keys: Number of keys in the text.
        """
        ...


def read_in_pieces(body: bytes | bytearray, decode: Decode, *, count: Callable[[int], None], piece_bytes: int = PIECE_BYTES) -> Any:
    """Parses ``body``, which is refused exactly if ``decode`` refuses it as a whole.

    Args:
        body: The document.
        decode: Parses a piece.
        count: Called before each piece is parsed with the number of values and keys in it, escaped characters in long strings
            being as much work and so counted as well; what it raises ends the reading.
        piece_bytes: How long a piece is.

    Raises:
        RepeatedKey: An object has a key twice.
    """
    root: Any = None
    start = 0
    stack = b""
    around: list[Any] = []
    while True:
        end, marks = _cut(body, start, piece_bytes, count)
        count(1 + len(marks) - marks.count(b"]") - marks.count(b"}"))
        lead = _opening(around)
        keys = marks.count(b":") + sum(type(container) is dict for container in around)
        parse = functools.partial(decode, start=start, lead=len(lead), keys=keys)
        if end < len(body):
            stack = _open_after(stack, marks)
        with memoryview(body) as view:
            piece = parse(b"".join((lead, view[start:end], _closing(stack) if end < len(body) else b"")))
        if around:
            _join(around, piece)
        else:
            root = piece
        if end == len(body):
            return root
        around = _innermost(root, len(stack))
        if not around or not around[-1]:
            # A comma with nothing to go on with, or with nothing before it.
            parse(lead + body[start : end + 1])
        start = end + 1


def _cut(body: bytes | bytearray, start: int, piece_bytes: int, count: Callable[[int], None]) -> tuple[int, bytes]:
    """Where the piece that begins at ``start`` ends, at a comma or the end, and the marks outside its strings."""
    marks = []
    at = start
    while at < len(body):
        window = bytes(body[at : at + piece_bytes])
        if b"\\" in window:
            # Outside a string a backslash is an error wherever it stands, so it need not be known here what is outside.
            window = _ESCAPE.sub(b"__", window)
        parts = window.split(b'"')
        outside = parts[::2]
        if at + len(window) < len(body):
            for index in range(len(parts) - 1 & ~1, -1, -2):
                comma = parts[index].rfind(b",")
                if comma >= 0:
                    behind = sum(map(len, parts[index + 1 :])) + len(parts) - 1 - index
                    end = at + len(window) - behind - len(parts[index]) + comma
                    marks += [*parts[:index:2], parts[index][:comma]]
                    return end, b"".join(marks).translate(None, _NO_MARKS)
        marks += outside
        at += len(window)
        if len(parts) % 2 == 0:
            at = _after_string(body, at - len(parts[-1]), count)
    return len(body), b"".join(marks).translate(None, _NO_MARKS)


def _after_string(body: bytes | bytearray, at: int, count: Callable[[int], None]) -> int:
    """The end of the string of which ``at`` is the first character."""
    quote = body.find(b'"', at)
    if quote < 0:
        return len(body)
    if body.find(b"\\", at, quote) < 0:
        return quote + 1
    while True:
        inside = _INSIDE.match(body, at, at + _SCAN_BYTES)
        assert inside is not None  # it matches nothing, too
        stopped = inside.end()
        count(body.count(b"\\", at, stopped))
        if body[stopped : stopped + 1] == b'"':
            return stopped + 1
        if stopped == at:
            return len(body)
        at = stopped


def _open_after(stack: bytes, marks: bytes) -> bytes:
    """The brackets that are open after ``marks``. Which bracket closes which is for the parser to check."""
    brackets = marks.translate(None, b",:")
    for pair in (b"[]", b"{}", b"[]"):
        brackets = brackets.replace(pair, b"")
    opened = bytearray(stack)
    for bracket in brackets:
        if bracket in b"[{":
            opened.append(bracket)
        elif opened:
            opened.pop()
        else:
            return b""
    return bytes(opened)


def _opening(around: list[Any]) -> bytes:
    """The start of a document in which the containers ``around`` are open and have an element, the innermost one before a comma."""
    start = b"".join(b"[" if type(container) is list else b"{" + _key(container) + b":" for container in around)
    return start + b"0," if around else b""


def _key(container: dict[str, Any]) -> bytes:
    last = next(reversed(container))
    # A long one would be copied into every piece, and any other is as good, except that it may then count as repeated.
    return json.dumps(last if len(last) <= _LONGEST_KEY else "").encode()


def _closing(stack: bytes) -> bytes:
    return stack[::-1].translate(bytes.maketrans(b"[{", b"]}"))


def _innermost(root: Any, depth: int) -> list[Any]:
    """The containers along the last elements, from the root inwards."""
    found: list[Any] = []
    for _ in range(depth):
        found.append(_last(found[-1]) if found else root)
    return found


def _last(container: Any) -> Any:
    return container[-1] if type(container) is list else next(reversed(container.values()))


def _join(around: list[Any], piece: Any) -> None:
    """Appends what a piece holds beside the elements that :func:`_opening` gave it."""
    for container in around:
        if type(container) is list:
            inner = piece.pop(0)
            container.extend(piece)
        else:
            inner = piece.pop(next(iter(piece)))
            if not container.keys().isdisjoint(piece.keys()):
                raise RepeatedKey(next(key for key in piece if key in container))
            container.update(piece)
        piece = inner
