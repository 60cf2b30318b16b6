"""Plans that are kept, up to a number of bytes, and compiled once however many ask for them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, Protocol, TypeVar

# How long those who wait for a plan wait before they look whether they still may.
_LOOK_SECONDS: Final = 0.002


class Kept(Protocol):
    """A plan, or what goes with one."""

    @property
    def nbytes(self) -> int:
        """What it takes."""
        ...


P = TypeVar("P", bound=Kept)


class _Entry(Generic[P]):
    """A plan, or the place where those wait who need one that is being compiled."""

    __slots__ = ("nbytes", "plan", "ready")

    def __init__(self) -> None:
        self.plan: P | None = None
        self.nbytes = 0
        self.ready = threading.Event()


class PlanCache(Generic[P]):
    """Plans by key; those that were not asked for the longest are given up when there is no room.

    Args:
        most_bytes: The room for all plans together. A plan that alone needs more is compiled and handed out, but not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[P]] = OrderedDict()
        self._nbytes = 0

    def get(self, key: Hashable, compile: Callable[[], P], check: Callable[[], None] = lambda: None) -> P:
        """The plan of that key; one thread compiles it, and others that ask meanwhile wait for it.

        Args:
            key: What the plan depends on.
            compile: Makes it where there is none. What it raises, its caller gets; one of those who waited then tries anew.
            check: Called now and then while another thread compiles; what it raises ends the waiting.
        """
        while True:
            with self._lock:
                entry = self._entries.get(key)
                mine = entry is None
                if entry is None:
                    entry = self._entries[key] = _Entry()
                elif entry.plan is not None:
                    self._entries.move_to_end(key)
                    return entry.plan
            if mine:
                return self._fill(key, entry, compile)
            while not entry.ready.wait(_LOOK_SECONDS):
                check()
            if entry.plan is not None:
                return entry.plan

    def find(self, key: Hashable) -> P | None:
        """The plan of that key, if there is one."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.plan is None:
                return None
            self._entries.move_to_end(key)
            return entry.plan

    def _fill(self, key: Hashable, entry: _Entry[P], compile: Callable[[], P]) -> P:
        try:
            plan = compile()
        except BaseException:
            with self._lock:
                del self._entries[key]
            entry.ready.set()
            raise
        with self._lock:
            entry.plan, entry.nbytes = plan, plan.nbytes
            self._nbytes += entry.nbytes
            self._entries.move_to_end(key)
            self._make_room()
        entry.ready.set()
        return plan

    def _make_room(self) -> None:
        """Gives up the plans that were not asked for the longest; those being compiled stay."""
        for key in list(self._entries):
            if self._nbytes <= self._most:
                return
            entry = self._entries[key]
            if entry.plan is not None:
                del self._entries[key]
                self._nbytes -= entry.nbytes

    def clear(self) -> None:
        """Gives up every plan that is there."""
        with self._lock:
            for key in [k for k, e in self._entries.items() if e.plan is not None]:
                self._nbytes -= self._entries.pop(key).nbytes

    @property
    def nbytes(self) -> int:
        """What the plans take."""
        return self._nbytes

    def __len__(self) -> int:
        return sum(entry.plan is not None for entry in list(self._entries.values()))

    def __contains__(self, key: Hashable) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry.plan is not None
