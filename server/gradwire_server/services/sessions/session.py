"""One session: its tensors, its modes, and where it stands."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

from gradwire_engine.dtypes import default_dtype, dtype_of, set_default_dtype
from gradwire_engine.hooks import RemovableHandle
from gradwire_engine.modes import GENERATOR
from gradwire_engine.random import generator_from

from .clock import stamp
from .limits import SessionLimits
from .memory import Account, Memory
from .names import Names
from .suspensions import Suspensions
from .turns import Turns


class Session:
    """What lives between batches. Whoever reads or changes it has its turn.

    Args:
        id: Its id.
        owner: Who may use it.
        ttl_seconds: How long it is kept without being used.
        dtype: Its default dtype.
        seed: Where its random numbers start.
        limits: What it may ask for.
        memory: That of all sessions.
        clock: Seconds since the epoch.

    Attributes:
        id: Its id.
        owner: Who may use it.
        seq: The number of the last batch.
        names: Its tensors.
        hooks: The handles of its hooks by name.
        suspensions: The backward passes that wait.
        account: Its memory.
        dtype: The name of the default dtype.
        context: In which everything runs that belongs to it: the default dtype and the generator are its own.
        turns: Its queue.
        ended: Whether it was deleted or has expired.
    """

    def __init__(
        self,
        id: str,
        owner: str | None,
        *,
        ttl_seconds: float,
        dtype: str,
        seed: int | None,
        limits: SessionLimits,
        memory: Memory,
        clock: Callable[[], float],
    ) -> None:
        self.id = id
        self.owner = owner
        self.seq = 0
        self.names = Names(limits.session_tensors)
        self.hooks: dict[str, RemovableHandle] = {}
        self.suspensions = Suspensions(limits.suspensions, limits.suspension_seconds, clock)
        self.account = Account(memory, limits.session_bytes)
        self.context = contextvars.Context()
        self.context.run(set_default_dtype, dtype)
        self.dtype = dtype_of(self.context.run(default_dtype)).name
        self.context.run(GENERATOR.set, generator_from(seed))
        self.turns = Turns(limits.session_queue, self._left)
        self.ended = False
        self._ending = threading.Lock()
        self._clock = clock
        self._ttl = ttl_seconds
        self._created = clock()
        self._expires = self._created + ttl_seconds

    def use(self) -> None:
        """Starts the time over after which the session expires."""
        self._expires = self._clock() + self._ttl

    @property
    def expired(self) -> bool:
        """Whether it was left unused for too long; never while it works."""
        return not self.turns.busy and self._clock() >= self._expires

    def expire_suspensions(self) -> None:
        """Ends the backward passes whose answer did not come in time."""
        for waiting in self.suspensions.expire():
            self.names.withdraw(waiting.id, waiting.parts)
        self.settle()

    def settle(self) -> None:
        """Brings the account up to date after an instruction."""
        self.account.settle(len(self.names), len(self.hooks))

    def end(self) -> None:
        """Ends the session; what is running goes on to its end."""
        self.ended = True
        if not self.turns.busy:
            self._clear()

    def _left(self) -> None:
        self.use()
        if self.ended and not self.turns.busy:
            self._clear()

    def _clear(self) -> None:
        with self._ending:
            self.suspensions.clear()
            self.names.clear()
            self.hooks.clear()
            self.account.hold(0)
            self.settle()

    def describe(self) -> dict[str, Any]:
        """The session as its client sees it from outside."""
        return {
            "id": self.id,
            "created_at": stamp(self._created),
            "expires_at": stamp(self._expires),
            "ttl_seconds": self._ttl,
            "seq": self.seq,
            "default_dtype": self.dtype,
            "tensors": len(self.names),
            "bytes": self.account.used,
            "suspensions": self.suspensions.ids(),
        }
