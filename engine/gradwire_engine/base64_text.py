"""Arrays as base64, a part at a time: a long text takes time to write or read, in which no other thread runs."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from .dtypes import Array
from .stopping import check

# What is done at a time takes less than a millisecond, and is a whole number of groups.
_BYTES: Final = 3 * 2**16
_CHARACTERS: Final = 4 * 2**16


@dataclass(frozen=True, slots=True, eq=False)
class Base64:
    """A long string of base64 in place of the string itself, left where it came from.

    Attributes:
        text: Its characters in ASCII.
    """

    text: memoryview

    def written(self) -> str:
        """The string."""
        return str(self.text, "ascii")


def to_base64(array: Array) -> str:
    """The values as base64 of their little-endian bytes in row-major order."""
    return b"".join(base64_pieces(array)).decode("ascii")


def base64_pieces(array: Array) -> Iterator[bytes]:
    """What :func:`to_base64` gives, piece by piece."""
    little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    raw = little_endian.reshape(-1).view(np.uint8).data
    for start in range(0, len(raw), _BYTES):
        yield binascii.b2a_base64(raw[start : start + _BYTES], newline=False)


def bytes_in_base64(text: str | memoryview) -> int:
    """How many bytes ``text`` stands for, if it is the base64 of any."""
    end = text[-2:] if isinstance(text, str) else bytes(text[-2:]).decode("latin-1")
    return max(len(text) // 4 * 3 - end.count("="), 0)


def read_base64(text: str | memoryview, raw: memoryview) -> None:
    """Reads the bytes of which ``text`` is the base64.

    Args:
        text: Characters, or the bytes that they have in ASCII.
        raw: Where the bytes go, as many as :func:`bytes_in_base64` says.

    Raises:
        ValueError: It is not the base64 of any, or not as it is written.
    """
    padding = "=" if isinstance(text, str) else b"="
    if len(text) % 4:
        raise ValueError("its padding is wrong")
    end = 0
    for start in range(0, len(text), _CHARACTERS):
        check()
        piece = text[start : start + _CHARACTERS]
        if piece[-1:] == padding and start + len(piece) < len(text):
            raise ValueError("Excess data after padding")
        part = binascii.a2b_base64(piece, strict_mode=True)
        begin, end = end, end + len(part)
        if end > len(raw):
            raise ValueError("its padding is wrong")
        raw[begin:end] = part
    # Strict mode lets surplus padding and stray bits after the last byte pass; there is one right spelling.
    rest = len(raw) % 3
    if end < len(raw) or (rest and not _ends(text, binascii.b2a_base64(raw[-rest:], newline=False))):
        raise ValueError("its padding is wrong")


def _ends(text: str | memoryview, end: bytes) -> bool:
    return (text[-4:].encode() if isinstance(text, str) else text[-4:]) == end
