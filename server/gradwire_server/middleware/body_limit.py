"""How large a request's body may be."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import BodyTooLarge


class LimitBody:
    """Refuses a body by its announced length before it is read, and otherwise as soon as too much of it has arrived.

    Args:
        app: The application.
        limit: Number of bytes.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and _exceeds(value, self._limit):
                raise BodyTooLarge(self._limit, value.decode())
        arrived = 0

        async def count() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._limit:
                raise BodyTooLarge(self._limit)
            return message

        await self._app(scope, count, send)


def _exceeds(digits: bytes, limit: int) -> bool:
    # Python refuses to read a number of thousands of digits, which anyone may send.
    return len(digits) > 18 or int(digits) > limit
