"""What is known of every request: an id, a place among the numbers for Prometheus, a line in the log.

One middleware does all three, because each layer that looks at every message costs a small call several microseconds.
"""

from __future__ import annotations

import asyncio
import os
import re
from time import perf_counter
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..logs import AccessLines
from ..metrics import Metrics
from ..negotiation import headers_of
from ..paths import PROBES

_HEADER: Final = b"x-request-id"
# Anything else is replaced: it would end up in logs, where line breaks and the like let a caller forge entries.
_SANE: Final = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")

# Anyone can send any method and any path: what is not known shares one label, so that the number of series stays bounded.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNMATCHED: Final = "unmatched"
# Where they are kept in the state of a request.
_EXCHANGE: Final = "exchange"
_REQUEST_ID: Final = "request_id"


class Exchange:
    """One request and its answer, as they pass.

    Args:
        identifier: The request's id, which the answer carries.
        receive: The request's channel.
        send: The answer's channel.

    Attributes:
        status: The status of the answer; 0 as long as none was begun.
        bytes_in: How much of the request's body has arrived.
        bytes_out: How much of the answer's body was sent.
    """

    __slots__ = ("_identifier", "_receive", "_send", "bytes_in", "bytes_out", "status")

    def __init__(self, identifier: bytes, receive: Receive, send: Send) -> None:
        self._identifier = identifier
        self.status = self.bytes_in = self.bytes_out = 0
        self._receive, self._send = receive, send

    async def receive(self) -> Message:
        """The next message of the request."""
        message = await self._receive()
        if body := message.get("body"):
            self.bytes_in += len(body)
        return message

    async def send(self, message: Message) -> None:
        """Sends the next message of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), (_HEADER, self._identifier)]}
        elif body := message.get("body"):
            self.bytes_out += len(body)
        await self._send(message)


def request_id_of(scope: Scope) -> str:
    """The id of the request, or an empty string outside the middleware."""
    identifier: str = scope.get("state", {}).get(_REQUEST_ID, "")
    return identifier


def is_answered(scope: Scope) -> bool:
    """Whether the answer was begun, so that there can be no other."""
    exchange: Exchange = scope["state"][_EXCHANGE]
    return exchange.status != 0


class ObserveRequests:
    """Gives every request an id, counts and times it by route template, method and status, and logs it.

    The id is the caller's ``X-Request-ID`` if that is sane, and the answer carries it. Probes are logged only at level debug.

    Args:
        app: The application.
        metrics: Where the numbers go.
        templates: The paths of routes without parameters, by which a request is known that was refused before it was routed.
        log: Where the lines go.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, templates: frozenset[str], log: AccessLines) -> None:
        self._app = app
        self._metrics = metrics
        self._templates = templates
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = perf_counter()
        state: dict[str, Any] = scope.setdefault("state", {})
        given = headers_of(scope).get(_HEADER, b"")
        identifier = given if given and _SANE.fullmatch(given) else os.urandom(16).hex().encode()
        state[_REQUEST_ID] = identifier.decode()
        exchange = state[_EXCHANGE] = Exchange(identifier, receive, send)
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            # The HTTP server's channels know the scope: otherwise a request and its body would stay until garbage is collected.
            del state[_EXCHANGE]
            # What was sent leaves at the end of this turn of the event loop, and does not wait for the log.
            asyncio.get_running_loop().call_soon(self._note, scope, state, exchange, perf_counter() - start)

    def _note(self, scope: Scope, state: dict[str, Any], exchange: Exchange, seconds: float) -> None:
        self._metrics.in_flight.dec()
        method, path, status = scope["method"], scope["path"], exchange.status
        route = scope.get("route")
        template = route.path if route is not None else path if path in self._templates else _UNMATCHED
        known = method if method in _METHODS else "other"
        self._metrics.request(template, known, status or 500, seconds, exchange.bytes_in, exchange.bytes_out)
        if reason := state.get("refusal"):
            self._metrics.refused(reason)
        client = scope.get("client")
        self._log.write(
            {
                "request_id": state[_REQUEST_ID],
                "method": method,
                "path": path,
                "status": status,
                "code": state.get("problem_code"),
                "key": state.get("key_id"),
                "client": client[0] if client else None,
                "milliseconds": round(seconds * 1000, 3),
                "bytes_in": exchange.bytes_in,
                "bytes_out": exchange.bytes_out,
            },
            quietly=path in PROBES,
        )
