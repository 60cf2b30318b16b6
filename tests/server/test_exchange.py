from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from gradwire_engine.errors import Cancelled
from gradwire_engine.safetensors import Piece
from gradwire_server.errors import BodyTimeout
from gradwire_server.exchange import read_body, send_answer


def read(*messages: Message, seconds: float = 5) -> bytes:
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            await asyncio.sleep(60)
        return waiting.pop(0)

    return bytes(asyncio.run(read_body({"type": "http"}, receive, seconds)))


def test_a_body_in_one_piece_or_several() -> None:
    assert read({"type": "http.request", "body": b"abc"}) == b"abc"
    assert read({"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.request", "body": b"c"}) == b"abc"
    assert read({"type": "http.request"}) == b""


def test_a_body_that_never_ends() -> None:
    with pytest.raises(BodyTimeout, match=r"did not arrive within 0\.05 seconds"):
        read({"type": "http.request", "body": b"ab", "more_body": True}, seconds=0.05)


def test_a_caller_who_hangs_up() -> None:
    with pytest.raises(Cancelled):
        read({"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.disconnect"})


@pytest.mark.parametrize("pieces", [[b"a" * 70_000, b"b", memoryview(b"c")], [b"ab"], []])
def test_what_is_sent_of_a_list_is_let_go(pieces: list[Piece]) -> None:
    whole = b"".join(pieces)
    left: list[int] = []
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            left.append(len(pieces))
            sent.append(bytes(message["body"]))

    asyncio.run(send_answer(send, 200, pieces, []))
    assert b"".join(sent) == whole
    if len(whole) > 65_536:
        assert left == [2, 1, 0, 0]


def test_what_is_kept_is_sent_as_it_is() -> None:
    pieces = (b"a" * 70_000, b"b")
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    for _ in range(2):
        asyncio.run(send_answer(send, 200, pieces, []))
    assert b"".join(sent) == b"".join(pieces) * 2
