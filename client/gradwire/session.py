"""A session as the recorder sees it: instructions go in and are sent in batches, values come out.

Recording never waits: an instruction is put on a list, and the list is sent when a value is read, when it is long, or when it is
heavy. Over a network a thread of the session's own does the sending, so that recording goes on meanwhile. An instruction that
fails takes along those that depend on it, and no others: the rest of its batch is sent again.
"""

from __future__ import annotations

import contextlib
import itertools
import linecache
import queue
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import gradwire_engine
from gradwire_engine.dtypes import default_dtype, dtype_of
from gradwire_engine.errors import GradwireError, TensorRuntimeError

from . import conversations
from .conversations import BatchAnswer
from .drivers import run
from .transport import Transport

MOST_INSTRUCTIONS: Final = 512
MOST_BYTES: Final = 4 * 2**20
_MOST_BATCHES_WAITING: Final = 8
_OURS: Final = (str(Path(__file__).parent), str(Path(gradwire_engine.__file__).parent))

Place = tuple[str, int]


class Pending:
    """An instruction on its way.

    Attributes:
        instruction: What is sent.
        defines: The names that it gives to tensors.
        uses: The names that it needs.
        spoils: The names that are worth nothing if it fails, although it does not define them.
        place: The file and line of the user's code that recorded it.
        loud: Its failure is raised even if nothing depends on it.
        result: What was answered.
        error: Why it was not carried out.
    """

    __slots__ = ("defines", "error", "instruction", "loud", "place", "result", "spoils", "uses")

    def __init__(
        self,
        instruction: dict[str, Any],
        defines: Sequence[str] = (),
        uses: Sequence[str] = (),
        spoils: Sequence[str] = (),
        loud: bool = False,
    ) -> None:
        self.instruction = instruction
        self.defines = defines
        self.uses = uses
        self.spoils = spoils
        self.place = caller()
        self.loud = loud
        self.result: Any = None
        self.error: GradwireError | None = None


class Batch:
    """Instructions that are sent together."""

    __slots__ = ("done", "pending")

    def __init__(self, pending: list[Pending]) -> None:
        self.pending = pending
        self.done = threading.Event()


def caller() -> Place | None:
    """The file and line in the innermost frame that is not Gradwire's own."""
    frame = sys._getframe(2)
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(_OURS):
            return filename, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None


class Session:
    """Sends what is recorded and remembers what failed.

    Args:
        transport: Where the session is.
        background: Whether a thread of its own does the sending.
        ttl_seconds: How long the server keeps the session without hearing of it; None leaves that to whoever has it.

    Attributes:
        id: What the server calls it; ``None`` until something was sent.
        seed: What its random generator was last seeded with.
    """

    def __init__(self, transport: Transport, *, background: bool, ttl_seconds: float | None) -> None:
        self._transport = transport
        self._dtype = self._first_dtype = default_dtype()
        self._background = background
        self._ttl = ttl_seconds
        self.id: str | None = None
        self._seq = 0
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._buffer: list[Pending] = []
        self._bytes = 0
        self._dropped: deque[str] = deque()
        self._failed: dict[str, GradwireError] = {}
        self._unmade: set[str] = set()
        self._deferred: deque[GradwireError] = deque()
        self._broken: GradwireError | None = None
        self._outbox: queue.Queue[Batch | None] = queue.Queue(_MOST_BATCHES_WAITING)
        self._thread: threading.Thread | None = None
        self._closed = False
        self.seed = 0

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
            self._buffer.append(pending)
            self._bytes += nbytes
            if len(self._buffer) >= MOST_INSTRUCTIONS or self._bytes >= MOST_BYTES:
                self._flush()
        return pending

    def use_default_dtype(self) -> None:
        """Tells the session of the default dtype, if that is another than it knows of."""
        dtype = default_dtype()
        if dtype is not self._dtype:
            self._dtype = dtype
            self.emit({"do": "default_dtype", "value": dtype_of(dtype).name})

    def drop(self, name: str) -> None:
        """Has a name forgotten with the next batch. Called by destructors, so it takes no lock."""
        self._dropped.append(name)

    def _refuse_failed(self, uses: Sequence[str]) -> None:
        if self._broken is not None:
            raise _again(self._broken)
        for name in uses:
            error = self._failed.get(name)
            if error is not None:
                raise self._told(error)

    def _told(self, error: GradwireError) -> GradwireError:
        """The error to raise, after which what a failed write was to change counts as unchanged, which it is."""
        for name in [n for n, e in self._failed.items() if e is error and n not in self._unmade]:
            del self._failed[name]
        return _again(error)

    def forget_failure(self, name: str) -> None:
        """Lets a name that stood for a failure stand for something new."""
        self._failed.pop(name, None)

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
                raise _again(error)

    def _wait(self, batch: Batch | None) -> None:
        if batch is not None:
            batch.done.wait()

    # Sending.

    def _flush(self) -> Batch | None:
        """Hands over what is on the list; the caller holds the lock."""
        dropped = [self._dropped.popleft() for _ in range(len(self._dropped))]
        if dropped:
            self._buffer.append(Pending({"do": "delete", "names": dropped}))
        batch = Batch(self._buffer)
        self._buffer = []
        self._bytes = 0
        if not self._background:
            self._send(batch)
            return None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="gradwire-session", daemon=True)
            self._thread.start()
        self._outbox.put(batch)
        return batch

    def _run(self) -> None:
        while True:
            try:
                batch = self._outbox.get(timeout=None if self._ttl is None else self._ttl / 3)
            except queue.Empty:
                self._keep_alive()
                continue
            if batch is None:
                return
            self._send(batch)

    def _keep_alive(self) -> None:
        """Lets the server hear of the session, which it would forget otherwise while somebody thinks."""
        try:
            if self.id is not None:
                run(conversations.get_session(self.id), self._transport)
        except GradwireError:
            pass  # whoever uses a tensor next is told

    def _send(self, batch: Batch) -> None:
        try:
            waiting = batch.pending
            while waiting:
                waiting = self._send_some(waiting)
        except GradwireError as error:
            self._broken = error
        except Exception as error:  # a fault of ours must not leave anyone waiting for ever
            self._broken = TensorRuntimeError(f"The client failed to send what it had recorded: {error!r}.", code="internal_error")
        finally:
            if self._broken is not None:
                for pending in batch.pending:
                    if pending.result is None and pending.error is None:
                        self._fail(pending, self._broken)
            batch.done.set()

    def _send_some(self, waiting: list[Pending]) -> list[Pending]:
        """Sends one batch and gives what is left to be sent after a failure."""
        if self._broken is not None:
            raise self._broken
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
        if not live:
            return []
        if self.id is None:
            opened = run(conversations.open_session(ttl_seconds=self._ttl, default_dtype=dtype_of(self._first_dtype).name), self._transport)
            self.id, self._seq = opened["id"], opened["seq"]
        answer: BatchAnswer = run(conversations.send_batch(self.id, self._seq + 1, [p.instruction for p in live]), self._transport)
        self._seq = answer.seq
        for pending, result in zip(live, answer.results, strict=False):
            pending.result = result
        if answer.suspended is not None:
            at = answer.suspended["instruction"]
            live[at].result = answer.suspended
            return live[at + 1 :]
        if answer.problem is not None and answer.failed_instruction is not None:
            at = answer.failed_instruction
            self._fail(live[at], answer.problem)
            return live[at + 1 :]
        return []

    def _fail(self, pending: Pending, error: GradwireError) -> None:
        if not hasattr(error, "__notes__") and pending.place is not None:
            error.add_note(_recorded_at(pending.place))
        pending.error = error
        for name in (*pending.defines, *pending.spoils):
            self._failed[name] = error
        self._unmade.update(pending.defines)
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
        if self.id is not None and self._broken is None:
            self._broken = TensorRuntimeError("The session that this tensor lived in was closed.", code="session_closed")
            with contextlib.suppress(GradwireError):  # it is gone already, or will be soon
                run(conversations.delete_session(self.id), self._transport)

    def forked(self) -> None:
        """Called in the child of a fork: the session belongs to the parent, and so do its locks and its thread."""
        self._lock = threading.RLock()
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
    """The error to raise once more, without the traceback of the last time."""
    return error.with_traceback(None)


def _recorded_at(place: Place) -> str:
    filename, line = place
    text = linecache.getline(filename, line).strip()
    return f'Recorded at File "{filename}", line {line}' + (f": {text}" if text else "")
