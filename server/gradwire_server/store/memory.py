"""Sessions in the memory of this process: they end with it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Generic

from .base import Record, S


class MemoryStore(Generic[S]):
    """Keeps sessions, and of each the record of its last batch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, S] = {}
        self._last: dict[str, Record] = {}

    def put(self, session: S, most: int) -> bool:
        """Adds a session, unless there are ``most`` already; whether it did."""
        with self._lock:
            if len(self._sessions) >= most:
                return False
            self._sessions[session.id] = session
            return True

    def get(self, id: str) -> S | None:
        """The session of this id."""
        return self._sessions.get(id)

    def delete(self, id: str) -> None:
        """Forgets a session with the record of its last batch."""
        with self._lock:
            self._sessions.pop(id, None)
            self._last.pop(id, None)

    def page(self, owner: str, after: str, limit: int) -> Sequence[S]:
        """The sessions of an owner whose ids come after ``after``, in the order of their ids."""
        with self._lock:
            present = sorted(id for id, session in self._sessions.items() if session.owner == owner and id > after)
            return [self._sessions[id] for id in present[:limit]]

    def all(self) -> Sequence[S]:
        """Every session."""
        with self._lock:
            return list(self._sessions.values())

    def append(self, session: S, record: Record, instructions: Sequence[Any]) -> None:
        """Remembers a batch in place of the one before; the instructions are only needed where a session can be rebuilt."""
        with self._lock:
            if session.id in self._sessions:
                self._last[session.id] = record

    def last(self, session: S) -> Record | None:
        """The last batch of a session."""
        return self._last.get(session.id)

    def drop_answer(self, session: S) -> None:
        """Forgets the answer to the last batch."""
        with self._lock:
            self._last.pop(session.id, None)
