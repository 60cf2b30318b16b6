"""The two halves of an exchange in plain ASGI: reading a body, sending an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.types import Receive, Send

from gradwire_engine.errors import Cancelled

from .errors import BodyTimeout

JSON_HEADER = (b"content-type", b"application/json")


async def read_body(receive: Receive, seconds: float) -> bytes:
    """Reads the whole body.

    Args:
        receive: The request's channel.
        seconds: The time that the body may take to arrive.

    Raises:
        BodyTimeout: It took longer.
        Cancelled: The caller hung up.
        BodyTooLarge: From the middleware beneath ``receive``.
    """
    parts = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Cancelled("The caller went away before the body was complete.")
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    return b"".join(parts) if len(parts) > 1 else bytes(parts[0])
    except TimeoutError:
        raise BodyTimeout(f"The body of the request did not arrive within {seconds:g} seconds.") from None


async def send_json(send: Send, body: bytes, *, status: int = 200) -> None:
    """Sends a whole answer in JSON."""
    await send_answer(send, status, body, [JSON_HEADER])


async def send_answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Sends a whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def raw_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers in the form that ASGI has for them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
