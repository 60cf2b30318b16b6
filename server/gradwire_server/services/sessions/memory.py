"""The memory of sessions, counted: every array that owns its elements once, for as long as anything keeps it alive.

Names, views of the same storage, gradients and what the graph saved for backward all keep arrays alive. Whoever makes a new one
says so (``Account.count``); that it is gone is learnt from a weak reference, whoever held it last.
"""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections import deque
from typing import Any, Final

import numpy as np

from gradwire_engine.dtypes import Array

from .errors import SessionMemory

# What Python takes beside the elements (measured): for an array with its handle, version and name, for a node of the graph, and for what
# a view remembers. Without these a tape of a million numbers would count for four megabytes and take a thousand.
ARRAY_BYTES: Final = 400
NODE_BYTES: Final = 600
VIEW_BYTES: Final = 1_000
# For a name with a handle that has no storage of its own, such as x.data, and for a hook with its name.
NAME_BYTES: Final = 300
HOOK_BYTES: Final = 400
# For each input beyond a few, and for each saved tensor.
EDGE_BYTES: Final = 800
SAVED_BYTES: Final = 300
_FEW: Final = 3
_LINK_BYTES: Final = 8
_SECONDS_BETWEEN_COLLECTIONS: Final = 2.0


class _Counted(weakref.ref[Any]):
    """A weak reference to what is counted."""

    __slots__ = ("account", "key", "size")

    account: Account
    key: int
    size: int


class Memory:
    """The memory of all sessions together.

    Args:
        limit: Number of bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._reserved = 0
        self._lock = threading.Lock()
        self._known: dict[int, _Counted] = {}
        # Objects may go in any thread and at any time, also while the lock is held: what has gone is only noted here.
        self._gone: deque[_Counted] = deque()
        self._collected = 0.0

    @property
    def used(self) -> int:
        """Number of bytes in use."""
        with self._lock:
            self._forget()
            return self._used

    def forget(self) -> None:
        """Takes out of the books what has gone since; everything that asks for numbers does so too."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        while self._gone:
            reference = self._gone.popleft()
            self._used -= reference.size
            reference.account._used -= reference.size
            if self._known.get(reference.key) is reference:
                del self._known[reference.key]

    def _collect(self) -> bool:
        """Frees what is in cycles, such as a leaf whose gradient was recorded; not often, because it stops the process for a moment."""
        now = time.monotonic()
        if now - self._collected < _SECONDS_BETWEEN_COLLECTIONS:
            return False
        self._collected = now
        gc.collect()
        return True


class Account:
    """The memory of one session.

    Args:
        memory: That of all sessions.
        limit: Number of bytes.
    """

    def __init__(self, memory: Memory, limit: int) -> None:
        self._memory = memory
        self._limit = limit
        self._used = 0
        self._reserved = 0
        self._held = 0
        self._entries = 0

    @property
    def used(self) -> int:
        """Number of bytes in use."""
        with self._memory._lock:
            self._memory._forget()
            return self._used

    def count(self, array: Array) -> None:
        """Counts the storage of an array, unless it is counted already."""
        while isinstance(array.base, np.ndarray):
            array = array.base
        self._count(array, array.nbytes + ARRAY_BYTES)

    def count_node(self, node: Any, edges: int, saved: int) -> bool:
        """Counts a node of the graph, without the arrays that it saved; whether it was new.

        Args:
            node: The node.
            edges: How many inputs it has.
            saved: How many tensors it saved.
        """
        return self._count(node, NODE_BYTES + EDGE_BYTES * max(0, edges - _FEW) + SAVED_BYTES * max(0, saved - _FEW))

    def count_view(self, view: Any, length: int) -> None:
        """Counts a view, which takes no storage but remembers the ``length`` operations that lead to it."""
        self._count(view, VIEW_BYTES + _LINK_BYTES * length)

    def _count(self, item: Any, size: int) -> bool:
        memory = self._memory
        key = id(item)
        known = memory._known.get(key)
        if known is not None and known() is item:
            return False
        reference = _Counted(item, memory._gone.append)
        reference.account, reference.key, reference.size = self, key, size
        with memory._lock:
            memory._known[key] = reference
            memory._used += size
            self._used += size
        return True

    def check_answer(self, size: int) -> None:
        """Refuses an answer that cannot be kept beside all that the sessions of this process have.

        Raises:
            SessionMemory: It cannot. A session of its own may pass its share by the one answer, which says what is in it.
        """
        with self._memory._lock:
            self._memory._forget()
            wanted = self._memory._used + self._memory._reserved + size - self._held
            if size > self._held and wanted > self._memory._limit:
                raise _too_much_for_all("The answer", wanted, self._memory._limit)

    def hold(self, size: int) -> None:
        """Counts ``size`` bytes for the answer that is kept, in place of the one before."""
        with self._memory._lock:
            self._memory._used += size - self._held
            self._used += size - self._held
            self._held = size

    def reserve(self, size: int, what: str) -> None:
        """Sets memory aside for what is about to be made, until ``settle``.

        Args:
            size: Number of bytes.
            what: What needs them, for the message.

        Raises:
            SessionMemory: There is not so much left, for the session or for all of them.
        """
        refusal = self._try(size, what)
        if refusal is not None and self._memory._collect():
            refusal = self._try(size, what)
        if refusal is not None:
            raise refusal

    def _try(self, size: int, what: str) -> SessionMemory | None:
        memory = self._memory
        with memory._lock:
            memory._forget()
            wanted = self._used + self._reserved + size
            if wanted > self._limit:
                return SessionMemory(
                    f"{what} would bring the session to {wanted:,} bytes, more than the {self._limit:,} bytes that a session may take. "
                    "Delete tensors that are no longer needed."
                )
            wanted = memory._used + memory._reserved + size
            if wanted > memory._limit:
                return _too_much_for_all(what, wanted, memory._limit)
            self._reserved += size
            memory._reserved += size
            return None

    def settle(self, names: int, hooks: int) -> None:
        """Gives back what was set aside: by now what was made is counted.

        Args:
            names: The number of names that the session has by now.
            hooks: The number of its hooks.
        """
        entries = names * NAME_BYTES + hooks * HOOK_BYTES
        with self._memory._lock:
            self._memory._used += entries - self._entries
            self._used += entries - self._entries
            self._entries = entries
            self._memory._reserved -= self._reserved
            self._reserved = 0


def _too_much_for_all(what: str, wanted: int, limit: int) -> SessionMemory:
    return SessionMemory(
        f"{what} would bring all sessions together to {wanted:,} bytes, more than the {limit:,} bytes that the server gives them. "
        "Delete tensors or sessions that are no longer needed.",
        code="sessions_memory",
    )
