"""The two halves of an exchange in plain ASGI: reading a body, sending an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from starlette.types import Receive, Scope, Send

from gradwire_engine.errors import Cancelled
from gradwire_engine.safetensors import Piece

from .errors import BodyTimeout

COMPLETE: Final = "body_complete"
"""What the HTTP server puts into the state of a request whose whole body is there, so that nobody has to watch the time for it."""

JSON_HEADER = (b"content-type", b"application/json")

# The HTTP server takes this much of an answer at once, whether the caller reads it or not.
_TAKEN_AT_ONCE: Final = 64 * 1024


async def read_body(scope: Scope, receive: Receive, seconds: float) -> bytes | bytearray:
    """Reads the whole body; a long one is not bytes, because copying it into such would hold up all others.

    Args:
        scope: The request.
        receive: The request's channel.
        seconds: The time that the body may take to arrive.

    Raises:
        BodyTimeout: It took longer.
        Cancelled: The caller hung up.
        BodyTooLarge: From the middleware beneath ``receive``.
    """
    if COMPLETE in scope.get("state", ()):
        return await _rest_of_body(receive)
    try:
        async with asyncio.timeout(seconds):
            return await _rest_of_body(receive)
    except TimeoutError:
        raise BodyTimeout(f"The body of the request did not arrive within {seconds:g} seconds.") from None


async def _rest_of_body(receive: Receive) -> bytes | bytearray:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Cancelled("The caller went away before the body was complete.")
        part: bytes = message.get("body", b"")
        if not message.get("more_body", False) and not body:
            return part
        body += part
        if not message.get("more_body", False):
            return body


async def send_json(send: Send, body: bytes | Sequence[bytes], *, status: int = 200) -> None:
    """Sends a whole answer in JSON, and returns when the caller has nearly all of it."""
    await send_answer(send, status, body, [JSON_HEADER])


async def send_answer(send: Send, status: int, body: bytes | Sequence[Piece], headers: list[tuple[bytes, bytes]]) -> None:
    """Sends a whole answer.

    Args:
        send: The request's channel.
        status: The HTTP status.
        body: The body, or what it consists of; a list is emptied, so that what is sent takes no memory while the rest waits.
        headers: Headers beside the length.
    """
    pieces: Sequence[Piece] = (body,) if isinstance(body, bytes) else body
    size = sum(map(len, pieces))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"content-length", str(size).encode())]})
    if len(pieces) == 1 and size <= _TAKEN_AT_ONCE:
        await send({"type": "http.response.body", "body": pieces[0]})
        return
    for piece in _emptied(pieces) if isinstance(pieces, list) else pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    # Sending waits for what was sent before, so that this ends when the caller has taken the rest.
    await send({"type": "http.response.body", "body": b""})


def _emptied(pieces: list[Piece]) -> Iterator[Piece]:
    pieces.reverse()
    while pieces:
        yield pieces.pop()


def raw_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers in the form that ASGI has for them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
