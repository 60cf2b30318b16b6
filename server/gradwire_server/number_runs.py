"""Long lists of numbers in a JSON text, read straight into arrays.

A number that becomes a Python object costs several times what reading its digits does. So a list is read a piece at a time, each of
which is an array before the next one is begun. Only what is certainly well-formed is read.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from itertools import chain
from typing import Any, Final

import msgspec
import numpy as np

from gradwire_engine.dtypes import Array

Body = bytes | bytearray

_PIECE_BYTES: Final = 32 * 1024

_FRACTION: Final = re.compile(rb"[.eE]")
_NEGATIVE_ZERO: Final = re.compile(rb"(?<![eE])-0(?![.eE0-9])")
_NO_MARKS: Final = bytes(set(range(256)) - set(b"[],"))


def end_of_list(body: Body, begin: int) -> int:
    """Where the list ends that begins at ``begin``, if it holds no strings and no objects; 0 if it is not closed."""
    quote = body.find(b'"', begin)
    stop = len(body) if quote < 0 else quote
    brace = body.find(b"}", begin, stop)
    return body.rfind(b"]", begin, stop if brace < 0 else brace) + 1


def read_list(body: Body, begin: int, end: int, dimensions: int, count: Callable[[int], None]) -> Array | None:
    """The numbers of a list of as many dimensions; ``None`` if they are no list of numbers, or not one of equal rows."""
    blocks: list[Array] = []
    skeleton: list[bytes] = []
    read = depth = 0
    while begin < end:
        cut = body.rfind(b",", begin, begin + _PIECE_BYTES) if begin + _PIECE_BYTES < end else end
        if cut < begin:
            count(-read)
            return None
        piece = bytes(body[begin:cut])
        marks = piece.translate(None, _NO_MARKS) if dimensions > 1 else _ends_of(piece, first=not blocks, last=cut == end)
        opened = marks.count(b"[")
        after = depth + opened - marks.count(b"]")
        # What is left open is closed, and what was open is opened, so that each piece is a list by itself.
        block = _block(b"".join((b"[" * depth, piece, b"]" * after)), dimensions)
        if block is None or after < (cut < end):
            count(-read)
            return None
        count(len(block) + opened)
        read += len(block) + opened
        blocks.append(block)
        skeleton.append(marks)
        begin, depth = cut + 1, after
    # The list itself is counted as the string that is left in its place.
    count(-1)
    array = np.concatenate([block.astype(np.float64) for block in blocks] if len({b.dtype for b in blocks}) > 1 else blocks)
    shape = (len(array),) if dimensions == 1 else _shape(b",".join(skeleton), dimensions)
    if shape is None or len(array) != math.prod(shape):
        count(1 - read)
        return None
    return array.reshape(shape)


def _ends_of(piece: bytes, *, first: bool, last: bool) -> bytes:
    """The brackets of a piece of a list that has no lists in it."""
    return b"[" * first + b"]" * last


def _block(text: bytes, dimensions: int) -> Array | None:
    """The numbers of a nested list in a row."""
    whole = _FRACTION.search(text) is None
    try:
        level = _decoder(dimensions, int if whole else float).decode(text)
        for _ in range(dimensions - 1):
            level = list(chain.from_iterable(level))
        block = np.fromiter(level, np.int64 if whole else np.float64, len(level))
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError):
        return None
    if np.count_nonzero(block) < len(block):
        # One of the zeros may be -0, which has lost its sign.
        kept = _NEGATIVE_ZERO.sub(b"-0.0", text)
        return block if kept == text else _block(kept, dimensions)
    return block if len(block) else None


@functools.cache
def _decoder(dimensions: int, kind: type[int | float]) -> msgspec.json.Decoder[Any]:
    nested: Any = kind
    for _ in range(dimensions):
        nested = list[nested]
    return msgspec.json.Decoder(nested)


def _shape(skeleton: bytes, dimensions: int) -> tuple[int, ...] | None:
    """The sizes of a nested list of which only brackets and commas are left; ``None`` if its rows differ."""
    row = b""
    shape: list[int] = []
    for level in range(1, dimensions + 1):
        end = skeleton.find(b"]" * level)
        # Between the brackets of this level, and so one row after the other with commas between them.
        inside = end + level - 1 - (dimensions - level + 1)
        size, rest = divmod(inside + 1, len(row) + 1)
        if end < 0 or rest or size < 1:
            return None
        shape.insert(0, size)
        row = b"".join((b"[", (row + b",") * (size - 1), row, b"]"))
    return tuple(shape) if row == skeleton else None
