"""The calls of a Gradwire server as methods: :class:`Client` waits for answers, :class:`AsyncClient` leaves the event loop free.

What the two have in common is all but the waiting, so every method is written once, as a conversation, in :mod:`gradwire.calls`;
:func:`_waiting` and :func:`_awaiting` make the methods of the one and the other from it.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar, get_args, get_type_hints

from .calls import ClientCalls, SessionCalls
from .conversations import Conversation
from .drivers import arun, run
from .local import AsyncLocalTransport, LocalTransport
from .transport import AsyncTransport, Transport

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

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


def _waiting(make: Callable[Concatenate[Any, P], Conversation[T]]) -> Callable[Concatenate[Any, P], T]:
    """The method that runs the conversation and waits for its end."""

    @functools.wraps(make)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self._run(make(self._calls, *args, **kwargs))
        return result

    return _signed(method, make)


def _awaiting(make: Callable[Concatenate[Any, P], Conversation[T]]) -> Callable[Concatenate[Any, P], Awaitable[T]]:
    """The method that runs the conversation without holding up the event loop."""

    @functools.wraps(make)
    async def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await self._run(make(self._calls, *args, **kwargs))
        return result

    return _signed(method, make)


def _signed(method: F, make: Callable[..., Conversation[Any]]) -> F:
    """``method`` with the signature that its caller sees: what the conversation returns in place of the conversation."""
    *_, returned = get_args(get_type_hints(make)["return"])
    signature = inspect.signature(make).replace(return_annotation=returned)
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method


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

    send = _waiting(SessionCalls.send)
    batch = _waiting(SessionCalls.batch)
    read = _waiting(SessionCalls.read)
    grad = _waiting(SessionCalls.grad)
    graph = _waiting(SessionCalls.graph)
    delete = _waiting(SessionCalls.delete)

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

    send = _awaiting(SessionCalls.send)
    batch = _awaiting(SessionCalls.batch)
    read = _awaiting(SessionCalls.read)
    grad = _awaiting(SessionCalls.grad)
    graph = _awaiting(SessionCalls.graph)
    delete = _awaiting(SessionCalls.delete)

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

    evaluate = _waiting(ClientCalls.evaluate)
    ops = _waiting(ClientCalls.ops)
    op = _waiting(ClientCalls.op)
    info = _waiting(ClientCalls.info)

    def session(self, *, ttl_seconds: float | None = None, default_dtype: str | None = None, seed: int | None = None) -> Session:
        """Opens a session.

        Args:
            ttl_seconds: How long it may lie idle.
            default_dtype: Its default dtype.
            seed: The state of its random generator.
        """
        calls = self._run(self._calls.session(ttl_seconds=ttl_seconds, default_dtype=default_dtype, seed=seed))
        return Session(calls, self._transport)

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

    evaluate = _awaiting(ClientCalls.evaluate)
    ops = _awaiting(ClientCalls.ops)
    op = _awaiting(ClientCalls.op)
    info = _awaiting(ClientCalls.info)

    async def session(self, *, ttl_seconds: float | None = None, default_dtype: str | None = None, seed: int | None = None) -> AsyncSession:
        """Opens a session; ``async with await client.session() as session`` deletes it at the end of the block.

        Args:
            ttl_seconds: How long it may lie idle.
            default_dtype: Its default dtype.
            seed: The state of its random generator.
        """
        calls = await self._run(self._calls.session(ttl_seconds=ttl_seconds, default_dtype=default_dtype, seed=seed))
        return AsyncSession(calls, self._transport)

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self.close()

    async def _run(self, conversation: Conversation[T]) -> T:
        return await arun(conversation, self._transport)
