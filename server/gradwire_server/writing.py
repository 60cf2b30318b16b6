"""Documents to JSON: the writing half of :mod:`gradwire_server.wire`.

orjson writes whatever it is given in one go, in which no other thread runs, so long arrays are given to it a part at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final, Literal

import numpy as np
import orjson

from gradwire_engine.codec import as_pairs, base64_pieces, to_base64
from gradwire_engine.dtypes import Array
from gradwire_engine.errors import LimitError
from gradwire_engine.meta import lists_in
from gradwire_engine.quiet import quiet

from .nesting import is_deep, write_nested

Encoding = Literal["list", "base64"]

# About a millisecond's work: a number is 20 bytes of text, and a list takes orjson as long as several numbers.
_PIECE_ELEMENTS: Final = 32 * 1024
_PIECE_BYTES: Final = 256 * 1024
_LIST: Final = 4
_FEW: Final = 64
_FLOAT64: Final = np.dtype(np.float64)

# BLAS multiplies longer vectors on all processors, whose threads then go round in circles for a while, waiting for more.
_ONE_THREAD: Final = 8 * 1024

# What stands in a text for what is put in later. JSON writes this character as \u0000.
_GAP: Final = orjson.Fragment(b"\0")

# The one float32 (and its negative) whose shortest decimal, 7.038531e-26, lies so close to the middle between two
# float32 that reading it as a float64 first gives the other one; every other float32 survives that detour.
_MISREAD_FLOAT32: Final = np.uint32(0x15AE43FD).view(np.float32)


class AnswerTooLarge(LimitError):
    """An answer of more bytes than are written."""

    code = "answer_too_large"

    def __init__(self, limit: int, encoding: Encoding) -> None:
        advice = "Ask for fewer outputs." if encoding == "base64" else "Tensors are smaller in base64: add ?encoding=base64 to the path."
        super().__init__(f"An answer may have at most {limit:,} bytes, but this one would have more. {advice}")


def dumps(document: Any, encoding: Encoding = "list") -> bytes:
    """Writes a document of dicts, lists, scalars and arrays.

    Args:
        document: May hold arrays anywhere; what is not finite becomes ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``.
        encoding: ``"base64"`` replaces the ``data`` of every tensor that ``codec.encode`` made by ``base64``.
    """
    return b"".join(dumps_in_pieces(document, encoding))


def dumps_in_pieces(
    document: Any,
    encoding: Encoding = "list",
    *,
    most_bytes: int | None = None,
    check: Callable[[], None] | None = None,
    only_tensors: bool = False,
) -> list[bytes]:
    """Writes a document as :func:`dumps` does, but leaves a long text in pieces, between which other threads get their turn.

    Args:
        document: As for ``dumps``.
        encoding: As for ``dumps``.
        most_bytes: The most bytes to write.
        check: Called between pieces; what it raises ends the writing.
        only_tensors: Whether every number in the document is one of a tensor, so that no other one has to be looked at.

    Raises:
        AnswerTooLarge: The text has more than ``most_bytes`` bytes.
    """
    if only_tensors and encoding == "list" and (short := _dumps_short(document)) is not None:
        return [short]
    writer = _Writer(encoding, most_bytes)
    text = orjson.dumps(writer.writable(document), option=orjson.OPT_SERIALIZE_NUMPY)
    pieces = []
    size = 0
    for piece in _filled(text, writer.left_out) if writer.left_out else [text]:
        size += len(piece)
        if most_bytes is not None and size > most_bytes:
            raise AnswerTooLarge(most_bytes, encoding)
        if check is not None:
            check()
        pieces.append(piece)
    return pieces


class _Writer:
    """Makes of a document what orjson takes, with nothing left in it that orjson would write as null.

    Attributes:
        left_out: The texts of long arrays, in order, for each of which the document has a gap.
    """

    def __init__(self, encoding: Encoding, most_bytes: int | None) -> None:
        self._most_bytes = most_bytes
        self._least_bytes = 0
        self._encoding: Encoding = encoding
        self.left_out: list[Iterable[bytes]] = []
        self._base64 = encoding == "base64"
        self._room = _PIECE_ELEMENTS

    def writable(self, value: Any) -> Any:
        kind = type(value)
        if kind is str or kind is bool or value is None:
            return value
        if kind is dict:
            data = value.get("data")
            if type(data) is np.ndarray and "dtype" in value:
                # What else there is to a tensor is plain.
                if not self._base64:
                    return {**value, "data": self._in_lists(data)}
                return {
                    ("base64" if key == "data" else key): (self._in_base64(item) if key == "data" else item) for key, item in value.items()
                }
            return {key: self.writable(item) for key, item in value.items()}
        if kind is list or kind is tuple:
            return [self.writable(item) for item in value]
        if kind is int:
            return value if -(2**63) <= value < 2**64 else orjson.Fragment(str(value))
        if kind is float:
            return value if math.isfinite(value) else _special(value)
        if isinstance(value, (np.ndarray, np.generic)):
            return self._in_lists(np.asarray(value))
        return value

    def _in_lists(self, array: Array) -> Any:
        if self._fits(_cost(array)) or not array.ndim:
            return _writable_array(array)
        # What is certainly too long is not even begun.
        self._least_bytes += _least_bytes(array.shape)
        if self._most_bytes is not None and self._least_bytes > self._most_bytes:
            raise AnswerTooLarge(self._most_bytes, self._encoding)
        return self._gap(_list_pieces(np.ascontiguousarray(array)))

    def _in_base64(self, array: Array) -> Any:
        if self._fits(array.nbytes // 8):
            return to_base64(array)
        return self._gap(chain([b'"'], base64_pieces(array), [b'"']))

    def _fits(self, cost: int) -> bool:
        self._room -= cost
        return self._room >= 0

    def _gap(self, pieces: Iterable[bytes]) -> orjson.Fragment:
        self.left_out.append(pieces)
        return _GAP


def _filled(text: bytes, left_out: list[Iterable[bytes]]) -> Iterator[bytes]:
    """The text with its gaps filled, in pieces that are worth sending each."""
    first, *rest = text.split(b"\0")
    waiting: list[bytes] = []
    size = 0
    for piece in chain([first], *(chain(pieces, [after]) for pieces, after in zip(left_out, rest, strict=True))):
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _least_bytes(shape: tuple[int, ...]) -> int:
    """The shortest that the nested list of a shape can be: its brackets, and its elements or empty lists with commas between them."""
    filled = shape[: shape.index(0)] if 0 in shape else shape
    return 2 * lists_in(shape) + math.prod(filled) - 1 + (0 if 0 in shape else math.prod(shape))


def _cost(array: Array) -> int:
    return array.size + _LIST * lists_in(array.shape)


def _list_pieces(array: Array) -> Iterator[bytes]:
    """The nested list of a contiguous array, piece by piece."""
    if not array.ndim or _cost(array) <= _PIECE_ELEMENTS:
        yield _written_array(array)
        return
    rows = _PIECE_ELEMENTS // _cost(array[0])
    before = b"["
    for start in range(0, len(array), max(rows, 1)):
        if rows:
            yield before + _written_array(array[start : start + rows])[1:-1]
        else:
            yield before
            yield from _list_pieces(array[start])
        before = b","
    yield b"]"


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _dumps_short(document: Any) -> bytes | None:
    """The text, if every tensor is a few finite numbers, as in most answers to calls for gradients; otherwise ``None``."""
    room = _FEW

    def numbers_of(array: Array) -> Any:
        nonlocal room
        room -= array.size
        if room < 0 or array.dtype != _FLOAT64 or array.ndim > 1:
            raise _NotShort
        numbers = array.tolist()
        if not math.isfinite(sum(numbers) if array.ndim else numbers):
            raise _NotShort
        return numbers

    try:
        return orjson.dumps(document, default=numbers_of)
    except orjson.JSONEncodeError as error:
        if isinstance(error.__cause__, _NotShort):
            return None
        raise


class _NotShort(Exception):
    """An array that is not written so."""


def _written_array(array: Array) -> bytes:
    return orjson.dumps(_writable_array(array), option=orjson.OPT_SERIALIZE_NUMPY)


def _writable_array(array: Array) -> Any:
    if array.dtype == np.float64 and array.ndim < 2:
        # Most answers are such.
        if not array.ndim:
            number: float = array.item()
            return number if math.isfinite(number) else _special(number)
        # The square of the norm is there at once. If it is not finite, some element may be so, or all are and it is too large.
        if array.size <= _ONE_THREAD and array.flags.c_contiguous and math.isfinite(quiet.run(array.dot, array)):
            return array
    if is_deep(array):
        return orjson.Fragment(write_nested(array, _written_array))
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
        strange = array[~finite]
        if np.isnan(strange).all():
            text = text.replace(b"null", b'"NaN"')
        else:
            names = [f'"{_special(element)}"'.encode() for element in strange.tolist()]
            text = b"".join(part for pair in zip(text.split(b"null"), [*names, b""], strict=True) for part in pair)
    return orjson.Fragment(text[1:-1] if scalar else text)
