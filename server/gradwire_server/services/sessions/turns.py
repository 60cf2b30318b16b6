"""The queue of a session: one caller at a time, the others in the order in which they came."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError

from .errors import SessionBusy


class Turn:
    """A place in the queue. Whoever has one must release it, whether or not its time came.

    Attributes:
        future: Done when the turn has come. A caller that waits no longer may cancel it.
    """

    def __init__(self, turns: Turns) -> None:
        self.future: Future[None] = Future()
        self._turns = turns

    def release(self) -> None:
        """Leaves the queue; a second call does nothing."""
        self._turns.leave(self)

    def __enter__(self) -> Turn:
        self.future.result()
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


class Turns:
    """The queue.

    Args:
        limit: How many may wait behind the one whose turn it is.
        left: Called after a turn was released.
    """

    def __init__(self, limit: int, left: Callable[[], None]) -> None:
        self._limit = limit
        self._left = left
        self._lock = threading.Lock()
        self._queue: deque[Turn] = deque()

    @property
    def busy(self) -> bool:
        """Whether it is anyone's turn."""
        return bool(self._queue)

    def join(self) -> Turn:
        """A place at the end.

        Raises:
            SessionBusy: The queue is full.
        """
        turn = Turn(self)
        with self._lock:
            if len(self._queue) > self._limit:
                raise SessionBusy(self._limit)
            self._queue.append(turn)
            first = len(self._queue) == 1
        if first:
            turn.future.set_result(None)
        return turn

    def leave(self, turn: Turn) -> None:
        """Gives up a place; the next in the queue has its turn if this one had it."""
        with self._lock:
            if turn not in self._queue:
                return
            had_it = self._queue[0] is turn
            self._queue.remove(turn)
            following = self._queue[0] if had_it and self._queue else None
        self._left()
        if following is not None:
            # One that was cancelled in this moment is about to be released, and then passes the turn on.
            with contextlib.suppress(InvalidStateError):
                following.future.set_result(None)
