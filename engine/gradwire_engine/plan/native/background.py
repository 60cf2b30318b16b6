"""The thread that compiles machine code while callers go on without it."""

from __future__ import annotations

import atexit
import importlib.util
import os
import queue
import threading
from collections.abc import Callable
from functools import cache
from typing import Final

_MOST_WAITING: Final = 32
_EXIT_SECONDS: Final = 5.0


@cache
def available() -> bool:
    """Whether llvmlite is installed; it is not imported."""
    return importlib.util.find_spec("llvmlite") is not None


class Background:
    """Work that is done in turn, by one thread that is started when there is something to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: queue.Queue[Callable[[], None]] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        # Held while something is done.
        self._busy = threading.Lock()
        self._closed = False

    def submit(self, work: Callable[[], None]) -> bool:
        """Has work done some time later; whether there is room for it.

        Args:
            work: What is done; it raises nothing.
        """
        with self._lock:
            if self._closed:
                return False
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="gradwire-native", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # The process has as many threads as it may have.
                    return False
                self._thread = thread
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            return False
        return True

    def wait(self) -> None:
        """Waits until everything submitted so far is done."""
        self._waiting.join()

    def close(self) -> None:
        """Begins nothing more, and waits for what is being done: LLVM must not run on while the process is taken down."""
        self._closed = True
        if self._busy.acquire(timeout=_EXIT_SECONDS):
            self._busy.release()

    def _work(self) -> None:
        while True:
            work = self._waiting.get()
            with self._busy:
                if not self._closed:
                    work()
            self._waiting.task_done()


background = Background()
"""The one of this process."""


def _close() -> None:
    background.close()


def _forget() -> None:
    """In a process that was forked the thread of its parent is not there."""
    global background
    background = Background()


atexit.register(_close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
