"""JSON on the wire: bytes to documents and documents to bytes, exact in both directions.

Two libraries share the work. msgspec reads, because it keeps integers of any size exact and refuses numbers beyond
float64; orjson, which would turn 2**64 into a float, writes, because it takes NumPy arrays as they are, and says where a
malformed body went wrong.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import Any, Final, Literal

import msgspec
import numpy as np
import orjson

from gradwire_engine.codec import as_pairs, to_base64
from gradwire_engine.dtypes import Array
from gradwire_engine.errors import GradwireError

Encoding = Literal["list", "base64"]

_KEY: Final = re.compile(rb'"[ \t\r\n]*:')
_NEGATIVE_ZERO: Final = re.compile(rb"-0(?![.eE0-9])")
_STRING_OR_NEGATIVE_ZERO: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|(?<![eE])-0(?![.eE0-9])')
_BARE_SPECIAL: Final = re.compile(r"-?(?:NaN|Infinity)\b")

# The one float32 (and its negative) whose shortest decimal, 7.038531e-26, lies so close to the middle between two
# float32 that reading it as a float64 first gives the other one; every other float32 survives that detour.
_MISREAD_FLOAT32: Final = np.uint32(0x15AE43FD).view(np.float32)


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


def loads(body: bytes) -> Any:
    """Parses a JSON document as RFC 8259 has it, without NaN, Infinity, a byte order mark or repeated keys.

    Integers of any size arrive as exact integers, ``-0`` as the float -0.0: callers whose printer leaves out ``.0``
    mean the number with a sign.

    Raises:
        MalformedJson: The body is something else, or holds a number beyond float64.
    """
    try:
        document = msgspec.json.decode(_keep_negative_zeros(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _diagnosis(body, error) from None
    # Strings can look like keys, and the count passes over long lists, so a difference only means to look closely.
    if len(_KEY.findall(body)) != _count_keys(document):
        _check_keys(body)
    return document


def dumps(document: Any, encoding: Encoding = "list") -> bytes:
    """Writes a document of dicts, lists, scalars and arrays.

    Args:
        document: May hold arrays anywhere; what is not finite becomes ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``.
        encoding: ``"base64"`` replaces the ``data`` of every tensor that ``codec.encode`` made by ``base64``.
    """
    return orjson.dumps(_writable(document, encoding == "base64"), option=orjson.OPT_SERIALIZE_NUMPY)


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
            rows = type(value[0]) is list or (len(value) > 16 and type(value[0]) is not dict)
            waiting.extend(value[:1] if rows else value)
    return count


def _check_keys(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_refuse_repeats, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise _diagnosis(body, error) from None


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise MalformedJson(f"The key {json.dumps(key[:80])} appears more than once in an object")
        seen.add(key)


def _diagnosis(body: bytes, error: Exception) -> MalformedJson:
    if not body.strip(b" \t\r\n"):
        return MalformedJson("The body is empty, expected a JSON document")
    if body.startswith(codecs.BOM_UTF8):
        return MalformedJson("The body starts with a byte order mark, expected UTF-8 without one", line=1, column=1)
    if isinstance(error, RecursionError):
        return MalformedJson("The document is nested too deeply to be read")
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        before = body[: wrong.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return MalformedJson("The body is not valid UTF-8", line=line, column=column)
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        special = _BARE_SPECIAL.match(text, max(fault.pos - 1, 0)) or _BARE_SPECIAL.match(text, fault.pos)
        if special:
            detail = f'{special[0]} is not a JSON value; write it as the string "{special[0]}"'
        elif isinstance(error, msgspec.ValidationError):
            detail = 'The number is too large to be read; infinity is written as the string "Infinity"'
        else:
            detail = f"The body is not valid JSON: {fault.msg}"
        return MalformedJson(detail, line=fault.lineno, column=fault.colno)
    return MalformedJson(f"The body is not valid JSON: {error}")


def _writable(value: Any, base64: bool) -> Any:
    """The document as orjson takes it, with nothing left in it that orjson would write as null."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is dict:
        if base64 and "dtype" in value and isinstance(value.get("data"), np.ndarray):
            value = {("base64" if key == "data" else key): (to_base64(item) if key == "data" else item) for key, item in value.items()}
        return {key: _writable(item, base64) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_writable(item, base64) for item in value]
    if kind is int:
        return value if -(2**63) <= value < 2**64 else orjson.Fragment(str(value))
    if kind is float:
        return value if math.isfinite(value) else _special(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return _writable_array(np.asarray(value))
    return value


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _writable_array(array: Array) -> Any:
    if array.dtype.kind == "c":
        array = as_pairs(array)
    scalar = array.ndim == 0
    array = np.ascontiguousarray(array)
    if array.dtype == np.float32 and np.count_nonzero(np.abs(array) == _MISREAD_FLOAT32):
        array = array.astype(np.float64)
    finite = np.isfinite(array)
    everything_finite = np.count_nonzero(finite) == array.size
    if everything_finite and not scalar:
        return array
    text = orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)
    if not everything_finite:
        # orjson writes null for exactly these elements, in order.
        names = [f'"{_special(element)}"'.encode() for element in array[~finite].tolist()]
        pieces = text.split(b"null")
        text = b"".join(part for pair in zip(pieces, [*names, b""], strict=True) for part in pair)
    return orjson.Fragment(text[1:-1] if scalar else text)
