"""The functions that are ready to be run, the most recently used ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from .building import Executable


class Executables:
    """Keeps what was built.

    Args:
        most: The number of executables that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Executable] = OrderedDict()

    def get(self, key: Hashable, build: Callable[[], Executable]) -> Executable:
        """The executable of this key, built if it is not there. Two callers at a time may both build it, and share what one built."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        built = build()
        with self._lock:
            kept = self._kept.setdefault(key, built)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return kept
