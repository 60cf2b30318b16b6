"""Running programs beside the event loop: small ones where they stand, the rest on a bounded pool of threads.

A job is tried at once if its body is small, under limits (:data:`INLINE_LIMITS`, :data:`INLINE_SECONDS`) so tight that no other
caller notices. The limits are checked against the shape rules before anything is computed, so a short program with large tensors is
found out in time. What does not fit goes to the pool and starts again from nothing: a job must therefore have no effects.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from time import monotonic, perf_counter
from typing import Final, TypeVar

from starlette.types import Receive

from gradwire_engine.errors import Cancelled, DeadlineExceeded, LimitError, Stopped
from gradwire_engine.limits import Limits
from gradwire_engine.plan import workers

from .errors import ServerDraining

T = TypeVar("T")

# The hop to a thread and back costs about 100 us. What takes a millisecond or two is worth running in place: the loop
# is free again sooner than a big job on a thread hands over the interpreter lock.
INLINE_BODY_BYTES: Final = 16 * 1024
INLINE_SECONDS: Final = 0.002
# A matrix product of 64 KiB (90 x 90 in float64) takes a tenth of a millisecond; this much work takes no more than one or two.
INLINE_LIMITS: Final = Limits(tensor_bytes=64 * 1024, program_bytes=2**20, nodes=64, work=2**22)


# Work without effects that stays within the limits and calls the function it is given between its steps; what that raises ends it.
Job = Callable[[Limits, Callable[[], None]], T]


class _TookTooLongInline(Stopped):
    """A job that is not as small as it looked."""


class Allowance:
    """How long a request may take, counted from now, and whether anyone still waits for it.

    Args:
        seconds: The time allowed.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._deadline = monotonic() + seconds
        self._cancelled = False

    def remaining(self) -> float:
        """Seconds left; negative once the time is over."""
        return self._deadline - monotonic()

    def cancel(self) -> None:
        """Stops the work at its next check. Safe to call from any thread."""
        self._cancelled = True

    def check(self) -> None:
        """Raises ``Cancelled`` or ``DeadlineExceeded`` if the work is to stop."""
        if self._cancelled:
            raise Cancelled("The caller went away before the answer was ready.")
        if monotonic() >= self._deadline:
            raise self.exceeded()

    def exceeded(self) -> DeadlineExceeded:
        """The error that says that the time is over."""
        return DeadlineExceeded(f"The program did not finish within the {self.seconds:g} seconds that the request was allowed.")


class Compute:
    """The pool of threads, and the choice of who needs it.

    Args:
        threads: Number of threads.
        limits: What a job may cost.
        observe: Called with the seconds that a job computed for and where, ``"inline"`` or ``"pool"``.
    """

    def __init__(self, *, threads: int, limits: Limits, observe: Callable[[float, str], None]) -> None:
        self._limits = limits
        self._inline_limits = limits.within(INLINE_LIMITS)
        self._observe = observe
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="gradwire-compute")
        self._closed = False

    def close(self) -> None:
        """Takes no more jobs and forgets those that have not begun."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        workers.close()

    async def run(self, job: Job[T], *, size: int, allowance: Allowance, receive: Receive) -> T:
        """Runs ``job`` and returns its result.

        Args:
            job: The work.
            size: Number of bytes in the request's body.
            allowance: The request's time; cancelled as soon as the caller hangs up.
            receive: The request's channel, its body already read.

        Raises:
            DeadlineExceeded: The time is over. A thread may still be busy with one last node.
            Cancelled: The caller has hung up.
            ServerDraining: The server is stopping.
        """
        if self._closed:
            raise ServerDraining
        if size <= INLINE_BODY_BYTES:
            start = perf_counter()
            try:
                return job(self._inline_limits, _inline_check(allowance))
            except (LimitError, _TookTooLongInline):
                pass
            finally:
                self._observe(perf_counter() - start, "inline")
        return await self._run_on_pool(job, allowance, receive)

    async def run_to_end(self, work: Callable[[], T], *, begun: bool = False) -> T:
        """Runs work that has effects, on the pool, and returns its result; it ends by itself.

        Args:
            work: The work.
            begun: Whether some of it is done already, so that it has to be finished wherever that is possible.

        Raises:
            ServerDraining: The server is stopping.
        """
        if self._closed:
            if begun:
                return await asyncio.to_thread(Context().run, self._timed, work, "pool")
            raise ServerDraining
        return await asyncio.get_running_loop().run_in_executor(self._pool, Context().run, self._timed, work, "pool")

    def run_here(self, work: Callable[[], T]) -> T:
        """Runs work that takes no time to speak of where it stands."""
        return Context().run(self._timed, work, "inline")

    def _timed(self, work: Callable[[], T], where: str) -> T:
        start = perf_counter()
        try:
            return work()
        finally:
            self._observe(perf_counter() - start, where)

    async def _run_on_pool(self, job: Job[T], allowance: Allowance, receive: Receive) -> T:
        def work() -> T:
            allowance.check()
            start = perf_counter()
            try:
                return job(self._limits, allowance.check)
            finally:
                self._observe(perf_counter() - start, "pool")

        # A fresh context, so that no mode that one job sets is seen by the next one on the same thread.
        future = asyncio.get_running_loop().run_in_executor(self._pool, Context().run, work)
        try:
            async with _hang_up(receive) as gone:
                await asyncio.wait((future, gone), timeout=allowance.remaining(), return_when=asyncio.FIRST_COMPLETED)
                if future.done():
                    return future.result()
                if gone.done():
                    raise Cancelled("The caller went away before the answer was ready.")
                raise allowance.exceeded()
        finally:
            if not future.done():
                allowance.cancel()
                future.cancel()


def _inline_check(allowance: Allowance) -> Callable[[], None]:
    until = monotonic() + INLINE_SECONDS

    def check() -> None:
        allowance.check()
        if monotonic() >= until:
            raise _TookTooLongInline("This program goes on in a thread.")

    return check


@contextlib.asynccontextmanager
async def _hang_up(receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    """A task that ends when the caller hangs up; it is gone when the block is."""

    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(wait())
    try:
        yield task
    finally:
        task.cancel()
