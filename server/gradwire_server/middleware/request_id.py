"""Every request has an id, which is in its answer and in every line of the log about it."""

from __future__ import annotations

import re
import secrets
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = b"x-request-id"
_SANE: Final = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")


def request_id_of(scope: Scope) -> str:
    """The id of the request, or an empty string outside the middleware."""
    identifier: str = scope.get("state", {}).get("request_id", "")
    return identifier


class RequestId:
    """Takes a sane ``X-Request-ID`` from the caller, or makes one; the answer carries it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER), b"")
        # Anything else is replaced: it would end up in logs, where line breaks and the like let a caller forge entries.
        identifier = given if _SANE.fullmatch(given) else secrets.token_hex(16).encode()
        scope.setdefault("state", {})["request_id"] = identifier.decode()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (HEADER, identifier)]}
            await send(message)

        await self._app(scope, receive, send_with_id)
