"""Answers of server-sent events: how far some work is, and in the end what came of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable
from time import monotonic
from typing import Any, Final, Generic, TypeVar

from starlette.types import Scope, Send

from gradwire_engine.errors import Cancelled
from gradwire_engine.safetensors import Piece

from . import wire
from .documents import Written
from .errors import ServerDraining
from .logs import Logger, get_logger
from .middleware.errors import noted
from .middleware.observe import request_id_of
from .negotiation import EVENTS

T = TypeVar("T")

# How often the caller hears of the work, at most; nobody reads faster, and most of what there is to say is outdated by then.
_SECONDS_BETWEEN: Final = 0.05
# Proxies give up connections on which nothing comes for a minute or so.
_QUIET_SECONDS: Final = 10.0
_HEADERS: Final = [(b"content-type", EVENTS.encode()), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]


class Progress(Generic[T]):
    """What a thread reports, for an event loop to take: the first, and then whatever was the last when it looked.

    The thread never waits, however slowly the other side takes what there is, and what waits is never more than two reports.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[T] = []
        self._any = False

    def report(self, item: T) -> None:
        """Leaves a report, in place of one that nobody has taken yet."""
        with self._lock:
            if len(self._waiting) > (not self._any):
                self._waiting.pop()
            self._waiting.append(item)

    def take(self) -> list[T]:
        """The reports that wait, which are then gone."""
        with self._lock:
            taken, self._waiting = self._waiting, []
            self._any = self._any or bool(taken)
        return taken


class Stream:
    """One answer of events, which begins with the first of them.

    Args:
        send: The request's channel.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._last = monotonic()
        self.begun = False

    async def event(self, name: str, data: Iterable[Piece]) -> None:
        """Sends an event.

        Args:
            name: Its name.
            data: JSON, which has no line breaks, in pieces.
        """
        before, *pieces = b"event: " + name.encode() + b"\ndata: ", *data
        # A short event is sent whole.
        for piece in pieces[:-1]:
            await self._part(b"".join((before, piece)))
            before = b""
        await self._part(b"".join((before, *pieces[-1:], b"\n\n")))

    async def keep_alive(self) -> None:
        """Sends a comment if nothing was sent for a while."""
        if monotonic() - self._last >= _QUIET_SECONDS:
            await self._part(b":\n\n")

    async def end(self) -> None:
        """Ends the answer."""
        await self._send({"type": "http.response.body", "body": b""})

    async def _part(self, data: Piece) -> None:
        if not self.begun:
            self.begun = True
            await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        # Waits while the caller does not keep up with reading.
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._last = monotonic()


async def send_progress(scope: Scope, send: Send, name: str, progress: Progress[Any], work: Coroutine[Any, Any, Written]) -> None:
    """Answers with what work reports, and then with its result.

    Args:
        scope: The request.
        send: The request's channel.
        name: What the events of the reports are called; the last one is a ``result``, or an ``error`` with the problem's document.
        progress: The reports, documents.
        work: The work; it raises ``Cancelled`` when the caller hangs up.

    Raises:
        Exception: What the work raised before it reported anything, so that it is answered as for any other call.
    """
    stream, log = Stream(send), get_logger("gradwire.errors")
    task = asyncio.create_task(work)
    try:
        done = False
        while not done:
            # What was reported before the end is there at the end.
            done = bool((await asyncio.wait({task}, timeout=_SECONDS_BETWEEN))[0])
            for report in progress.take():
                await stream.event(name, [wire.dumps(report)])
            await stream.keep_alive()
        await _send_result(stream, task, scope, log)
    except asyncio.CancelledError:
        # The HTTP server cancels what is still running when the time for stopping is over.
        if not stream.begun:
            raise
        await _send_error(stream, ServerDraining(), scope, log)
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            # Looked at, or the loop would complain of an error that nobody cares for any more.
            task.exception()


async def _send_result(stream: Stream, task: asyncio.Task[Written], scope: Scope, log: Logger) -> None:
    try:
        written = task.result()
    except Exception as error:
        if not stream.begun:
            raise
        await _send_error(stream, error, scope, log)
    else:
        await stream.event("result", written.pieces)
        await stream.end()


async def _send_error(stream: Stream, error: Exception, scope: Scope, log: Logger) -> None:
    """Ends the answer with an error; whoever hung up is not told."""
    problem = noted(error, scope, log)
    if not isinstance(error, Cancelled):
        await stream.event("error", [problem.body(request_id_of(scope))])
    await stream.end()
