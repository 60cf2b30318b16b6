"""A session as the recorder sees it: instructions go in and are sent in batches, values come out.

Recording never waits: an instruction is put on a list, and the list is sent when a value is read, when it is long, or when it is
heavy. Over a network a thread of the session's own does the sending, so that recording goes on meanwhile. An instruction that
fails takes along those that depend on it, and no others: the rest of its batch is sent again.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import queue
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from gradwire_engine.dtypes import default_dtype, dtype_of
from gradwire_engine.errors import DeadlineExceeded, GradwireError, TensorRuntimeError

from . import conversations
from .background import serve, wake
from .conversations import BatchAnswer
from .drivers import run
from .errors import Conflict, NotFound, Unauthorized, Unavailable
from .pending import Batch, Pending, recorded_at
from .transport import Transport, TransportError

MOST_INSTRUCTIONS: Final = 512
MOST_BYTES: Final = 4 * 2**20
_MOST_BATCHES_WAITING: Final = 8
# Dropped tensors are deleted with others, unless they are many or heavy: then they make room before more is made.
_MANY_DROPPED: Final = 64
_HEAVY_DROPPED: Final = 2**20
# What changes nothing if it is stopped on the way.
_WITHOUT_TRACES: Final = frozenset({"create", "op", "read"})


class Session:
    """Sends what is recorded and remembers what failed.

    Args:
        transport: Where the session is.
        background: Whether a thread of its own does the sending.

    Attributes:
        id: What the server calls it; ``None`` until something was sent.
        seed: What its random generator was last seeded with.
        passes: Held during a backward that asks functions or hooks of this process.
        most_instructions: How many are put on the list before it is sent.
    """

    def __init__(self, transport: Transport, *, background: bool) -> None:
        self._transport = transport
        self.most_instructions = MOST_INSTRUCTIONS
        self._dtype = self._first_dtype = default_dtype()
        self._background = background
        self.id: str | None = None
        self._seq = 0
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self.passes = threading.RLock()
        self._buffer: list[Pending] = []
        self._bytes = 0
        self._dropped: deque[str] = deque()
        self._dropped_hooks: deque[str] = deque()
        self._dropped_bytes = 0
        self._failed: dict[str, GradwireError] = {}
        self._unmade: set[str] = set()
        self._doubtful: set[str] = set()
        self._deferred: deque[GradwireError] = deque()
        self._broken: GradwireError | None = None
        # What was sent and not yet answered, to be sent again as it is, and what comes after it.
        self._sent: list[Pending] = []
        self._backlog: list[Pending] = []
        self._outbox: queue.Queue[Batch | None] = queue.Queue(_MOST_BATCHES_WAITING)
        self._thread: threading.Thread | None = None
        self._closed = False
        self.seed: int | None = None

    # Recording.

    def new_name(self) -> str:
        """A name that no tensor of this session has had."""
        return f"t{next(self._numbers)}"

    def emit(
        self,
        instruction: dict[str, Any],
        defines: Sequence[str] = (),
        uses: Sequence[str] = (),
        *,
        spoils: Sequence[str] = (),
        nbytes: int = 0,
        loud: bool = False,
    ) -> Pending:
        """Puts an instruction on the list.

        Args:
            instruction: The instruction.
            defines: The names that it gives to tensors.
            uses: The names that it needs.
            spoils: The names that are worth nothing if it fails.
            nbytes: The bytes of the arrays in it.
            loud: Whether its failure is raised even if nothing depends on it.

        Raises:
            GradwireError: One of the names stands for something that failed, or the session is lost.
        """
        if self._broken is not None or self._failed:
            self._refuse_failed(uses)
        pending = Pending(instruction, defines, uses, spoils, loud)
        with self._lock:
            if len(self._dropped) >= _MANY_DROPPED or self._dropped_bytes >= _HEAVY_DROPPED:
                self._delete_dropped()
            self._buffer.append(pending)
            self._bytes += nbytes
            if len(self._buffer) >= self.most_instructions or self._bytes >= MOST_BYTES:
                self._flush()
        return pending

    def emit_op(self, instruction: dict[str, Any], defines: Sequence[str], uses: Sequence[str]) -> None:
        """Puts the call of an op on the list, after this thread's default dtype if that is another than the session knows of."""
        with self._lock:
            dtype = default_dtype()
            if dtype is not self._dtype:
                self._dtype = dtype
                self.emit({"do": "default_dtype", "value": dtype_of(dtype).name})
            self.emit(instruction, defines, uses)

    def drop(self, name: str, nbytes: int) -> None:
        """Has a name forgotten soon, before much more is made. Called by destructors, so it takes no lock."""
        self._dropped.append(name)
        self._dropped_bytes += nbytes

    def drop_hook(self, name: str) -> None:
        """Has a hook forgotten with the next batch, because the graph that it was in is gone."""
        self._dropped_hooks.append(name)

    def _refuse_failed(self, uses: Sequence[str]) -> None:
        if self._broken is not None:
            raise _again(self._broken)
        for name in uses:
            error = self._failed.get(name)
            if error is not None:
                raise self._told(error)

    def _told(self, error: GradwireError) -> GradwireError:
        """The error to raise, after which what a failed write was to change counts as unchanged, which it is."""
        for name, present in list(self._failed.items()):
            if present is error and name not in self._unmade:
                self._failed.pop(name, None)
        return _again(error)

    def forget_failure(self, name: str) -> None:
        """Lets a name that stood for a failure stand for something new."""
        self._failed.pop(name, None)
        self._doubtful.discard(name)

    def is_doubtful(self, name: str) -> bool:
        """Whether something that was to make what the name stands for failed, perhaps after having made it."""
        return name in self._doubtful

    # Reading.

    def ask(self, instruction: dict[str, Any], defines: Sequence[str] = (), uses: Sequence[str] = (), spoils: Sequence[str] = ()) -> Any:
        """Sends an instruction with all before it, waits, and gives its result.

        Raises:
            GradwireError: It failed, or something that it depends on did, or something before it whose failure must not go unnoticed.
        """
        with self._lock:
            pending = self.emit(instruction, defines, uses, spoils=spoils)
            batch = self._flush()
        self._wait(batch)
        self._raise_deferred(pending.error)
        if pending.error is not None:
            raise self._told(pending.error)
        return pending.result

    def synchronize(self) -> None:
        """Sends everything and waits until it is done.

        Raises:
            GradwireError: Something failed that nothing has shown yet.
        """
        with self._lock:
            batch = self._flush()
        self._wait(batch)
        self._raise_deferred(None)

    def _raise_deferred(self, besides: GradwireError | None) -> None:
        while self._deferred:
            error = self._deferred.popleft()
            if error is not besides:
                raise self._told(error)

    def _wait(self, batch: Batch) -> None:
        batch.done.wait()
        if batch.trouble is not None:
            raise _again(batch.trouble)

    # Sending.

    def _delete_dropped(self) -> None:
        self._dropped_bytes = 0
        hooks = [self._dropped_hooks.popleft() for _ in range(len(self._dropped_hooks))]
        if hooks:
            self._buffer.append(Pending({"do": "unhook", "names": hooks}))
        dropped = [self._dropped.popleft() for _ in range(len(self._dropped))]
        if dropped:
            self._buffer.append(Pending({"do": "delete", "names": dropped}))

    def _flush(self) -> Batch:
        """Hands over what is on the list; the caller holds the lock."""
        self._delete_dropped()
        batch = Batch(self._buffer)
        self._buffer = []
        self._bytes = 0
        if not self._background:
            self.send(batch)
            return batch
        if self._thread is None:
            # The thread holds no session while it waits, so that one that everybody has let go of comes to its end.
            self._thread = threading.Thread(
                target=serve, args=(weakref.ref(self), self._outbox, self._transport), name="gradwire-session", daemon=True
            )
            self._thread.start()
            weakref.finalize(self, wake, self._outbox).atexit = False
        self._outbox.put(batch)
        return batch

    def keep_alive(self) -> None:
        """Lets the server hear of the session, which it would forget otherwise while somebody thinks."""
        try:
            if self.id is not None:
                run(conversations.get_session(self.id), self._transport)
        except GradwireError:
            pass  # whoever uses a tensor next is told

    def send(self, batch: Batch) -> None:
        """Sends a batch, and what earlier ones have left; whatever becomes of it, ``batch.done`` is set."""
        self._backlog += batch.pending
        try:
            while self._sent or self._backlog:
                self._send_some()
        except GradwireError as error:
            # What was not answered is kept, and sent again with the next batch, under the same number.
            batch.trouble = error
        except Exception as error:  # a fault of ours must not leave anyone waiting for ever
            self._lose(TensorRuntimeError(f"The client failed to send what it had recorded: {error!r}.", code="internal_error"))
        finally:
            batch.done.set()

    def _send_some(self) -> None:
        """Sends what waits for an answer, or else what was recorded since."""
        if self._broken is not None:
            self._lose(self._broken)
            return
        if not self._sent:
            self._sent = self._sendable(self._backlog)
            self._backlog = []
            if not self._sent:
                return
        try:
            if self.id is None:
                name = dtype_of(self._first_dtype).name
                opened = run(conversations.open_session(default_dtype=name), self._transport)
                self.id, self._seq = opened["id"], opened["seq"]
            answer: BatchAnswer = run(
                conversations.send_batch(self.id, self._seq + 1, [p.instruction for p in self._sent]), self._transport
            )
        except (NotFound, Conflict) as error:
            gone = TensorRuntimeError(
                f"The session that this tensor lived in is lost: {error.detail} Make the tensor again.", code="session_lost"
            )
            self._lose(gone)
            return
        except (TransportError, Unauthorized, Unavailable):
            raise
        except GradwireError as error:
            self._refused(error)
            return
        live, self._sent = self._sent, []
        self._seq = answer.seq
        for pending, result in zip(live, answer.results, strict=False):
            pending.result = result
        if answer.suspended is not None:
            at = answer.suspended["instruction"]
            live[at].result = answer.suspended
            self._backlog = live[at + 1 :] + self._backlog
        elif answer.problem is not None and answer.failed_instruction is not None:
            at = answer.failed_instruction
            if at and isinstance(answer.problem, DeadlineExceeded) and live[at].instruction["do"] in _WITHOUT_TRACES:
                # What came before it used the time up; now it comes first.
                self._backlog = live[at:] + self._backlog
                return
            self._fail(live[at], answer.problem)
            self._backlog = live[at + 1 :] + self._backlog

    def _sendable(self, waiting: list[Pending]) -> list[Pending]:
        """What does not depend on anything that failed."""
        live: list[Pending] = []
        for pending in waiting:
            bad = next((name for name in pending.uses if name in self._failed), None)
            if bad is not None:
                self._fail(pending, self._failed[bad])
                continue
            if pending.instruction["do"] == "delete":
                # What was never made cannot be deleted.
                for name in pending.instruction["names"]:
                    self._failed.pop(name, None)
                names = [n for n in pending.instruction["names"] if n not in self._unmade]
                self._unmade.difference_update(pending.instruction["names"])
                if not names:
                    continue
                pending.instruction["names"] = names
            live.append(pending)
        return live

    def _refused(self, error: GradwireError) -> None:
        """A batch was refused as a whole, too large perhaps: its parts are tried one by one."""
        live, self._sent = self._sent, []
        if len(live) == 1:
            self._fail(live[0], error)
            return
        middle = len(live) // 2
        self._sent, self._backlog = live[:middle], live[middle:] + self._backlog

    def _lose(self, error: GradwireError) -> None:
        """Gives the session up."""
        self._broken = error
        lost, self._sent, self._backlog = self._sent + self._backlog, [], []
        for pending in lost:
            self._fail(pending, error)

    def _fail(self, pending: Pending, error: GradwireError) -> None:
        if not hasattr(error, "__notes__") and pending.place is not None:
            error.add_note(recorded_at(pending.place))
        pending.error = error
        for name in (*pending.defines, *pending.spoils):
            self._failed[name] = error
        self._unmade.update(pending.defines)
        self._doubtful.update(pending.spoils)
        if pending.loud:
            self._deferred.append(error)

    @property
    def lost(self) -> bool:
        """Whether nothing in it can be used any more."""
        return self._broken is not None

    # The end.

    def close(self) -> None:
        """Ends the session; what lives in it is lost."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._outbox.put(None)
            self._thread.join(timeout=5)
        lost, self._broken = (
            self._broken is not None,
            self._broken or TensorRuntimeError("The session that this tensor lived in was closed.", code="session_closed"),
        )
        if self.id is not None and not lost:
            with contextlib.suppress(GradwireError, RuntimeError):  # it is gone already, or will be soon
                run(conversations.delete_session(self.id), self._transport)

    def forked(self) -> None:
        """Called in the child of a fork: the session belongs to the parent, and so do its locks and its thread."""
        self._lock = threading.RLock()
        self.passes = threading.RLock()
        self._outbox = queue.Queue(_MOST_BATCHES_WAITING)
        self._thread = None
        if self._background:
            self._buffer = []
            self._closed = True
            self._broken = TensorRuntimeError(
                "This tensor was made before the process forked, and lives in a session of the parent process. Make it again in the child.",
                code="session_forked",
            )


def _again(error: GradwireError) -> GradwireError:
    """The error to raise: a copy, because what is raised holds on to the frames that it came through."""
    return copy.copy(error)
