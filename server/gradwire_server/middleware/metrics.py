"""Numbers about every request, for Prometheus."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..metrics import Metrics

# Anyone can send any method and any path: what is not known shares one label, so that the number of series stays bounded.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNMATCHED: Final = "unmatched"


class MeasureRequests:
    """Counts and times requests by route template, method and status.

    What it counted of a request is in the request's state as ``answered``: the status, 0 where no answer was begun, and the sizes of the
    two bodies.

    Args:
        app: The application.
        metrics: Where the numbers go.
        templates: The paths of routes without parameters, by which a request is known that was refused before it was routed.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, templates: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = perf_counter()
        status = bytes_in = bytes_out = 0

        async def count_in() -> Message:
            nonlocal bytes_in
            message = await receive()
            bytes_in += len(message.get("body", b""))
            return message

        async def count_out(message: Message) -> None:
            nonlocal status, bytes_out
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                bytes_out += len(message.get("body", b""))
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, count_in, count_out)
        finally:
            self._metrics.in_flight.dec()
            state = scope.setdefault("state", {})
            state["answered"] = status, bytes_in, bytes_out
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.request(self._route(scope), method, status or 500, perf_counter() - start, bytes_in, bytes_out)
            if reason := state.get("refusal"):
                self._metrics.refused(reason)

    def _route(self, scope: Scope) -> str:
        route = scope.get("route")
        if route is not None:
            path: str = route.path
            return path
        return scope["path"] if scope["path"] in self._templates else _UNMATCHED
