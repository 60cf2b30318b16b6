"""The threads that large elementwise work is shared among: as many as there are processors, for the whole process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from threading import Lock

from ..quiet import quiet
from ..stopping import check

_lock = Lock()
_pool: ThreadPoolExecutor | None = None


def _workers() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(_processors() - 1, 1), thread_name_prefix="gradwire-plan")
        return _pool


def close() -> None:
    """Lets the threads end when they have done what they were given; whoever needs some later gets new ones."""
    global _pool
    with _lock:
        pool, _pool = _pool, None
    if pool is not None:
        pool.shutdown(wait=False)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _forget() -> None:
    """In a process that was forked the threads of its parent are not there."""
    global _pool, _lock
    _pool, _lock = None, Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class _Stop:
    """Whether those who work together are to stop."""

    now = False


def share(blocks: int, make_worker: Callable[[], Callable[[int], None]]) -> None:
    """Has every block done once, by this thread and by whichever others are free.

    Args:
        blocks: How many there are.
        make_worker: Makes what does one block, by its number; each thread has one of its own.

    Raises:
        Stopped: This thread found between two blocks that it is to stop; the others stop too.
    """
    if blocks == 1:
        check()
        make_worker()(0)
        return
    numbers = count()
    stop = _Stop()

    def work(checked: bool) -> None:
        do = make_worker()
        while not stop.now:
            number = next(numbers)
            if number >= blocks:
                return
            if checked:
                check()
            do(number)

    helpers: list[Future[None]] = []
    others = min(_processors(), blocks) - 1
    if others > 0:
        pool = _workers()
        # Where it has just been closed, this thread does it alone.
        with contextlib.suppress(RuntimeError):
            for _ in range(others):
                helpers.append(pool.submit(lambda: quiet.run(work, False)))
    try:
        work(True)
    except BaseException:
        stop.now = True
        raise
    finally:
        # Who has not begun is not waited for; who has, still writes.
        failures = [h.exception() for h in helpers if not h.cancel()]
    for failure in failures:
        if failure is not None:
            raise failure
