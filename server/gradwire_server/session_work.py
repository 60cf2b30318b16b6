"""Work in sessions beside the event loop: in its turn, and to its end whether or not the caller stays."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Final, TypeVar

from .compute import INLINE_BODY_BYTES, INLINE_LIMITS, INLINE_SECONDS, Allowance, Compute
from .logs import Logger
from .services import Sessions
from .services.sessions.brief import Brief
from .services.sessions.service import BatchWork
from .services.sessions.turns import Turn

T = TypeVar("T")

_SECONDS_BETWEEN_SWEEPS: Final = 1.0
# Two thousand numbers are written in a tenth of a millisecond or two.
_BRIEF: Final = Brief(INLINE_LIMITS, INLINE_SECONDS, answer_bytes=16 * 1024)


class SessionWork:
    """Waits for the turns of sessions and works in them.

    Args:
        sessions: The sessions.
        compute: Where the work is done.
        most_seconds: How long any of it may take.
        log: Where failures of the regular sweep are noted.
    """

    def __init__(self, sessions: Sessions, compute: Compute, most_seconds: float, log: Logger) -> None:
        self._sessions = sessions
        self._compute = compute
        self._most_seconds = most_seconds
        self._log = log
        self._running: set[asyncio.Task[Any]] = set()

    async def batch(self, session: str, owner: str | None, begin: Callable[[Turn], BatchWork[T]], *, size: int, allowance: Allowance) -> T:
        """Waits for a turn of the session and carries out a batch in it. A caller who goes away ends neither.

        Args:
            session: The session's id.
            owner: Who asks.
            begin: Begins the batch, given the turn.
            size: Number of bytes in the request's body.
            allowance: The time for the waiting; the batch sees to its own.

        Raises:
            DeadlineExceeded: The turn did not come in time.
            GradwireError: The session is not there or too busy, or the batch was not accepted.
        """
        turn = self._sessions.turn(session, owner=owner)
        begun: BatchWork[T] | None = None
        if size <= INLINE_BODY_BYTES and turn.future.done():
            with _released_by_errors(turn):
                begun, done = self._compute.run_here(lambda: _brief(begin(turn)))
            if done:
                turn.release()
                return begun.result
        return await self._in_turn(turn, lambda: _whole(begun or begin(turn)), allowance, begun=begun is not None)

    async def look(self, session: str, owner: str | None, look: Callable[[Turn], T], allowance: Allowance) -> T:
        """Waits for a turn of the session and looks at something in it; raises as ``batch`` does."""
        turn = self._sessions.turn(session, owner=owner)
        with _released_by_errors(turn):
            if turn.future.done() and self._sessions.is_small(session, owner=owner, brief=_BRIEF):
                found = self._compute.run_here(lambda: look(turn))
                turn.release()
                return found
        return await self._in_turn(turn, lambda: look(turn), allowance)

    async def _in_turn(self, turn: Turn, work: Callable[[], T], allowance: Allowance, *, begun: bool = False) -> T:
        """Works on the pool when the turn has come."""

        async def wait() -> T:
            try:
                if not turn.future.done():
                    try:
                        await asyncio.wait_for(asyncio.wrap_future(turn.future), allowance.remaining())
                    except TimeoutError:
                        raise allowance.exceeded() from None
                return await self._compute.run_to_end(work, begun=begun)
            finally:
                turn.release()

        return await self._shielded(wait())

    async def beside(self, work: Callable[[], T]) -> T:
        """Does work that needs no turn, also to its end."""
        return await self._shielded(self._compute.run_to_end(work))

    async def _shielded(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    @contextlib.asynccontextmanager
    async def active(self) -> AsyncIterator[None]:
        """Ends what has expired, now and then, as long as the block lasts; behind it waits for all work to end."""
        sweeping = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            sweeping.cancel()
            if self._running:
                await asyncio.wait(self._running, timeout=self._most_seconds)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_SWEEPS)
            try:
                # Not in the pool of the work, which may be busy for long.
                await asyncio.to_thread(self._sessions.sweep)
            except Exception as error:
                self._log.error("sweep", exc_info=error)


@contextlib.contextmanager
def _released_by_errors(turn: Turn) -> Iterator[None]:
    try:
        yield
    except BaseException:
        turn.release()
        raise


def _brief(work: BatchWork[T]) -> tuple[BatchWork[T], bool]:
    return work, work.advance(_BRIEF)


def _whole(work: BatchWork[T]) -> T:
    work.advance()
    return work.result
