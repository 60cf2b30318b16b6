"""Arrays as base64, a part at a time: a long text takes time to write or read, in which no other thread runs."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Final

import numpy as np

from .dtypes import Array

# What is done at a time takes less than a millisecond, and is a whole number of groups.
_BYTES: Final = 3 * 2**16
_CHARACTERS: Final = 4 * 2**16


def to_base64(array: Array) -> str:
    """The values as base64 of their little-endian bytes in row-major order."""
    return b"".join(base64_pieces(array)).decode("ascii")


def base64_pieces(array: Array) -> Iterator[bytes]:
    """What :func:`to_base64` gives, piece by piece."""
    little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    raw = little_endian.reshape(-1).view(np.uint8).data
    for start in range(0, len(raw), _BYTES):
        yield binascii.b2a_base64(raw[start : start + _BYTES], newline=False)


def from_base64(text: str) -> bytearray:
    """The bytes of which ``text`` is the base64.

    Raises:
        ValueError: It is not the base64 of any, or not as it is written.
    """
    raw = bytearray()
    for start in range(0, len(text), _CHARACTERS):
        piece = text[start : start + _CHARACTERS]
        if piece.endswith("=") and start + len(piece) < len(text):
            raise ValueError("Excess data after padding")
        raw += binascii.a2b_base64(piece, strict_mode=True)
    # Strict mode lets surplus padding and stray bits after the last byte pass; there is one right spelling.
    rest = len(raw) % 3
    if len(text) != (len(raw) + 2) // 3 * 4 or (rest and binascii.b2a_base64(raw[-rest:], newline=False) != text[-4:].encode()):
        raise ValueError("its padding is wrong")
    return raw
