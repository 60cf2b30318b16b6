"""How much of all request bodies a process holds."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import TooManyBytes


class LimitBodies:
    """Refuses to take more of a body when those of all requests together reach the limit; it counts what has arrived.

    Args:
        app: The application.
        limit: Number of bytes.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        arrived = 0

        async def count() -> Message:
            nonlocal arrived
            message = await receive()
            size = len(message.get("body", b""))
            arrived += size
            self._held += size
            if self._held > self._limit:
                raise TooManyBytes(self._limit)
            return message

        try:
            await self._app(scope, count, send)
        finally:
            self._held -= arrived
