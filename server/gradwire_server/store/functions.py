"""What a store of functions can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a function.

    Attributes:
        owner: Who registered it; empty where callers are not told apart.
        name: The function's name.
        hash: The identity of the version.
        document: What it was registered as, in JSON.
        created_at: When, in seconds since the epoch.
    """

    owner: str
    name: str
    hash: str
    document: bytes
    created_at: float


@dataclass(frozen=True, slots=True)
class Room:
    """How much a store may hold.

    Attributes:
        versions: Number of versions.
        owner_versions: Number of those of one owner.
        bytes: Size of all documents.
    """

    versions: int
    owner_versions: int
    bytes: int


class NoRoom(Exception):
    """A version for which a store has no room; its argument says in words what there is too much of."""


Condition = Callable[[str | None], None]
"""Called with the hash of the current version, ``None`` where there is no such function; it raises to leave everything as it is."""


class FunctionStore(Protocol):
    """Functions by owner and name, each with its versions, of which one is current. Every method may be called from any thread.

    What a method has returned is there for every other caller, in this process or in another one that has the same store.
    """

    def put(self, version: Version, room: Room, condition: Condition) -> str | None:
        """Makes a version the current one; it is added if it is not there, otherwise it is given the document.

        Args:
            version: The version.
            room: How much may be held.
            condition: What must hold of the current version.

        Returns:
            The hash of the version that was current before, ``None`` if there was none.

        Raises:
            NoRoom: There is too much already.
        """
        ...

    def delete(self, owner: str, name: str, hash: str | None, condition: Condition) -> bool:
        """Forgets a function with all its versions, or one version of it; whether it was there."""
        ...

    def get(self, owner: str, name: str, hash: str | None = None) -> Version | None:
        """The current version of a function, or another one."""
        ...

    def versions(self, owner: str, name: str) -> Sequence[Version]:
        """All versions of a function, the oldest first."""
        ...

    def page(self, owner: str, after: str, limit: int) -> Sequence[Version]:
        """The current versions of the functions of an owner whose names come after ``after``, in the order of their names."""
        ...

    def generation(self) -> int:
        """A number that is another one whenever anything may have changed."""
        ...

    def close(self) -> None:
        """Gives up what the store holds open."""
        ...
