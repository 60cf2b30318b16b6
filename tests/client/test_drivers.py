from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gradwire.conversations import Conversation, Sleep
from gradwire.drivers import arun, run
from gradwire.transport import ConnectionLost, Request, Response, TransportError
from tests.client.support import Script


class AsyncScript(Script):
    """The same for an event loop."""

    async def send(self, request: Request) -> Response:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().send(request)

    async def close(self) -> None:  # type: ignore[override]
        super().close()


def run_waiting(conversation: Conversation[Any], answers: list[Response | TransportError]) -> Any:
    return run(conversation, Script(answers))


def run_awaiting(conversation: Conversation[Any], answers: list[Response | TransportError]) -> Any:
    return asyncio.run(arun(conversation, AsyncScript(answers)))


Driver = Callable[[Conversation[Any], list[Response | TransportError]], Any]
both = pytest.mark.parametrize("drive", [run_waiting, run_awaiting])


@both
def test_answers_failures_and_waits_reach_the_conversation(drive: Driver) -> None:
    def conversation() -> Conversation[list[Any]]:
        heard: list[Any] = []
        response = yield Request("GET", "/1")
        heard.append(response and response.status)
        heard.append((yield Sleep(0.001)))
        try:
            yield Request("GET", "/2")
        except TransportError as error:
            heard.append(str(error))
        response = yield Request("GET", "/3")
        heard.append(response and response.status)
        return heard

    assert drive(conversation(), [Response(200, {}), ConnectionLost("Cut."), Response(404, {})]) == [200, None, "Cut.", 404]


@both
def test_a_conversation_may_need_no_transport(drive: Driver) -> None:
    def conversation() -> Conversation[str]:
        return "done"
        yield Sleep(0.0)

    assert drive(conversation(), []) == "done"


@both
def test_what_the_conversation_raises_comes_out(drive: Driver) -> None:
    def conversation() -> Conversation[None]:
        yield Request("GET", "/1")

    lost = ConnectionLost("Cut.")
    with pytest.raises(ConnectionLost) as caught:
        drive(conversation(), [lost])
    assert caught.value is lost


def test_the_event_loop_goes_on_meanwhile() -> None:
    def conversation() -> Conversation[None]:
        yield Sleep(0.2)

    async def main() -> int:
        turns = 0
        task = asyncio.create_task(arun(conversation(), AsyncScript([])))
        while not task.done():
            await asyncio.sleep(0.01)
            turns += 1
        return turns

    assert asyncio.run(main()) > 5
