"""The sessions of this process."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

import numpy as np

from gradwire_engine import describe
from gradwire_engine.errors import GradwireError, LimitError, ProgramError
from gradwire_engine.names import check_fields, kind_of
from gradwire_engine.tensor import Tensor

from ...store.base import Record, Store
from ...store.memory import MemoryStore
from ...version import API, package_version
from ..digest import digest
from ..ops import table_hash
from ..seeds import read_seed
from .answer import Answer
from .batch import Progress, check_next, envelope, failure
from .brief import Brief
from .clock import now
from .errors import ListingNeedsKeys, TooManySessions, UnknownSession
from .instructions.table import encode
from .limits import SessionLimits
from .memory import Memory
from .session import Session
from .turns import Turn

T = TypeVar("T")

_FIELDS: Final = frozenset({"ttl_seconds", "default_dtype", "seed"})
_TTL_SECONDS: Final = 600.0


class BatchWork(Generic[T]):
    """A batch that was accepted.

    Args:
        progress: How far it has come; ``None`` if it is a repetition, and nothing is to be done.
        keep: Makes what is returned of the answer.

    Attributes:
        result: What is returned, once ``advance`` has come to the end.
    """

    result: T

    def __init__(self, progress: Progress | None, keep: Callable[[Any], T]) -> None:
        self._progress = progress
        self._keep = keep
        if progress is None:
            self.result = keep(None)

    def advance(self, brief: Brief | None = None) -> bool:
        """Goes on to the end, or only as long as that takes no time to speak of; whether it came to the end."""
        if self._progress is not None:
            if not self._progress.advance(brief):
                return False
            self.result, self._progress = self._keep(self._progress.answer), None
        return True


class EngineSessions:
    """Sessions over the engine; ``gradwire_server.services.Sessions`` says what its methods do.

    Args:
        limits: What sessions may ask for.
        store: Where they are kept; by default in memory.
        clock: Seconds since the epoch.
    """

    def __init__(self, limits: SessionLimits, store: Store[Session] | None = None, clock: Callable[[], float] = now) -> None:
        self.limits = limits
        self._store: Store[Session] = MemoryStore() if store is None else store
        self._clock = clock
        self._memory = Memory(limits.sessions_bytes)

    def create(self, document: Any, *, owner: str | None) -> dict[str, Any]:
        """Makes a session."""
        if not isinstance(document, Mapping):
            raise ProgramError(f"The request must be a JSON object, not {kind_of(document)}.", code="invalid_type", pointer="")
        check_fields(document, _FIELDS, (), "")
        seed = read_seed(document)
        dtype = document.get("default_dtype", "float32")
        try:
            session = Session(
                secrets.token_hex(16),
                owner,
                ttl_seconds=self._ttl(document.get("ttl_seconds")),
                dtype=dtype,
                seed=seed,
                limits=self.limits,
                memory=self._memory,
                clock=self._clock,
            )
        except GradwireError as error:
            raise error if error.pointer else error.at("/default_dtype") from None
        if not self._store.put(session, self.limits.sessions):
            self.sweep()
            if not self._store.put(session, self.limits.sessions):
                raise TooManySessions(self.limits.sessions)
        described = session.describe()
        return {
            "id": session.id,
            "expires_at": described["expires_at"],
            "seq": session.seq,
            "version": package_version(),
            "api": API,
            "ops": table_hash(),
        }

    def _ttl(self, given: Any) -> float:
        most = self.limits.session_ttl_seconds
        if given is None:
            return min(_TTL_SECONDS, most)
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not given > 0:
            raise ProgramError("'ttl_seconds' must be a positive number of seconds.", code="invalid_type", pointer="/ttl_seconds")
        if given > most:
            raise LimitError(
                f"A session can be kept unused for at most {most:g} seconds, and more were asked for.",
                code="ttl_too_long",
                pointer="/ttl_seconds",
            )
        return float(given)

    def get(self, session: str, *, owner: str | None) -> dict[str, Any]:
        """Describes a session, which counts as a use of it."""
        found = self._find(session, owner)
        found.use()
        return found.describe()

    def list(self, *, owner: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
        """Describes the sessions of ``owner``."""
        if owner is None:
            raise ListingNeedsKeys
        self.sweep()
        found = self._store.page(owner, cursor or "", limit + 1)
        items = [session.describe() for session in found[:limit]]
        return {"items": items, "next": items[-1]["id"] if len(found) > limit else None}

    def delete(self, session: str, *, owner: str | None) -> None:
        """Ends a session."""
        self._end(self._find(session, owner))

    def turn(self, session: str, *, owner: str | None) -> Turn:
        """Joins the queue of a session."""
        return self._find(session, owner).turns.join()

    def batch(
        self,
        session: str,
        document: Any,
        *,
        owner: str | None,
        check: Callable[[], None],
        finish: Callable[[Answer], T],
        turn: Turn | None = None,
    ) -> T:
        """Carries out a batch."""
        found = self._find(session, owner)
        with found.turns.join() if turn is None else nullcontext(turn) as mine:
            work = self.begin(session, document, owner=owner, check=check, finish=finish, turn=mine)
            work.advance()
            return work.result

    def begin(
        self, session: str, document: Any, *, owner: str | None, check: Callable[[], None], finish: Callable[[Answer], T], turn: Turn
    ) -> BatchWork[T]:
        """Accepts a batch, to be carried out a part at a time."""
        given, instructions = envelope(document, self.limits)
        mark = digest(instructions)
        with self._at_work(session, owner, turn) as found:
            check()
            last = self._store.last(found)
            if last is not None and last.seq == given and last.digest == mark:
                return BatchWork(None, lambda answer: last.answer)
            check_next(given, found)
            seq = found.seq + 1
            self._store.drop_answer(found)
            found.account.hold(0)
            progress = Progress(found, seq, instructions, self.limits, check)
            return BatchWork(progress, partial(self._record, found, seq, mark, instructions, finish))

    def _record(
        self, session: Session, seq: int, mark: bytes, instructions: Sequence[Any], finish: Callable[[Answer], T], answer: Answer
    ) -> T:
        """Keeps the answer of a batch; whatever happens to it, the batch was carried out."""
        session.seq = seq
        try:
            kept = finish(answer)
            session.account.check_answer(_size(kept))
        except Exception as error:
            # What the instructions did stands, but their results are lost.
            done = answer.document.get("instruction", max(0, len(instructions) - 1))
            answer = failure(error, seq, done, [None] * done)
            kept = finish(answer)
        session.account.hold(_size(kept))
        self._store.append(session, Record(seq, mark, kept), instructions)
        if answer.error is not None and not isinstance(answer.error, Exception):
            raise answer.error
        return kept

    def tensor(self, session: str, name: str, *, owner: str | None, turn: Turn | None = None) -> dict[str, Any]:
        """One tensor."""
        with self._at_work(session, owner, turn) as found:
            tensor = found.names.look(name, "")
            return encode(tensor, tensor._data if turn is not None else tensor._data.copy())

    def grad(self, session: str, name: str, *, owner: str | None, turn: Turn | None = None) -> dict[str, Any] | None:
        """The gradient of one tensor."""
        with self._at_work(session, owner, turn) as found:
            grad = found.names.look(name, "").grad
            return None if grad is None else encode(grad, grad._data if turn is not None else grad._data.copy())

    def graph(self, session: str, name: str, *, owner: str | None, turn: Turn | None = None) -> dict[str, Any]:
        """The backward graph behind one tensor."""
        with self._at_work(session, owner, turn) as found:
            tensor = found.names.look(name, "")
            labels: dict[str, Tensor] = {}
            for label, other in found.names.tensors():
                # A view whose history has become ambiguous has no place in any graph.
                with suppress(GradwireError):
                    other._made_by()
                    labels[label] = other
            return describe.graph([tensor], labels)

    def is_small(self, session: str, *, owner: str | None, brief: Brief) -> bool:
        """Whether looking at a session takes no time to speak of, whatever is looked at."""
        return self._find(session, owner).account.used <= brief.answer_bytes

    def sweep(self) -> None:
        """Ends what has expired."""
        for session in self._store.all():
            if session.expired:
                self._end(session)
            elif session.suspensions.ids() and not session.turns.busy:
                turn = session.turns.join()
                # Whoever came first does it as well.
                if turn.future.done():
                    session.expire_suspensions()
                turn.release()
        self._memory.forget()

    def _find(self, id: str, owner: str | None) -> Session:
        found = self._store.get(id)
        if found is None or found.owner != owner:
            raise UnknownSession
        if found.expired:
            self._end(found)
            raise UnknownSession
        return found

    def _end(self, session: Session) -> None:
        self._store.delete(session.id)
        session.end()

    @contextmanager
    def _at_work(self, id: str, owner: str | None, turn: Turn | None) -> Iterator[Session]:
        """The session, in the caller's turn."""
        found = self._find(id, owner)
        with found.turns.join() if turn is None else nullcontext():
            if found.ended:
                raise UnknownSession
            found.expire_suspensions()
            yield found


def _size(kept: Any) -> int:
    """The memory that an answer takes while it is kept, as far as it matters."""
    if isinstance(kept, (bytes, bytearray, str)):
        return len(kept)
    if isinstance(kept, np.ndarray):
        return kept.nbytes
    if isinstance(kept, Mapping):
        return sum(map(_size, kept.values()))
    return sum(map(_size, kept)) if isinstance(kept, (list, tuple)) else 0
