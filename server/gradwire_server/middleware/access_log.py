"""One line for every request."""

from __future__ import annotations

from time import perf_counter

from starlette.types import ASGIApp, Receive, Scope, Send

from ..logs import Logger
from ..paths import PROBES
from .request_id import request_id_of


class AccessLog:
    """Logs method, path, status, duration and sizes of every request; of probes only at level debug.

    It stands outside :class:`gradwire_server.middleware.metrics.MeasureRequests`, which counts.

    Args:
        app: The application.
        log: Where the lines go.
    """

    def __init__(self, app: ASGIApp, *, log: Logger) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = perf_counter()
        try:
            await self._app(scope, receive, send)
        finally:
            state = scope.get("state", {})
            status, bytes_in, bytes_out = state["answered"]
            write = self._log.debug if scope["path"] in PROBES else self._log.info
            client = scope.get("client")
            write(
                "request",
                request_id=request_id_of(scope),
                method=scope["method"],
                path=scope["path"],
                status=status,
                code=state.get("problem_code"),
                key=state.get("key_id"),
                client=client[0] if client else None,
                milliseconds=round((perf_counter() - start) * 1000, 3),
                bytes_in=bytes_in,
                bytes_out=bytes_out,
            )
