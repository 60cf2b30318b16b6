"""The calls of a Gradwire server as methods: :class:`Client` waits for answers, :class:`AsyncClient` leaves the event loop free.

What the two have in common is all but the waiting, so every method is written once, as a conversation, in :mod:`gradwire.calls`.
"""

from __future__ import annotations

import asyncio
import os
import threading
from types import TracebackType
from typing import Final, Self, TypeVar

from .calls import ClientCalls, SessionCalls
from .conversations import Conversation
from .drivers import arun, run
from .functions import AsyncFunction, Function
from .local import AsyncLocalTransport, LocalTransport
from .transport import AsyncTransport, Transport
from .waiting import awaiting, awaiting_for, waiting, waiting_for

T = TypeVar("T")

DEFAULT_TIMEOUT: Final = 60.0


def open_transport(url: str | None = None, *, api_key: str | None = None, timeout: float | None = DEFAULT_TIMEOUT) -> Transport:
    """The way to a server, or to the services in this process.

    Args:
        url: The server's address; by default that in ``GRADWIRE_URL``, and without one this process.
        api_key: The key that the server wants; by default that in ``GRADWIRE_API_KEY``.
        timeout: Seconds to wait for each part of an answer; None waits forever.
    """
    address, key = _address(url, api_key)
    if not address:
        return LocalTransport()
    # Here, because httpx takes as long to import as everything else together.
    from .http import HttpTransport

    return HttpTransport(address, api_key=key, timeout=timeout)


def open_async_transport(url: str | None = None, *, api_key: str | None = None, timeout: float | None = DEFAULT_TIMEOUT) -> AsyncTransport:
    """The same for an event loop, as :func:`open_transport` describes."""
    address, key = _address(url, api_key)
    if not address:
        return AsyncLocalTransport()
    from .http import AsyncHttpTransport

    return AsyncHttpTransport(address, api_key=key, timeout=timeout)


def _address(url: str | None, api_key: str | None) -> tuple[str | None, str | None]:
    return url or os.environ.get("GRADWIRE_URL"), api_key or os.environ.get("GRADWIRE_API_KEY")


class Session:
    """Tensors that live between requests. Made by :meth:`Client.session`; leaving its ``with`` block deletes it.

    Its calls are made one at a time, from whichever threads they come.
    """

    def __init__(self, calls: SessionCalls, transport: Transport) -> None:
        self._calls = calls
        self._transport = transport
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        """The session's id."""
        return self._calls.id

    send = waiting(SessionCalls.send)
    batch = waiting(SessionCalls.batch)
    read = waiting(SessionCalls.read)
    grad = waiting(SessionCalls.grad)
    graph = waiting(SessionCalls.graph)
    delete = waiting(SessionCalls.delete)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._run(self._calls.leave(error))

    def _run(self, conversation: Conversation[T]) -> T:
        with self._lock:
            return run(conversation, self._transport)


class AsyncSession:
    """Tensors that live between requests. Made by :meth:`AsyncClient.session`; leaving its ``async with`` block deletes it.

    Its calls are made one at a time, from whichever tasks they come.
    """

    def __init__(self, calls: SessionCalls, transport: AsyncTransport) -> None:
        self._calls = calls
        self._transport = transport
        self._lock = asyncio.Lock()

    @property
    def id(self) -> str:
        """The session's id."""
        return self._calls.id

    send = awaiting(SessionCalls.send)
    batch = awaiting(SessionCalls.batch)
    read = awaiting(SessionCalls.read)
    grad = awaiting(SessionCalls.grad)
    graph = awaiting(SessionCalls.graph)
    delete = awaiting(SessionCalls.delete)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self._run(self._calls.leave(error))

    async def _run(self, conversation: Conversation[T]) -> T:
        async with self._lock:
            return await arun(conversation, self._transport)


class Client:
    """A server's calls, or those of the services in this process. Safe to use from several threads.

    Args:
        url: The server's address; by default that in ``GRADWIRE_URL``, and without one this process.
        api_key: The key that the server wants; by default that in ``GRADWIRE_API_KEY``.
        timeout: Seconds to wait for each part of an answer; None waits forever.
        retries: How often a request is sent again that was not answered, or not carried out.
        transport: The way to the server in place of the one that ``url`` leads to.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        retries: int | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._calls = ClientCalls(retries)
        self._transport = transport or open_transport(url, api_key=api_key, timeout=timeout)

    evaluate = waiting(ClientCalls.evaluate)
    ops = waiting(ClientCalls.ops)
    op = waiting(ClientCalls.op)
    info = waiting(ClientCalls.info)
    list_functions = waiting(ClientCalls.list_functions)
    delete_function = waiting(ClientCalls.delete_function)
    session = waiting_for(Session, ClientCalls.session)
    put_function = waiting_for(Function, ClientCalls.put_function)
    get_function = waiting_for(Function, ClientCalls.get_function)

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _run(self, conversation: Conversation[T]) -> T:
        return run(conversation, self._transport)


class AsyncClient:
    """The same calls for an event loop: every method is to be awaited.

    Args:
        url: The server's address; by default that in ``GRADWIRE_URL``, and without one this process.
        api_key: The key that the server wants; by default that in ``GRADWIRE_API_KEY``.
        timeout: Seconds to wait for each part of an answer; None waits forever.
        retries: How often a request is sent again that was not answered, or not carried out.
        transport: The way to the server in place of the one that ``url`` leads to.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        retries: int | None = None,
        transport: AsyncTransport | None = None,
    ) -> None:
        self._calls = ClientCalls(retries)
        self._transport = transport or open_async_transport(url, api_key=api_key, timeout=timeout)

    evaluate = awaiting(ClientCalls.evaluate)
    ops = awaiting(ClientCalls.ops)
    op = awaiting(ClientCalls.op)
    info = awaiting(ClientCalls.info)
    list_functions = awaiting(ClientCalls.list_functions)
    delete_function = awaiting(ClientCalls.delete_function)
    session = awaiting_for(AsyncSession, ClientCalls.session)
    put_function = awaiting_for(AsyncFunction, ClientCalls.put_function)
    get_function = awaiting_for(AsyncFunction, ClientCalls.get_function)

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self.close()

    async def _run(self, conversation: Conversation[T]) -> T:
        return await arun(conversation, self._transport)
