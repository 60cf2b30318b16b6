"""Functions in the memory of this process: they end with it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .functions import Condition, NoRoom, Room, Version

_Key = tuple[str, str]


class MemoryFunctions:
    """Keeps functions; ``FunctionStore`` says what its methods do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By owner and name, and then by hash in the order in which they were added.
        self._versions: dict[_Key, dict[str, Version]] = {}
        self._current: dict[_Key, str] = {}
        self._generation = 0

    def put(self, version: Version, room: Room, condition: Condition) -> str | None:
        """Makes a version the current one."""
        key = version.owner, version.name
        with self._lock:
            before = self._current.get(key)
            condition(before)
            versions = self._versions.get(key, {})
            known = versions.get(version.hash)
            if known is None:
                self._check_room(version, room)
            else:
                version = Version(version.owner, version.name, version.hash, version.document, known.created_at)
            self._versions[key] = {**versions, version.hash: version}
            self._current[key] = version.hash
            self._generation += 1
            return before

    def _check_room(self, version: Version, room: Room) -> None:
        kept = [v for versions in self._versions.values() for v in versions.values()]
        check_room(len(kept), sum(v.owner == version.owner for v in kept), sum(len(v.document) for v in kept) + len(version.document), room)

    def delete(self, owner: str, name: str, hash: str | None, condition: Condition) -> bool:
        """Forgets a function, or one version of it."""
        key = owner, name
        with self._lock:
            condition(self._current.get(key))
            self._generation += 1
            if hash is None:
                self._current.pop(key, None)
                return self._versions.pop(key, None) is not None
            versions = self._versions.get(key, {})
            if hash not in versions:
                return False
            self._versions[key] = {other: version for other, version in versions.items() if other != hash}
            return True

    def get(self, owner: str, name: str, hash: str | None = None) -> Version | None:
        """The current version of a function, or another one."""
        with self._lock:
            wanted = self._current.get((owner, name)) if hash is None else hash
            return self._versions.get((owner, name), {}).get(wanted or "")

    def versions(self, owner: str, name: str) -> Sequence[Version]:
        """All versions of a function."""
        with self._lock:
            return list(self._versions.get((owner, name), {}).values())

    def page(self, owner: str, after: str, limit: int) -> Sequence[Version]:
        """The current versions of some functions of an owner."""
        with self._lock:
            names = sorted(name for whose, name in self._current if whose == owner and name > after)
            return [self._versions[owner, name][self._current[owner, name]] for name in names[:limit]]

    def generation(self) -> int:
        """A number that is another one whenever anything has changed."""
        return self._generation

    def close(self) -> None:
        """Does nothing: there is nothing open."""


def check_room(versions: int, of_owner: int, size: int, room: Room) -> None:
    """Refuses one more version.

    Args:
        versions: The number of versions that there are.
        of_owner: The number of those that have the same owner.
        size: The size of all documents, the new one included.
        room: How much there may be.

    Raises:
        NoRoom: There are as many as there may be, or they would be too long.
    """
    if versions >= room.versions:
        raise NoRoom(f"The server keeps {versions:,} functions, all their versions counted, its limit.")
    if of_owner >= room.owner_versions:
        raise NoRoom(f"You have {of_owner:,} functions here, all their versions counted, which is the limit for one caller.")
    if size > room.bytes:
        raise NoRoom(f"All functions together would take {size:,} bytes, more than the {room.bytes:,} that are allowed.")
