"""gzip and zstd as Content-Encoding: what is compressed grows no larger than it may, and is worked on in pieces."""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from gradwire_engine.safetensors import Piece

from .errors import BodyTooLarge, MalformedCompression


def _find_zstd() -> Any:
    """The module of Python 3.14, or what brings it to those before; ``None`` if there is neither."""
    try:
        return importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    except ImportError:
        return None


_zstd: Final = _find_zstd()

IDENTITY: Final = "identity"
GZIP: Final = "gzip"
ZSTD: Final = "zstd"

CODINGS: Final = (GZIP,) if _zstd is None else (ZSTD, GZIP)
"""The codings that there are, the quickest first: zstd takes a third of the time of gzip to write digits, a quarter to read them."""

MOST_MEMBERS: Final = 10_000
"""The most compressed parts of which a body may consist. Many programs that compress on several processors write one for every 64 KiB."""

_GZIP: Final = 31
_PIECE_BYTES: Final = 64 * 1024
# Digits shrink to less than half at the quickest level, and to little less at the others.
_LEVEL: Final = 1
# The most memory that a reader of zstd needs to have on the web (RFC 9659), as a power of two.
_WINDOW: Final = 23
_ERRORS: Final[tuple[type[Exception], ...]] = (zlib.error,) if _zstd is None else (zlib.error, _zstd.ZstdError)


class _Reader(Protocol):
    """Reads one member."""

    @property
    def eof(self) -> bool:
        """Whether it has come to the end."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether it has given all that can be made of what it was given."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What it was given beyond the end."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Reads on, and gives as many bytes at most."""
        ...


class _GzipReader:
    """zlib's reader with the manners of those that came after it: it keeps what it has not read yet."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        self.needs_input = not self._stream.unconsumed_tail and len(piece) < max_length
        return piece


def decompress(body: bytes | bytearray, coding: str, most_bytes: int, check: Callable[[], None]) -> bytearray:
    """The body that was compressed.

    Args:
        body: One or more members, which zstd calls frames.
        coding: How it is compressed, one of :data:`CODINGS`.
        most_bytes: The most bytes that it may grow to.
        check: Called between pieces; what it raises ends the work.

    Raises:
        MalformedCompression: It is not of that coding, is cut off, something else follows, or it has too many members.
        BodyTooLarge: It would be larger; no more than that was ever made of it.
    """
    whole = bytearray()
    reader: _Reader | None = None
    members = 0
    for start in range(0, len(body), _PIECE_BYTES):
        data = bytes(body[start : start + _PIECE_BYTES])
        while data or not (reader is None or reader.needs_input):
            check()
            if reader is None:
                members += 1
                if members > MOST_MEMBERS:
                    raise MalformedCompression(f"The body has more than the {MOST_MEMBERS:,} members of {coding} that are read.")
                reader = _reader(coding)
            try:
                piece = reader.decompress(data, _PIECE_BYTES)
            except _ERRORS as error:
                raise MalformedCompression(f"The body is not valid {coding}: {error}.") from None
            whole += piece
            if len(whole) > most_bytes:
                raise BodyTooLarge(most_bytes, decompressed=True)
            data = b""
            if reader.eof:
                data, reader = reader.unused_data, None
    if reader is not None:
        raise MalformedCompression(f"The body is not valid {coding}: it is cut off.")
    return whole


def compress(pieces: Sequence[Piece], coding: str, check: Callable[[], None]) -> list[Piece]:
    """The pieces as one member of a coding, again in pieces; ``check`` is called between them."""
    stream = _writer(coding)
    written: list[Piece] = []
    for piece in pieces:
        check()
        if part := stream.compress(piece):
            written.append(part)
    return [*written, stream.flush()]


def _reader(coding: str) -> _Reader:
    if coding == GZIP:
        return _GzipReader()
    reader: _Reader = _zstd.ZstdDecompressor(options={_zstd.DecompressionParameter.window_log_max: _WINDOW})
    return reader


def _writer(coding: str) -> Any:
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP) if coding == GZIP else _zstd.ZstdCompressor(level=_LEVEL)
