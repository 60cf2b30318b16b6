"""``GET /healthz`` and ``GET /readyz``: cheap enough for a load balancer that asks every second."""

from __future__ import annotations

from typing import Final

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from ..draining import Draining
from ..errors import ServerDraining
from ..exchange import send_json
from ..routing import AsgiRoute
from ..schemas.info import Status
from ..schemas.problem import problems
from .context import Context

_OK: Final = b'{"status":"ok"}'


class Healthz:
    """Answers as long as the event loop turns."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        await send_json(send, _OK)


class Readyz:
    """Answers 503 once the server is about to stop.

    Args:
        draining: Whether it is.
    """

    def __init__(self, draining: Draining) -> None:
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if self._draining.active:
            raise ServerDraining
        await send_json(send, _OK)


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        AsgiRoute(
            "/healthz",
            Healthz(),
            methods=["GET"],
            response_model=Status,
            operation_id="healthz",
            tags=["server"],
            summary="Is the process alive?",
            description="Answers within milliseconds whatever is being computed. For a liveness probe.",
        ),
        AsgiRoute(
            "/readyz",
            Readyz(context.draining),
            methods=["GET"],
            response_model=Status,
            responses=problems(503),
            operation_id="readyz",
            tags=["server"],
            summary="Should requests be sent here?",
            description="Status 503 from the moment the server is told to stop. For a readiness probe.",
        ),
    ]
