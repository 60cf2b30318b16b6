"""A request in, a response out: what lies between the client and whoever answers it.

A request is the same object wherever it goes. :mod:`gradwire.http` sends it to a server, :mod:`gradwire.local` to the services in
this process. Neither decides anything: what to ask, and what to do without an answer, is in :mod:`gradwire.conversations`.

::

    TransportError              there was no answer
    ├── ConnectFailed           nothing was sent
    ├── ConnectionLost          the request may have been carried out, or not
    ├── AnswerTimeout           (TimeoutError) likewise
    └── UnreadableAnswer        whoever answered is no Gradwire server
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gradwire_engine.errors import GradwireError


class TransportError(GradwireError, ConnectionError):
    """A request that got no answer."""

    code = "no_answer"


class ConnectFailed(TransportError):
    """No connection was made, so nothing was sent."""

    code = "connect_failed"


class ConnectionLost(TransportError):
    """The connection broke before the whole answer had arrived; nobody here knows whether the request was carried out."""

    code = "connection_lost"


class AnswerTimeout(TransportError, TimeoutError):
    """The answer took longer than the client was told to wait; nobody here knows whether the request was carried out."""

    code = "answer_timeout"


class UnreadableAnswer(TransportError):
    """An answer that no Gradwire server gives."""

    code = "unreadable_answer"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        method: The HTTP method.
        path: The path, ``/v1/...``, every part of it quoted.
        params: Query parameters.
        body: The document, or None where the call has none. The ``data`` of a tensor in it may be a NumPy array, and an array may
            also stand for a whole tensor.
        tensors: Whether the answer may hold tensors.
        seconds: The time that the answer may take to be computed; None leaves it to whoever answers.
        headers: Headers of HTTP that say more than how the request travels, such as ``If-Match``.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    tensors: bool = False
    seconds: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered.

    Attributes:
        status: The HTTP status.
        document: The document; the ``data`` of every tensor in it is a NumPy array that belongs to the receiver alone. The text,
            where something other than a Gradwire server reports an error in its own format.
        headers: By lower-case name.
    """

    status: int
    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300


class Transport(Protocol):
    """Where requests go.

    Attributes:
        remote: Whether an answer takes long enough to do something else meanwhile.
    """

    remote: bool

    def send(self, request: Request) -> Response:
        """Waits for the answer, whatever its status.

        Raises:
            TransportError: There is none.
        """
        ...

    def close(self) -> None:
        """Gives up connections and whatever else is held."""
        ...


class AsyncTransport(Protocol):
    """Where requests go without holding up the event loop."""

    async def send(self, request: Request) -> Response:
        """Waits for the answer, whatever its status.

        Raises:
            TransportError: There is none.
        """
        ...

    async def close(self) -> None:
        """Gives up connections and whatever else is held."""
        ...
