"""What ``nn`` and ``optim`` are tested on: the engine's own tensors, and tensors that live in a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import gradwire
import gradwire_engine
from gradwire import nn, optim
from gradwire.connection import Connection
from gradwire.local import LocalTransport
from gradwire_engine.tensor import Tensor
from gradwire_engine.value import CREATOR


class EagerTorch:
    """torch's names for the engine's tensors, with ``nn`` and ``optim``."""

    nn = nn
    optim = optim

    def __getattr__(self, name: str) -> Any:
        return getattr(gradwire_engine, name)


@contextmanager
def eager() -> Iterator[Any]:
    """The engine's own tensors."""
    token = CREATOR.set(Tensor)
    try:
        yield EagerTorch()
    finally:
        CREATOR.reset(token)


@contextmanager
def session() -> Iterator[Any]:
    """Tensors that live in a session, whose services run in this process."""
    connection = Connection(LocalTransport())
    try:
        with connection:
            yield gradwire
    finally:
        connection.close()


RECORDERS: dict[str, Callable[[], AbstractContextManager[Any]]] = {"eager": eager, "session": session}
