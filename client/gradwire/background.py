"""The thread that sends what a session has recorded while recording goes on."""

from __future__ import annotations

import contextlib
import queue
import weakref
from typing import TYPE_CHECKING, Final

from gradwire_engine.errors import GradwireError

from . import conversations
from .drivers import run
from .pending import Batch
from .transport import Transport

if TYPE_CHECKING:
    from .session import Session

# Far less than a server waits before it takes a session for abandoned.
_KEEP_ALIVE_SECONDS: Final = 60.0


def serve(reference: weakref.ref[Session], outbox: queue.Queue[Batch | None], transport: Transport) -> None:
    """Sends the batches of a session until it is closed, or nobody has it any more: then it is ended on the server too.

    Args:
        reference: The session, which the thread does not hold while it waits.
        outbox: Its batches; ``None`` to look whether it is closed or gone.
        transport: Where it is.
    """
    id: str | None = None
    while True:
        try:
            batch = outbox.get(timeout=_KEEP_ALIVE_SECONDS)
            idle = False
        except queue.Empty:
            batch, idle = None, True
        session = reference()
        if session is None:
            break
        if batch is not None:
            session.send(batch)
        elif idle:
            session.keep_alive()
        else:
            return
        id = session.id
        del session, batch
    if id is not None:
        with contextlib.suppress(GradwireError, RuntimeError):  # it is gone already, or will be soon
            run(conversations.delete_session(id), transport)


def wake(outbox: queue.Queue[Batch | None]) -> None:
    """Has the thread look at once."""
    with contextlib.suppress(queue.Full):  # then it is awake
        outbox.put_nowait(None)
