"""Backward passes that wait for an answer of the client's: one that was begun while another waits is answered before that one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gradwire_engine.autograd import Pass
from gradwire_engine.brief import shown
from gradwire_engine.errors import LimitError
from gradwire_engine.walk import Suspension

from .errors import NoSuspension, NotInnermost, SuspensionExpired
from .names import Parts

_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class Backward:
    """A backward pass, and what its instruction wants of it.

    Attributes:
        steps: The pass.
        since: The number of the latest node when it began.
        nodes: How many nodes it walks.
        reserve: The memory that it may need on its way.
        leaves: The tensors whose gradients it may change.
        finish: Makes the result of the instruction from that of the pass.
    """

    steps: Pass
    since: int
    nodes: int
    reserve: int
    leaves: tuple[Any, ...]
    finish: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pass that waits.

    Attributes:
        id: The name of what it waits for, also that of the gradients that it gave away.
        backward: The pass.
        at: Where it waits.
        parts: The gradients that it gave away.
        expires: Until when.
    """

    id: str
    backward: Backward
    at: Suspension
    parts: Parts
    expires: float


class Suspensions:
    """The passes of one session that wait, the innermost last.

    Args:
        limit: The most of them.
        seconds: How long each waits.
        clock: Seconds since the epoch.
    """

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._waiting: list[Waiting] = []
        self._expired: deque[str] = deque(maxlen=_REMEMBERED)
        self._number = 0

    def ids(self) -> list[str]:
        """The names of what is waited for, the innermost last."""
        return [waiting.id for waiting in self._waiting]

    def next_id(self, taken: Callable[[str], bool]) -> str:
        """A name for the next one, which no tensor has."""
        while True:
            self._number += 1
            if not taken(name := f"s{self._number}"):
                return name

    def push(self, id: str, backward: Backward, at: Suspension, parts: Parts) -> Waiting:
        """Lets a pass wait.

        Raises:
            LimitError: There are as many as are allowed.
        """
        if len(self._waiting) >= self._limit:
            raise LimitError(
                f"{self._limit} backward passes of this session wait for answers already, its limit: answer the innermost one first.",
                code="too_many_suspensions",
            )
        waiting = Waiting(id, backward, at, parts, self._clock() + self._seconds)
        self._waiting.append(waiting)
        return waiting

    def peek(self, id: str, pointer: str) -> Waiting:
        """The one that is answered.

        Raises:
            NoSuspension: There is none of this name.
            NotInnermost: Another one has to be answered first.
            SuspensionExpired: The answer comes too late.
        """
        if id in self._expired:
            raise SuspensionExpired(
                f"The answer to {id!r} did not come within {self._seconds:g} seconds, so its backward pass was ended.", pointer=pointer
            )
        if all(waiting.id != id for waiting in self._waiting):
            raise NoSuspension(f"Nothing waits for an answer to {shown(id)}. It may have been answered before.", pointer=pointer)
        innermost = self._waiting[-1]
        if innermost.id != id:
            raise NotInnermost(
                f"{innermost.id!r} began while {id!r} was waiting, and has to be answered first.",
                pointer=pointer,
                members={"innermost": innermost.id},
            )
        return innermost

    def pop(self, id: str, pointer: str) -> Waiting:
        """Takes out the one that is answered; raises as ``peek`` does."""
        self.peek(id, pointer)
        return self._waiting.pop()

    def expire(self) -> list[Waiting]:
        """Ends the passes whose time is over, and gives them."""
        now = self._clock()
        over = [waiting for waiting in self._waiting if now >= waiting.expires]
        if over:
            self._waiting = [waiting for waiting in self._waiting if now < waiting.expires]
            for waiting in over:
                waiting.backward.steps.close()
                self._expired.append(waiting.id)
        return over

    def clear(self) -> None:
        """Ends all of them."""
        for waiting in self._waiting:
            waiting.backward.steps.close()
        self._waiting.clear()
