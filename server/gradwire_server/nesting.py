"""Nested lists as text in little memory, whatever the shape.

orjson keeps a record of a hundred bytes and more for every list while it writes an array, which is many times the text where
there are few elements in a list. So sizes of one are left out and put back into the text, and the rest is written in pieces.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Final

import numpy as np

from gradwire_engine.dtypes import Array
from gradwire_engine.meta import MAX_DIMENSIONS, lists_in

Write = Callable[[Array], bytes]

_MOST_LISTS: Final = 1 << 14


def is_deep(array: Array) -> bool:
    """Whether ``write_nested`` should write the array."""
    sizes = _written(array)
    return lists_in(sizes) > _MOST_LISTS or len(sizes) > MAX_DIMENSIONS


def write_nested(array: Array, write: Write) -> bytes:
    """The nested list of an array in JSON.

    Args:
        array: The array; the innermost lists of a complex one are pairs.
        write: Writes an array that is not deep.
    """
    shape = array.shape
    if 0 in shape:
        text = b"[]"
        for size in reversed(shape[: shape.index(0)]):
            text = b"[" + (text + b",") * (size - 1) + text + b"]"
        return text
    text = _in_pieces(np.ascontiguousarray(array).reshape([size for size in shape if size != 1]), write)
    # Where one unit ends and the next begins stand as many brackets, on either side of the comma, as lists enclose it.
    enclosing = 1 if array.dtype.kind == "c" else 0
    for one, run in groupby(reversed(shape), lambda size: size == 1):
        more = len(list(run))
        if one:
            between = b"]" * (enclosing + more) + b"," + b"[" * (enclosing + more)
            text = b"[" * more + text.replace(between[more:-more], between) + b"]" * more
        enclosing += more
    return text


def _in_pieces(array: Array, write: Write) -> bytes:
    if not array.ndim or lists_in(_written(array)) <= _MOST_LISTS:
        return write(array)
    rows = (_MOST_LISTS - 1) // (lists_in(_written(array)[1:]) or 1)
    if rows:
        pieces = [write(array[start : start + rows])[1:-1] for start in range(0, len(array), rows)]
    else:
        pieces = [_in_pieces(row, write) for row in array]
    return b"[" + b",".join(pieces) + b"]"


def _written(array: Array) -> tuple[int, ...]:
    """The sizes of the nested list."""
    return (*array.shape, 2) if array.dtype.kind == "c" else array.shape
