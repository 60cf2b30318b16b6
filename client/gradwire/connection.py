"""Where tensors live: on a server, or in this process."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from contextvars import ContextVar
from types import TracebackType
from typing import Self

from gradwire_engine.errors import TensorRuntimeError

from .api import DEFAULT_TIMEOUT, open_transport
from .function_calls import FunctionCalls
from .session import Session
from .transport import Transport

_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


class Connection:
    """A way to a server and the session in it; the session is opened when something is first sent.

    As a context manager it is the connection that new tensors take inside.

    Args:
        transport: The way.

    Attributes:
        functions: The traced functions that were registered by it, by name and hash.
    """

    def __init__(self, transport: Transport) -> None:
        self.functions: dict[tuple[str, str], FunctionCalls] = {}
        self._transport = transport
        self._session: Session | None = None
        self._lock = threading.Lock()
        self._closed = False
        _connections.add(self)

    @property
    def transport(self) -> Transport:
        """The way."""
        if self._closed:
            raise _closed_connection()
        return self._transport

    @property
    def session(self) -> Session:
        """The session."""
        found = self._session
        if found is None or found.lost:
            if self._closed:
                raise _closed_connection()
            with self._lock:
                found = self._session
                if found is None or found.lost:
                    found = self._session = Session(self._transport, background=self._transport.remote)
        return found

    def synchronize(self) -> None:
        """Sends everything that was recorded and waits until it is done.

        Raises:
            GradwireError: Something failed that nothing has shown yet.
        """
        self.session.synchronize()

    def close(self) -> None:
        """Ends the session, with all tensors in it, and closes the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._closed = True
        self._transport.close()

    def forked(self) -> None:
        """Called in the child of a fork."""
        self._lock = threading.Lock()
        if self._session is not None:
            self._session.forked()
            if self._session.lost:
                self._session = None

    def __enter__(self) -> Self:
        _ENTERED.set((*_ENTERED.get(), self))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        _ENTERED.set(_ENTERED.get()[:-1])


def _closed_connection() -> TensorRuntimeError:
    return TensorRuntimeError("This connection is closed; make another one by gradwire.connect().", code="connection_closed")


_ENTERED: ContextVar[tuple[Connection, ...]] = ContextVar("gradwire_connections", default=())
_default: Connection | None = None
_default_lock = threading.Lock()


def connect(url: str | None = None, *, api_key: str | None = None, timeout: float | None = DEFAULT_TIMEOUT) -> Connection:
    """Makes a connection, which new tensors take from now on.

    Args:
        url: The server's address; by default that in ``GRADWIRE_URL``, and without one the services in this process.
        api_key: The key that the server wants; by default that in ``GRADWIRE_API_KEY``.
        timeout: Seconds to wait for each part of an answer; None waits forever.
    """
    global _default
    made = Connection(open_transport(url, api_key=api_key, timeout=timeout))
    with _default_lock:
        _default = made
    return made


def current() -> Connection:
    """The connection that new tensors take."""
    entered = _ENTERED.get()
    return entered[-1] if entered else _default or _connect_first()


def _connect_first() -> Connection:
    global _default
    with _default_lock:
        if _default is None:
            _default = Connection(open_transport())
        return _default


def current_session() -> Session:
    """The session that new tensors live in."""
    return current().session


def _forked() -> None:
    global _default_lock
    _default_lock = threading.Lock()
    for connection in list(_connections):
        connection.forked()


@atexit.register
def _end() -> None:
    for connection in list(_connections):
        if connection._session is not None:
            connection._session.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
