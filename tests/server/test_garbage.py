"""A request that was answered is gone, with its body, before any garbage is collected."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Scope

from gradwire_server.app import create_app
from gradwire_server.settings import Settings

PROGRAM = {"inputs": {"x": {"data": [2.0], "requires_grad": True}}, "program": "y = (x * x).sum()", "outputs": ["y"], "backward": "y"}


class Connection:
    """What an HTTP server has for a request, whose channels know the scope as uvicorn's do."""

    def __init__(self, method: str, path: str, document: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"host", b"test")]
        self.scope: Scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers, "client": None}
        self.body = json.dumps(document).encode()
        self.status = 0

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self.body}

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)


async def status_of(app: ASGIApp, *request: Any) -> tuple[int, weakref.ref[Connection]]:
    connection = Connection(*request)
    await app(connection.scope, connection.receive, connection.send)
    return connection.status, weakref.ref(connection)


@pytest.mark.parametrize(
    ("path", "document", "expected"),
    [
        ("/v1/evaluate", PROGRAM, 200),
        ("/v1/evaluate", {**PROGRAM, "outputs": ["nothing"]}, 422),
        ("/v1/functions/f/value_and_grad", {"inputs": {"x": [1.0, 2.0]}}, 200),
        ("/v1/functions/f/value_and_grad", {"inputs": {"x": "one"}}, 422),
        ("/v1/functions/nowhere/value_and_grad", {}, 404),
        ("/v1/nowhere", {}, 404),
    ],
)
def test_an_answered_request_leaves_nothing_behind(path: str, document: Any, expected: int) -> None:
    app = create_app(Settings())

    async def run() -> None:
        function = {"inputs": {"x": {"dtype": "float64", "shape": ["n"]}}, "program": "y = (x * x).sum()", "outputs": ["y"]}
        assert (await status_of(app, "PUT", "/v1/functions/f", function))[0] == 201
        # What is made once for all requests is made by the first.
        await status_of(app, "POST", path, document)
        gc.collect()
        gc.disable()
        try:
            status, connection = await status_of(app, "POST", path, document)
            # The line in the log is written after the answer.
            await asyncio.sleep(0)
            assert status == expected
            assert connection() is None
        finally:
            gc.enable()

    asyncio.run(run())
