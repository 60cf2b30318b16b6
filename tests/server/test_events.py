"""Progress between a thread and an event loop, and answers of events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message

from gradwire_engine.errors import Cancelled, LimitError
from gradwire_engine.safetensors import Piece
from gradwire_server import events
from gradwire_server.documents import Written
from gradwire_server.events import Progress, send_progress


def test_the_first_report_and_the_last_are_never_lost() -> None:
    progress: Progress[int] = Progress()
    assert progress.take() == []
    for number in range(5):
        progress.report(number)
    assert progress.take() == [0, 4]
    for number in range(5, 9):
        progress.report(number)
    assert progress.take() == [8]
    assert progress.take() == []
    progress.report(9)
    assert progress.take() == [9]


class Caller:
    """Takes what is sent, as an HTTP server does."""

    def __init__(self, seconds: float = 0) -> None:
        self.messages: list[Message] = []
        self._seconds = seconds

    async def send(self, message: Message) -> None:
        await asyncio.sleep(self._seconds)
        self.messages.append(message)

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.messages).decode()

    @property
    def events(self) -> list[tuple[str, Any]]:
        return read_events(self.text)


def read_events(text: str) -> list[tuple[str, Any]]:
    """The events in an answer, as the standard has them."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


Work = Callable[[Progress[Any]], Awaitable[list[Piece]]]


def streamed(work: Work, caller: Caller | None = None) -> tuple[Caller, dict[str, Any]]:
    """Who called, and the state of the request."""
    caller = caller or Caller()
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "state": {"request_id": "r1"}}
    progress: Progress[Any] = Progress()

    async def written() -> Written:
        return Written(await work(progress), [])

    asyncio.run(send_progress(scope, caller.send, "step", progress, written()))
    return caller, scope["state"]


def test_reports_then_the_result() -> None:
    async def work(progress: Progress[Any]) -> list[Piece]:
        for number in range(300):
            progress.report({"number": number})
            await asyncio.sleep(0.001)
        return [b'{"done":', b"true}"]

    caller, _ = streamed(work)
    assert caller.messages[0]["status"] == 200
    assert dict(caller.messages[0]["headers"])[b"content-type"] == b"text/event-stream"
    assert not caller.messages[-1].get("more_body")
    numbers = [data["number"] for name, data in caller.events if name == "step"]
    assert numbers == sorted(set(numbers))
    assert (numbers[0], numbers[-1]) == (0, 299)
    # At most 20 a second, for something between 0.3 and a few seconds.
    assert 3 < len(numbers) < 100
    assert caller.events[-1] == ("result", {"done": True})


def test_who_reads_slowly_hears_less_and_holds_nothing_up() -> None:
    ended: list[int] = []

    async def work(progress: Progress[Any]) -> list[Piece]:
        for number in range(200):
            progress.report({"number": number})
            await asyncio.sleep(0.002)
        ended.append(len(caller.messages))
        return [b"{}"]

    caller = Caller(seconds=0.2)
    streamed(work, caller)
    numbers = [data["number"] for name, data in caller.events if name == "step"]
    assert ended[0] <= len(caller.messages) - 3
    assert len(numbers) < 10
    assert (numbers[0], numbers[-1]) == (0, 199)


def test_an_error_before_anything_was_sent_is_raised() -> None:
    async def work(progress: Progress[Any]) -> list[Piece]:
        raise LimitError("Too much.")

    with pytest.raises(LimitError, match="Too much"):
        streamed(work)


def test_an_error_later_on_is_an_event() -> None:
    async def work(progress: Progress[Any]) -> list[Piece]:
        progress.report({})
        await asyncio.sleep(0.1)
        raise LimitError("Too much.")

    caller, state = streamed(work)
    assert [name for name, _ in caller.events] == ["step", "error"]
    problem = caller.events[-1][1]
    assert (problem["status"], problem["code"], problem["detail"], problem["request_id"]) == (422, "limit_exceeded", "Too much.", "r1")
    assert (state["problem_code"], state["refusal"]) == ("limit_exceeded", "limit_exceeded")
    assert not caller.messages[-1].get("more_body")


def test_who_is_cut_off_by_the_end_of_the_server_is_told() -> None:
    async def run() -> Caller:
        caller = Caller()
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "state": {"request_id": "r1"}}
        progress: Progress[Any] = Progress()

        async def work() -> Written:
            progress.report({})
            await asyncio.sleep(60)
            return Written([], [])

        answer = asyncio.create_task(send_progress(scope, caller.send, "step", progress, work()))
        while not caller.messages:
            await asyncio.sleep(0.01)
        answer.cancel()
        await answer
        return caller

    caller = asyncio.run(run())
    assert [name for name, _ in caller.events] == ["step", "error"]
    assert caller.events[-1][1]["code"] == "draining"
    assert not caller.messages[-1].get("more_body")


def test_a_caller_who_hung_up_gets_nothing() -> None:
    async def work(progress: Progress[Any]) -> list[Piece]:
        progress.report({})
        await asyncio.sleep(0.1)
        raise Cancelled("Gone.")

    caller, state = streamed(work)
    assert [name for name, _ in caller.events] == ["step"]
    assert state["problem_code"] == "cancelled"


def test_silence_is_broken_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_QUIET_SECONDS", 0.1)

    async def work(progress: Progress[Any]) -> list[Piece]:
        await asyncio.sleep(0.6)
        return [b"{}"]

    caller, _ = streamed(work)
    assert caller.text.startswith(":\n\n")
    assert 2 <= caller.text.count(":\n\n") <= 6
    assert caller.events == [("result", {})]


def test_the_work_ends_with_the_answer() -> None:
    ended = []

    async def work(progress: Progress[Any]) -> list[Piece]:
        try:
            progress.report({})
            await asyncio.sleep(60)
        finally:
            ended.append(True)
        return []

    class Broken(Caller):
        async def send(self, message: Message) -> None:
            raise OSError("The connection is gone.")

    with pytest.raises(OSError, match="gone"):
        streamed(work, Broken())
    assert ended == [True]
