"""Long tensors in a JSON text, taken out of it.

A long list of numbers would become as many Python objects before it is a tensor, and base64 would be copied from one string to the
next, each in one go for which all other threads wait. So where a tensor object has one of the two, the list is read straight into an
array, and the base64 stays where it is; in the text that remains a short string stands in its place. Only what is certainly
well-formed is taken: everything else stays, for the reader of the whole text to judge.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Final

from gradwire_engine.base64_text import Base64
from gradwire_engine.number_lists import Numbers

from .number_runs import Body, end_of_list, read_list

Taken = Numbers | Base64
"""What stands in a document in place of a list or a string."""

_LEAST_BYTES: Final = 16 * 1024
_MOST_DIMENSIONS: Final = 8
# Each key costs a look at it; whoever has more of them has none with something long, or sends it another way.
_MOST_KEYS: Final = 10_000

_SEARCHED_BYTES: Final = 2**20
_LOOKED_AT: Final = 64 * 1024
_BASE64_CHARACTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_LIST: Final = b'"data"'
_BASE64: Final = b'"base64"'
_OPENING: Final = {
    _LIST: re.compile(rb"[ \t\r\n]*:[ \t\r\n]*((?:\[[ \t\r\n]*)+)"),
    _BASE64: re.compile(rb'[ \t\r\n]*:[ \t\r\n]*(")'),
}
# No text that holds this escape is taken apart, so that none of its own strings looks like one that was put in.
_MARK: Final = "\0"
_ESCAPED_MARK: Final = b"\\u0000"
_TENSOR_FIELDS: Final = {"data", "base64", "dtype", "shape", "requires_grad"}


def take_out(body: Body, lists: Callable[[bytes], Any], count: Callable[[int], None]) -> tuple[bytes, list[Taken]] | None:
    """The text without what is long in it, and that; ``None`` if there is nothing of the kind.

    Args:
        body: The text.
        lists: Reads a list as a whole.
        count: Called between pieces with the number of values that were read, which is negative if they have to be read again.
    """
    found: list[Taken] = []
    parts: list[Body] = []
    at = taken = counted = 0

    def note(values: int) -> None:
        nonlocal counted
        counted += values
        count(values)

    keys = _Keys(body, note)
    for _ in range(_MOST_KEYS):
        key, begin = keys.after(at)
        if not key:
            break
        at = begin + len(key)
        opening = _OPENING[key].match(body, at)
        # In a well-formed text the key begins with its quote, unless that is escaped.
        if opening is None or body[begin - 1 : begin] == b"\\":
            continue
        begin = opening.start(1)
        if key == _LIST:
            end = end_of_list(body, begin)
            dimensions = opening[1].count(b"[")
            if end - begin < _LEAST_BYTES or dimensions > _MOST_DIMENSIONS:
                continue
            array = read_list(body, begin, end, dimensions, note)
            value: Taken | None = None if array is None else Numbers(array, functools.partial(_whole, body, begin, end, lists))
        else:
            end = body.find(b'"', begin + 1) + 1
            if end - begin < _LEAST_BYTES:
                continue
            value = _base64(body, begin + 1, end - 1, note)
        if value is not None:
            parts += [body[taken:begin], f'"\\u0000{len(found)}"'.encode()]
            found.append(value)
            at = taken = end
    if not found:
        return None
    parts.append(body[taken:])
    if any(_holds_mark(part, note) for part in parts[::2]):
        note(-counted)
        return None
    return b"".join(parts), found


def put_in(document: Any, found: list[Taken]) -> None:
    """Puts back what was taken out; where that is not the data of a tensor, as it was written."""
    waiting: list[tuple[Any, bool]] = [(document, False)]
    while waiting:
        value, arguments = waiting.pop()
        if type(value) is dict:
            for key in ("data", "base64"):
                text = value.get(key)
                if type(text) is str and text.startswith(_MARK):
                    taken = found[int(text[1:])]
                    value[key] = taken if not arguments and value.keys() <= _TENSOR_FIELDS else taken.written()
            waiting.extend((item, key == "kwargs") for key, item in value.items() if type(item) is dict or type(item) is list)
        elif type(value) is list:
            waiting.extend((item, False) for item in value if type(item) is dict or type(item) is list)


class _Keys:
    """Finds the keys of a text in their order; all of it is searched once for each of them, however many there are.

    Args:
        body: The text.
        count: Called between windows of it.
    """

    def __init__(self, body: Body, count: Callable[[int], None]) -> None:
        self._body = body
        self._count = count
        # Where a key is, or as far as it is known that it is not.
        self._known = dict.fromkeys(_OPENING, (0, False))

    def after(self, at: int) -> tuple[bytes, int]:
        """The first key from ``at`` on, and where it begins; an empty one if there is none. The next call has a larger ``at``."""
        while at < len(self._body):
            self._count(0)
            stop = at + _SEARCHED_BYTES
            first = [(begin, key) for key in _OPENING if (begin := self._begin(key, at, stop)) < stop]
            if first:
                begin, key = min(first)
                return key, begin
            at = stop
        return b"", len(self._body)

    def _begin(self, key: bytes, at: int, stop: int) -> int:
        """Where the key begins, if that is before ``stop``, and else ``stop`` or more."""
        known, is_there = self._known[key]
        if known < at or (known < stop and not is_there):
            begin = self._body.find(key, max(known, at), stop + len(key) - 1)
            known, is_there = self._known[key] = (begin, True) if begin >= 0 else (stop, False)
        return known


def _holds_mark(text: Body, count: Callable[[int], None]) -> bool:
    for start in range(0, len(text), _SEARCHED_BYTES):
        count(0)
        if text.find(_ESCAPED_MARK, start, start + _SEARCHED_BYTES + len(_ESCAPED_MARK) - 1) >= 0:
            return True
    return False


def _base64(body: Body, begin: int, end: int, count: Callable[[int], None]) -> Base64 | None:
    """A string that has in it only what base64 has, and so no escapes."""
    for start in range(begin, end, _LOOKED_AT):
        count(0)
        if body[start : min(start + _LOOKED_AT, end)].translate(None, _BASE64_CHARACTERS):
            return None
    return Base64(memoryview(body)[begin:end])


def _whole(body: Body, begin: int, end: int, lists: Callable[[bytes], Any]) -> Any:
    return lists(bytes(body[begin:end]))
