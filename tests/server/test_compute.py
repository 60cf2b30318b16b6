from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from starlette.types import Message

from gradwire_engine.errors import Cancelled, DeadlineExceeded, LimitError, TensorRuntimeError
from gradwire_engine.limits import Limits
from gradwire_server.compute import INLINE_BODY_BYTES, INLINE_LIMITS, Allowance, Compute, Job
from gradwire_server.errors import ServerDraining

MODE: ContextVar[str] = ContextVar("MODE", default="as it was")
Check = Callable[[], None]


class Caller:
    """A caller who waits, and may hang up."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def run(job: Job[Any], *, size: int = 0, seconds: float = 30, observed: list[tuple[float, str]] | None = None) -> Any:
    compute = Compute(threads=1, limits=Limits(), observe=lambda *seen: observed.append(seen) if observed is not None else None)
    try:
        return await compute.run(job, size=size, allowance=Allowance(seconds), receive=Caller().receive)
    finally:
        compute.close()


def where_am_i(limits: Limits, check: Check) -> tuple[threading.Thread, Limits]:
    check()
    return threading.current_thread(), limits


def spin(limits: Limits, check: Check) -> str:
    while True:
        check()


def test_a_small_job_runs_in_place_under_tight_limits() -> None:
    thread, limits = asyncio.run(run(where_am_i))
    assert thread is threading.main_thread()
    assert limits == INLINE_LIMITS


def test_a_large_body_goes_to_the_pool() -> None:
    thread, limits = asyncio.run(run(where_am_i, size=INLINE_BODY_BYTES + 1))
    assert thread.name.startswith("gradwire-compute")
    assert limits == Limits()


def test_a_job_beyond_the_tight_limits_starts_again_on_the_pool() -> None:
    begun: list[Limits] = []

    def job(limits: Limits, check: Check) -> str:
        begun.append(limits)
        if limits.tensor_bytes < 10**6:
            raise LimitError("Too large.")
        return threading.current_thread().name

    observed: list[tuple[float, str]] = []
    assert asyncio.run(run(job, observed=observed)).startswith("gradwire-compute")
    assert begun == [INLINE_LIMITS, Limits()]
    assert [place for _, place in observed] == ["inline", "pool"]


def test_a_job_that_takes_long_starts_again_on_the_pool() -> None:
    def job(limits: Limits, check: Check) -> str:
        end = time.monotonic() + 0.02
        while time.monotonic() < end:
            check()
        return threading.current_thread().name

    assert asyncio.run(run(job)).startswith("gradwire-compute")


def test_a_job_beyond_the_real_limits_fails() -> None:
    def job(limits: Limits, check: Check) -> str:
        raise LimitError("Too large.")

    with pytest.raises(LimitError):
        asyncio.run(run(job))


@pytest.mark.parametrize("size", [0, INLINE_BODY_BYTES + 1])
def test_errors_come_through_from_either_place(size: int) -> None:
    def job(limits: Limits, check: Check) -> str:
        raise TensorRuntimeError("Cannot be done.")

    with pytest.raises(TensorRuntimeError, match="Cannot be done"):
        asyncio.run(run(job, size=size))


@pytest.mark.parametrize("size", [0, INLINE_BODY_BYTES + 1])
def test_a_deadline_is_kept(size: int) -> None:
    start = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within the 0\.1 seconds"):
        asyncio.run(run(spin, size=size, seconds=0.1))
    assert 0.1 <= time.monotonic() - start < 2


def test_a_deadline_is_kept_even_if_the_job_does_not_check() -> None:
    async def scenario() -> float:
        start = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await run(lambda limits, check: time.sleep(1.5), size=INLINE_BODY_BYTES + 1, seconds=0.1)
        return time.monotonic() - start

    assert asyncio.run(scenario()) < 1


def test_a_job_whose_time_passed_in_the_queue_never_begins() -> None:
    async def scenario() -> list[str]:
        begun: list[str] = []
        compute = Compute(threads=1, limits=Limits(), observe=lambda *_: None)
        release = threading.Event()

        def first(limits: Limits, check: Check) -> None:
            begun.append("first")
            release.wait(10)

        def second(limits: Limits, check: Check) -> None:
            begun.append("second")

        big = INLINE_BODY_BYTES + 1
        running = asyncio.create_task(compute.run(first, size=big, allowance=Allowance(30), receive=Caller().receive))
        await asyncio.sleep(0.05)
        with pytest.raises(DeadlineExceeded):
            await compute.run(second, size=big, allowance=Allowance(0.05), receive=Caller().receive)
        release.set()
        await running
        # Whatever was still queued would be before this one.
        await compute.run(lambda limits, check: None, size=big, allowance=Allowance(30), receive=Caller().receive)
        compute.close()
        return begun

    assert asyncio.run(scenario()) == ["first"]


def test_a_caller_who_hangs_up_stops_the_job_at_its_next_check() -> None:
    async def scenario() -> None:
        stopped = threading.Event()

        def job(limits: Limits, check: Check) -> None:
            try:
                while True:
                    check()
            except Cancelled:
                stopped.set()
                raise

        caller = Caller()
        compute = Compute(threads=1, limits=Limits(), observe=lambda *_: None)
        asyncio.get_running_loop().call_later(0.05, caller.gone.set)
        with pytest.raises(Cancelled):
            await compute.run(job, size=INLINE_BODY_BYTES + 1, allowance=Allowance(30), receive=caller.receive)
        assert await asyncio.to_thread(stopped.wait, 5)
        compute.close()

    asyncio.run(scenario())


def test_a_cancelled_request_stops_the_job() -> None:
    async def scenario() -> None:
        allowance = Allowance(30)
        compute = Compute(threads=1, limits=Limits(), observe=lambda *_: None)
        task = asyncio.create_task(compute.run(spin, size=INLINE_BODY_BYTES + 1, allowance=allowance, receive=Caller().receive))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(Cancelled):
            allowance.check()
        compute.close()

    asyncio.run(scenario())


def test_a_mode_that_a_job_sets_ends_with_it() -> None:
    async def scenario() -> list[str]:
        seen: list[str] = []

        def job(limits: Limits, check: Check) -> None:
            seen.append(MODE.get())
            MODE.set("changed")

        compute = Compute(threads=1, limits=Limits(), observe=lambda *_: None)
        for _ in range(2):
            await compute.run(job, size=INLINE_BODY_BYTES + 1, allowance=Allowance(30), receive=Caller().receive)
        compute.close()
        return seen

    assert asyncio.run(scenario()) == ["as it was", "as it was"]


def test_the_loop_turns_while_the_pool_computes() -> None:
    async def scenario() -> int:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.005)
                turns += 1

        counting = asyncio.create_task(turn())
        await run(lambda limits, check: time.sleep(0.5), size=INLINE_BODY_BYTES + 1)
        counting.cancel()
        return turns

    assert asyncio.run(scenario()) > 20


def test_a_closed_pool_takes_nothing_more() -> None:
    compute = Compute(threads=1, limits=Limits(), observe=lambda *_: None)
    compute.close()
    with pytest.raises(ServerDraining):
        asyncio.run(compute.run(where_am_i, size=0, allowance=Allowance(1), receive=Caller().receive))


def test_work_that_is_begun_is_finished_in_a_closed_pool_too() -> None:
    compute = Compute(threads=1, limits=Limits(), observe=lambda *_: None)
    compute.close()
    with pytest.raises(ServerDraining):
        asyncio.run(compute.run_to_end(lambda: 1))
    assert asyncio.run(compute.run_to_end(lambda: 1, begun=True)) == 1
