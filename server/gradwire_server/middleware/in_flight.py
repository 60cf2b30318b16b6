"""How many calls a process works on at a time."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import TooManyRequests
from ..paths import is_call


class LimitInFlight:
    """Refuses calls beyond the limit with status 429, before their bodies are read; probes and documentation always pass.

    Args:
        app: The application.
        limit: Number of calls at a time.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http" or not is_call(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._running >= self._limit:
            raise TooManyRequests(self._limit)
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1
