"""The body of a request to a document, and a document to the body of an answer, in whatever format the two sides agreed on.

Everything that calls with tensors have in common is here: JSON with lists or base64, safetensors, and compression.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gradwire_engine import attached
from gradwire_engine.safetensors import Piece

from . import wire
from .compression import IDENTITY, compress, decompress
from .negotiation import EITHER, JSON, SAFETENSORS, CallOptions
from .settings import Settings

Headers = list[tuple[bytes, bytes]]

# A smaller answer is there sooner than it is compressed.
_WORTH_COMPRESSING: Final = 16 * 1024
# A header takes as long to write as base64 of this much, and a person can read the rest.
_WORTH_SAFETENSORS: Final = 16 * 1024
# How much of a tensor is sent at a time.
_PIECE_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class Written:
    """The body of an answer.

    Attributes:
        pieces: What it consists of.
        headers: The headers that say what it is.
    """

    pieces: list[Piece]
    headers: Headers


class Documents:
    """Reads and writes documents within the limits of the settings.

    Args:
        settings: The settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def size(self, body: bytes | bytearray, options: CallOptions) -> int:
        """The bytes that a body has to be taken for, before it is decided where it is read."""
        # A few bytes may hold any number of them.
        return len(body) if options.compression == IDENTITY else sys.maxsize

    def read(self, body: bytes | bytearray, options: CallOptions, check: Callable[[], None]) -> Any:
        """The document in the body of a request; a tensor in it may have an array as ``data``.

        Args:
            body: The body.
            options: What the request says of it.
            check: Called between the steps; what it raises ends the reading.

        Raises:
            GradwireError: The body is malformed or too large.
        """
        if options.compression != IDENTITY:
            body = decompress(body, options.compression, self._settings.max_body_bytes, check)
        if options.body == SAFETENSORS:
            return attached.unpack(body, attached.REQUEST, self._part(check))
        return wire.loads(body, most_values=self._settings.json_values, check=check, tensors=True)

    def write(
        self, document: Any, options: CallOptions, check: Callable[[], None], *, keep: bool = False, only_tensors: bool = False
    ) -> Written:
        """The body of an answer.

        Args:
            document: The document, with an array as the ``data`` of every tensor.
            options: What the request wants.
            check: Called between the steps; what it raises ends the writing.
            keep: Whether the arrays may change before the answer is sent, so that it must not share memory with them.
            only_tensors: Whether every number in the document is one of a tensor.

        Raises:
            AnswerTooLarge: The body would have more bytes than answers may have.
        """
        if options.answer == SAFETENSORS or (options.answer == EITHER and attached.tensor_bytes(document) >= _WORTH_SAFETENSORS):
            return Written(self._safetensors(document, check, keep=keep), [(b"content-type", SAFETENSORS.encode())])
        return self.write_json(document, options, check, JSON, only_tensors=only_tensors)

    def write_json(
        self, document: Any, options: CallOptions, check: Callable[[], None], media: str, *, only_tensors: bool = False
    ) -> Written:
        """The body of an answer that is JSON whatever was asked for, such as a problem, as ``write`` does."""
        most_bytes = self._settings.answer_bytes
        pieces: list[Piece] = [
            *wire.dumps_in_pieces(document, options.encoding, most_bytes=most_bytes, check=check, only_tensors=only_tensors)
        ]
        headers: Headers = [(b"content-type", media.encode())]
        coding = options.answer_compression
        if coding != IDENTITY and sum(map(len, pieces)) >= _WORTH_COMPRESSING:
            headers += [(b"content-encoding", coding.encode()), (b"vary", b"accept-encoding")]
            return Written(compress(pieces, coding, check), headers)
        return Written(pieces, headers)

    def _part(self, check: Callable[[], None]) -> Callable[[bytes], Any]:
        """Reads JSON that is a part of a body, and says what is wrong with it in the words of who reads the whole."""

        def loads(text: bytes) -> Any:
            try:
                return wire.loads(text, most_values=self._settings.json_values, check=check)
            except wire.MalformedJson as error:
                raise ValueError(error.detail.rstrip(".")) from None

        return loads

    def _safetensors(self, document: Any, check: Callable[[], None], *, keep: bool) -> list[Piece]:
        most_bytes = self._settings.answer_bytes
        pieces: list[Piece] = []
        size = 0
        for piece in attached.pack(document, attached.RESPONSE, wire.dumps):
            size += len(piece)
            if size > most_bytes:
                raise wire.AnswerTooLarge(most_bytes, "base64")
            for start in range(0, len(piece), _PIECE_BYTES):
                check()
                part = piece[start : start + _PIECE_BYTES]
                pieces.append(bytes(part) if keep else part)
        return pieces
