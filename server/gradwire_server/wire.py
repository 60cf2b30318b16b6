"""JSON on the wire: bytes to documents and documents to bytes, exact in both directions.

Two libraries share the work. msgspec reads, because it keeps integers of any size exact and refuses numbers beyond
float64; orjson, which would turn 2**64 into a float, writes, because it takes NumPy arrays as they are, and says where a
malformed body went wrong. Neither lets go of the interpreter lock, so what is long is read and written in pieces.
"""

from __future__ import annotations

import codecs
import functools
import json
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
import orjson

from gradwire_engine.errors import GradwireError, LimitError

from .long_tensors import put_in, take_out
from .pieces import PIECE_BYTES, RepeatedKey, read_in_pieces
from .writing import AnswerTooLarge as AnswerTooLarge
from .writing import Encoding as Encoding
from .writing import dumps as dumps
from .writing import dumps_in_pieces as dumps_in_pieces

_KEY: Final = re.compile(rb'"[ \t\r\n]*:')
_NEGATIVE_ZERO: Final = re.compile(rb"-0(?![.eE0-9])")
# A string that is not closed ends with the text, so that the search never begins again inside it.
_STRING_OR_NEGATIVE_ZERO: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|(?<![eE])-0(?![.eE0-9])', re.DOTALL)
_BARE_SPECIAL: Final = re.compile(r"-?(?:NaN|Infinity)\b")
_TOO_DEEP: Final = "The document is nested too deeply to be read"


class MalformedJson(GradwireError):
    """A body that is not one well-formed JSON document.

    Attributes:
        line: The line of the fault, counted from 1, where it is known.
        column: The character in that line, counted from 1, where it is known.
    """

    code = "malformed_json"

    def __init__(self, detail: str, *, line: int | None = None, column: int | None = None) -> None:
        where = "" if line is None else f" (line {line}, column {column})"
        super().__init__(f"{detail}{where}.")
        self.line = line
        self.column = column


class TooManyValues(LimitError):
    """A document of more values than are read."""

    code = "too_many_values"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"A document may hold at most {limit:,} values and keys, every number in a list being one, but this one holds more. "
            'All of a tensor in base64 is one: {"base64": ..., "dtype": ..., "shape": ...}.'
        )


def loads(
    body: bytes | bytearray, *, most_values: int | None = None, check: Callable[[], None] | None = None, tensors: bool = False
) -> Any:
    """Parses a JSON document as RFC 8259 has it, without NaN, Infinity, a byte order mark or repeated keys.

    Integers of any size arrive as exact integers, ``-0`` as the float -0.0: callers whose printer leaves out ``.0``
    mean the number with a sign.

    Args:
        body: The document.
        most_values: The most values and keys that it may hold.
        check: Called between the pieces of a long document; what it raises ends the reading.
        tensors: Whether a long list that a tensor has as its ``data`` is to be ``Numbers``, and a long string ``Base64``.

    Raises:
        MalformedJson: The body is something else, or holds a number beyond float64.
        TooManyValues: It holds more than ``most_values`` values.
    """
    # A value takes a byte, and all but the last a comma or a bracket more.
    if len(body) <= PIECE_BYTES and (most_values is None or len(body) // 2 < most_values):
        return _decode(body, bytes(body))
    values = 0

    def count(more: int) -> None:
        nonlocal values
        values += more
        if most_values is not None and values > most_values:
            raise TooManyValues(most_values)
        if check is not None:
            check()

    taken = take_out(body, _list, count) if tensors else None
    if taken is not None:
        text, found = taken
        try:
            document = read_in_pieces(text, functools.partial(_decode, text), count=count)
            put_in(document, found)
            return document
        except (RepeatedKey, MalformedJson):
            # What is wrong is found where it is in the whole.
            values = 0
    try:
        return read_in_pieces(body, functools.partial(_decode, body), count=count)
    except RepeatedKey as repeated:
        raise _repeated(repeated.args[0]) from None


def _list(text: bytes) -> Any:
    return msgspec.json.decode(_keep_negative_zeros(text))


def _decode(body: bytes | bytearray, text: bytes, *, start: int = 0, lead: int = 0, keys: int | None = None) -> Any:
    """Parses the body or a piece of it, as :class:`gradwire_server.pieces.Decode` has it."""
    try:
        document = msgspec.json.decode(_keep_negative_zeros(text))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _diagnosis(body, text, start - lead, error) from None
    # Strings can look like keys, and the count passes over long lists, so a difference only means to look closely.
    if (len(_KEY.findall(text)) if keys is None else keys) != _count_keys(document):
        _check_keys(text)
    return document


def _keep_negative_zeros(body: bytes) -> bytes:
    if _NEGATIVE_ZERO.search(body) is None:
        return body
    return _STRING_OR_NEGATIVE_ZERO.sub(lambda token: b"-0.0" if token[0] == b"-0" else token[0], body)


def _count_keys(document: Any) -> int:
    """The keys of all objects, except those in lists that look like the rows of a tensor."""
    count = 0
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            count += len(value)
            waiting.extend(value.values())
        elif type(value) is list and value:
            first = type(value[0])
            rows = first is list or first is float or (len(value) > 16 and first is not dict)
            waiting.extend(value[:1] if rows else value)
    return count


def _check_keys(text: bytes) -> None:
    try:
        json.loads(text, object_pairs_hook=_refuse_repeats, parse_int=str, parse_float=str)
    except RecursionError:
        raise MalformedJson(_TOO_DEEP) from None


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise _repeated(key)
        seen.add(key)


def _repeated(key: str) -> MalformedJson:
    return MalformedJson(f"The key {json.dumps(key[:80])} appears more than once in an object")


def _diagnosis(body: bytes | bytearray, text: bytes, ahead: int, error: Exception) -> MalformedJson:
    """What is wrong with ``text``, which is the body or a piece of it, ``ahead`` bytes further on there."""
    if not body.strip(b" \t\r\n"):
        return MalformedJson("The body is empty, expected a JSON document")
    if body.startswith(codecs.BOM_UTF8):
        return MalformedJson("The body starts with a byte order mark, expected UTF-8 without one", line=1, column=1)
    if isinstance(error, RecursionError):
        return MalformedJson(_TOO_DEEP)
    try:
        characters = text.decode()
    except UnicodeDecodeError as wrong:
        line, column = _place(body, ahead + wrong.start)
        return MalformedJson("The body is not valid UTF-8", line=line, column=column)
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        special = _BARE_SPECIAL.match(characters, max(fault.pos - 1, 0)) or _BARE_SPECIAL.match(characters, fault.pos)
        if special:
            detail = f'{special[0]} is not a JSON value; write it as the string "{special[0]}"'
        elif isinstance(error, msgspec.ValidationError):
            detail = 'The number is too large to be read; infinity is written as the string "Infinity"'
        else:
            detail = f"The body is not valid JSON: {fault.msg}"
        line, column = _place(body, ahead + len(characters[: fault.pos].encode()))
        return MalformedJson(detail, line=line, column=column)
    return MalformedJson(f"The body is not valid JSON: {error}")


def _place(body: bytes | bytearray, at: int) -> tuple[int, int]:
    """Line and column, in characters, of a byte of the body."""
    return body.count(b"\n", 0, at) + 1, len(body[body.rfind(b"\n", 0, at) + 1 : at].decode()) + 1
