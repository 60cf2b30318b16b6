"""Stopping without cutting anyone off: ``/readyz`` turns 503 at SIGTERM, the server stops a moment later."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from .logs import Logger


class Draining:
    """Whether the server is about to stop.

    Args:
        delay: Seconds between the signal and the moment at which the server is told to stop.
        log: Where the signal is noted.
    """

    def __init__(self, delay: float, log: Logger) -> None:
        self.active = False
        self._delay = delay
        self._log = log

    @contextlib.contextmanager
    def on_sigterm(self) -> Iterator[None]:
        """Stands in front of the handler that the HTTP server has for SIGTERM, for as long as the block runs.

        It does so from within the application, so that it works under any ASGI server and in each of several processes. Outside the
        main thread Python delivers no signals, and nothing happens.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        previous = signal.getsignal(signal.SIGTERM)

        def stop(number: int, frame: FrameType | None) -> None:
            if callable(previous):
                previous(number, frame)
            else:
                signal.signal(signal.SIGTERM, previous)
                signal.raise_signal(signal.SIGTERM)

        def begin(number: int, frame: FrameType | None) -> None:
            again, self.active = self.active, True
            if again or self._delay == 0:
                stop(number, frame)
            else:
                loop.call_soon_threadsafe(loop.call_later, self._delay, stop, number, None)
            # Not from within the handler: it may have interrupted a thread that is writing to the log.
            loop.call_soon_threadsafe(self._log.info, "draining")

        signal.signal(signal.SIGTERM, begin)
        try:
            yield
        finally:
            if signal.getsignal(signal.SIGTERM) is begin:
                signal.signal(signal.SIGTERM, previous)
