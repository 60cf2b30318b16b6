"""How large the body of a request may be, and how much of all bodies a process holds."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import BodyTooLarge, TooManyBytes
from ..negotiation import headers_of


class LimitBodies:
    """Refuses bodies that are too large, or too many at a time.

    One is refused by its announced length before it is read, and otherwise as soon as too much of it has arrived. Of all together it counts
    what has arrived.

    Args:
        app: The application.
        each: Number of bytes of one body.
        together: Number of bytes of all.
    """

    def __init__(self, app: ASGIApp, *, each: int, together: int) -> None:
        self._app = app
        self._each = each
        self._together = together
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = headers_of(scope).get(b"content-length")
        if announced is not None and announced.isdigit() and _exceeds(announced, self._each):
            raise BodyTooLarge(self._each, announced.decode())
        arrived = 0

        async def count() -> Message:
            nonlocal arrived
            message = await receive()
            if body := message.get("body"):
                arrived += len(body)
                self._held += len(body)
                if arrived > self._each:
                    raise BodyTooLarge(self._each)
                if self._held > self._together:
                    raise TooManyBytes(self._together)
            return message

        try:
            await self._app(scope, count, send)
        finally:
            self._held -= arrived


def _exceeds(digits: bytes, limit: int) -> bool:
    # Python refuses to read a number of thousands of digits, which anyone may send.
    return len(digits) > 18 or int(digits) > limit
