"""What the tests of the server share: services that need no engine, a client without a network, and a server with one."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from gradwire_engine.errors import ProgramError
from gradwire_engine.limits import Limits
from gradwire_server.app import create_app
from gradwire_server.services import Evaluate, Services
from gradwire_server.services.functions.limits import FunctionLimits
from gradwire_server.services.functions.service import EngineFunctions
from gradwire_server.services.sessions.limits import SessionLimits
from gradwire_server.services.sessions.service import EngineSessions
from gradwire_server.serving import listen, url_of
from gradwire_server.settings import Settings

OPS = [{"name": "mul"}, {"name": "add"}, {"name": "nn.functional.relu"}]


def echo(document: Any, *, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
    """Answers what it was sent."""
    check()
    return {"echo": document}


def busy(document: Any, *, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
    """Keeps the interpreter busy for ``document["seconds"]``, checking as often as a program of small nodes does."""
    end = time.monotonic() + document["seconds"]
    while time.monotonic() < end:
        check()
        sum(range(200))
    return {"done": True}


def services(evaluate: Evaluate = echo) -> Services:
    """Services around ``evaluate`` with three operations."""

    def get_op(name: str) -> dict[str, Any]:
        for op in OPS:
            if op["name"] == name:
                return dict(op)
        raise ProgramError(f"There is no operation {name!r}. Did you mean 'mul'?", code="unknown_op", pointer="")

    sessions = EngineSessions(SessionLimits())
    return Services(
        evaluate=evaluate,
        list_ops=lambda: [dict(op) for op in OPS],
        get_op=get_op,
        table_hash=lambda: "abc123",
        sessions=sessions,
        functions=EngineFunctions(FunctionLimits()),
    )


def app(evaluate: Evaluate = echo, **settings: Any) -> ASGIApp:
    """The application around ``evaluate``."""
    return create_app(Settings(**settings), services(evaluate))


def call(application: ASGIApp, method: str, path: str, **request: Any) -> httpx.Response:
    """One request, without a network in between."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **request)

    return asyncio.run(send())


def problem(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that must be an error as every error is."""
    body: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert set(body) - {"line", "column"} == {"type", "title", "status", "detail", "code", "pointer", "exception", "request_id"}
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["detail"].endswith((".", "?"))
    return response.status_code, body["code"]


@contextlib.contextmanager
def running(application: ASGIApp) -> Iterator[str]:
    """A real HTTP server around the application on a free port of this machine; the URL it is at."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(application, http="httptools", ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()
