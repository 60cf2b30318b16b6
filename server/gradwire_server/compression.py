"""gzip as Content-Encoding: what is compressed grows no larger than it may, and is worked on in pieces."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Final

from gradwire_engine.safetensors import Piece

from .errors import BodyTooLarge, MalformedCompression

_GZIP: Final = 31
_PIECE_BYTES: Final = 64 * 1024
# Digits shrink to less than half at the quickest level, and to little less at the others.
_LEVEL: Final = 1


def decompress(body: bytes | bytearray, most_bytes: int, check: Callable[[], None]) -> bytearray:
    """The body that was compressed.

    Args:
        body: One or more gzip members.
        most_bytes: The most bytes that it may grow to.
        check: Called between pieces; what it raises ends the work.

    Raises:
        MalformedCompression: It is no gzip, is cut off, or something else follows.
        BodyTooLarge: It would be larger; no more than that was ever made of it.
    """
    whole = bytearray()
    stream = None
    for start in range(0, len(body), _PIECE_BYTES):
        data = bytes(body[start : start + _PIECE_BYTES])
        while data or stream is not None:
            check()
            stream = stream or zlib.decompressobj(_GZIP)
            try:
                piece = stream.decompress(data, _PIECE_BYTES)
            except zlib.error as error:
                raise MalformedCompression(f"The body is not valid gzip: {error}.") from None
            whole += piece
            if len(whole) > most_bytes:
                raise BodyTooLarge(most_bytes, decompressed=True)
            if stream.eof:
                data, stream = stream.unused_data, None
                continue
            data = stream.unconsumed_tail
            if not data and len(piece) < _PIECE_BYTES:
                break
    if stream is not None:
        raise MalformedCompression("The body is not valid gzip: it is cut off.")
    return whole


def compress(pieces: Sequence[Piece], check: Callable[[], None]) -> list[Piece]:
    """The pieces as one gzip member, again in pieces; ``check`` is called between them."""
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    written: list[Piece] = []
    for piece in pieces:
        check()
        if part := stream.compress(piece):
            written.append(part)
    return [*written, stream.flush()]
