"""What a tensor of the client holds: the shape of something that lives in a session, and its name there."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from gradwire_engine.dtypes import Array
from gradwire_engine.errors import ValueNeeded
from gradwire_engine.meta import Meta

if TYPE_CHECKING:
    from .session import Session


_numbers = itertools.count(1)


class Storage:
    """The memory that a tensor and its views share, as far as the client is concerned.

    Attributes:
        writes: How often it was written.
    """

    __slots__ = ("_number", "writes")

    def __init__(self) -> None:
        self.writes = 0
        self._number = 0

    @property
    def address(self) -> int:
        """Where it begins: no two are so near that one could reach into the other."""
        if not self._number:
            self._number = next(_numbers)
        return self._number << 40


class Remote:
    """The payload of a tensor. When the last tensor that has it goes, the session is told to forget the name.

    Attributes:
        meta: Shape, dtype and strides.
        shape: The shape.
        dtype: The NumPy dtype.
        session: Where it lives.
        name: Its name there; ``None`` for what exists in the shadow only.
        storage: What it shares with its views, whatever their versions.
        start: The bytes from the beginning of the storage to the first element, unless the tensor is a view and its base knows.
        known: Its elements, where the client has seen them, and the writes to the storage at the time.
    """

    __slots__ = ("__weakref__", "dtype", "known", "meta", "name", "session", "shape", "start", "storage")

    def __init__(self, meta: Meta, session: Session | None = None, name: str | None = None) -> None:
        self.meta = meta
        self.shape = meta.shape
        self.dtype = meta.dtype
        self.session = session
        self.name = name
        self.storage = Storage()
        self.start = 0
        self.known: tuple[Array, int] | None = None

    def reference(self) -> str:
        """The name, where there must be one.

        Raises:
            ValueNeeded: It exists in the shadow only.
        """
        if self.name is None:
            raise ValueNeeded("This tensor is the shadow of one that a session has, and has no elements of its own.")
        return self.name

    def alias(self, start: int, session: Session | None = None, name: str | None = None) -> Remote:
        """Another payload for the same elements, which begin at ``start`` in the storage."""
        same = Remote(self.meta, session, name)
        same.storage, same.start, same.known = self.storage, start, self.known
        return same

    def become(self, meta: Meta) -> None:
        """Takes another shape, as in-place changes of shape do."""
        self.meta, self.shape, self.dtype = meta, meta.shape, meta.dtype

    def __del__(self) -> None:
        session = self.session
        if session is not None and self.name is not None:
            session.drop(self.name, self.meta.nbytes)
