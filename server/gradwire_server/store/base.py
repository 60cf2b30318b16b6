"""What a store of sessions can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar


class Stored(Protocol):
    """What a store asks of a session."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def owner(self) -> str | None:
        """Who may use it."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """A batch that was carried out.

    Attributes:
        seq: Its number.
        digest: By which the same instructions are known again.
        answer: What it was answered by, ready to be sent.
    """

    seq: int
    digest: bytes
    answer: Any


S = TypeVar("S", bound=Stored)


class Store(Protocol[S]):
    """Sessions by id, and what each was last told. Every method may be called from any thread."""

    def put(self, session: S, most: int) -> bool:
        """Adds a session, unless there are ``most`` already; whether it did."""
        ...

    def get(self, id: str) -> S | None:
        """The session of this id."""
        ...

    def delete(self, id: str) -> None:
        """Forgets a session with all its records."""
        ...

    def page(self, owner: str, after: str, limit: int) -> Sequence[S]:
        """The sessions of an owner whose ids come after ``after``, in the order of their ids."""
        ...

    def all(self) -> Sequence[S]:
        """Every session."""
        ...

    def append(self, session: S, record: Record, instructions: Sequence[Any]) -> None:
        """Records a batch, before its answer leaves.

        Args:
            session: The session.
            record: The batch.
            instructions: What it consisted of.
        """
        ...

    def last(self, session: S) -> Record | None:
        """The last batch of a session."""
        ...

    def drop_answer(self, session: S) -> None:
        """Forgets the answer to the last batch: its client has it, or the next one would not have come."""
        ...
