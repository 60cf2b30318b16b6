from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from gradwire_server.errors import BodyTooLarge
from gradwire_server.middleware.bodies import LimitBodies
from tests.server.support import app, call, problem

JSON = {"content-type": "application/json"}


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body", False):
        pass


def run(limit: int, headers: list[tuple[bytes, bytes]], *chunks: bytes) -> int:
    """Sends chunks through the middleware; how many of them were read."""
    messages: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    try:
        asyncio.run(LimitBodies(read_all, each=limit, together=10**6)({"type": "http", "headers": headers}, receive, send))
    finally:
        read = len(messages) - len(waiting)
    return read


def test_a_body_up_to_the_limit_passes() -> None:
    assert run(10, [(b"content-length", b"10")], b"12345", b"67890") == 3


@pytest.mark.parametrize("announced", [b"11", b"1" * 18, b"9" * 5000])
def test_an_announced_body_is_refused_before_it_is_read(announced: bytes) -> None:
    with pytest.raises(BodyTooLarge):
        run(10, [(b"content-length", announced)])


def test_a_body_that_lies_about_its_length_is_cut_off() -> None:
    with pytest.raises(BodyTooLarge):
        run(10, [(b"content-length", b"3")], b"123456", b"789012", b"never read")


def test_a_body_in_chunks_is_cut_off() -> None:
    with pytest.raises(BodyTooLarge, match="may have at most 10 bytes, but this one is larger than that"):
        run(10, [(b"transfer-encoding", b"chunked")], b"123456", b"789012")


def test_the_answer_has_the_numbers() -> None:
    answer = call(app(max_body_bytes=10), "POST", "/v1/evaluate", content=b"x" * 11, headers=JSON)
    assert problem(answer) == (413, "body_too_large")
    assert answer.json()["detail"] == "A request body may have at most 10 bytes, but this one has 11."
    assert answer.json()["title"] == "Content Too Large"


def test_a_stream_is_refused_as_soon_as_it_is_too_large() -> None:
    sent = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"x" * 1000

    assert problem(call(app(max_body_bytes=5000), "POST", "/v1/evaluate", content=stream(), headers=JSON)) == (413, "body_too_large")
    assert sent < 20
