"""The calls of a Gradwire server as methods: :class:`Client` waits for answers, :class:`AsyncClient` leaves the event loop free.

What the two have in common is all but the waiting, so every method is written once, as a conversation, in :mod:`gradwire.calls`.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from .calls import ClientCalls, SessionCalls
from .conversations import Conversation
from .drivers import arun, run
from .functions import AsyncFunction, Function
from .local import AsyncLocalTransport, LocalTransport
from .transport import AsyncTransport, Transport
from .waiting import awaiting, waiting

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

    def session(self, *, ttl_seconds: float | None = None, default_dtype: str | None = None, seed: int | None = None) -> Session:
        """Opens a session.

        Args:
            ttl_seconds: How long it may lie idle.
            default_dtype: Its default dtype.
            seed: The state of its random generator.
        """
        calls = self._run(self._calls.session(ttl_seconds=ttl_seconds, default_dtype=default_dtype, seed=seed))
        return Session(calls, self._transport)

    def put_function(
        self,
        name: str,
        *,
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        program: str | None = None,
        nodes: Sequence[Mapping[str, Any]] | None = None,
        functions: Mapping[str, Any] | None = None,
        description: str | None = None,
        default_dtype: str | None = None,
        if_match: str | None = None,
        only_new: bool = False,
    ) -> Function:
        """Registers a function; the same again changes nothing.

        Args:
            name: Its name.
            inputs: How its inputs are declared: ``{"x": {"dtype": "float64", "shape": ["n", 3]}}``.
            outputs: The names of its outputs.
            program: What it computes, as text.
            nodes: Or as nodes.
            functions: The custom functions that it calls.
            description: What it is for.
            default_dtype: The dtype of numbers that have none.
            if_match: The hash that the current version must have.
            only_new: Whether there must be no such function yet.

        Raises:
            ServiceError: The function is wrong; ``pointer`` leads to the place, ``line`` and ``column`` too where it is a text.
            Conflict: It is not as ``if_match`` or ``only_new`` has it.
        """
        calls = self._run(
            self._calls.put_function(
                name,
                inputs=inputs,
                outputs=outputs,
                program=program,
                nodes=nodes,
                functions=functions,
                description=description,
                default_dtype=default_dtype,
                if_match=if_match,
                only_new=only_new,
            )
        )
        return Function(calls, self._transport)

    def get_function(self, name: str) -> Function:
        """The function of this name, or ``name@hash`` for one of its versions.

        Raises:
            NotFound: There is none.
        """
        return Function(self._run(self._calls.get_function(name)), self._transport)

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

    async def session(self, *, ttl_seconds: float | None = None, default_dtype: str | None = None, seed: int | None = None) -> AsyncSession:
        """Opens a session; ``async with await client.session() as session`` deletes it at the end of the block.

        Args:
            ttl_seconds: How long it may lie idle.
            default_dtype: Its default dtype.
            seed: The state of its random generator.
        """
        calls = await self._run(self._calls.session(ttl_seconds=ttl_seconds, default_dtype=default_dtype, seed=seed))
        return AsyncSession(calls, self._transport)

    async def put_function(
        self,
        name: str,
        *,
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        program: str | None = None,
        nodes: Sequence[Mapping[str, Any]] | None = None,
        functions: Mapping[str, Any] | None = None,
        description: str | None = None,
        default_dtype: str | None = None,
        if_match: str | None = None,
        only_new: bool = False,
    ) -> AsyncFunction:
        """Registers a function; the same again changes nothing.

        Args:
            name: Its name.
            inputs: How its inputs are declared: ``{"x": {"dtype": "float64", "shape": ["n", 3]}}``.
            outputs: The names of its outputs.
            program: What it computes, as text.
            nodes: Or as nodes.
            functions: The custom functions that it calls.
            description: What it is for.
            default_dtype: The dtype of numbers that have none.
            if_match: The hash that the current version must have.
            only_new: Whether there must be no such function yet.

        Raises:
            ServiceError: The function is wrong; ``pointer`` leads to the place, ``line`` and ``column`` too where it is a text.
            Conflict: It is not as ``if_match`` or ``only_new`` has it.
        """
        calls = await self._run(
            self._calls.put_function(
                name,
                inputs=inputs,
                outputs=outputs,
                program=program,
                nodes=nodes,
                functions=functions,
                description=description,
                default_dtype=default_dtype,
                if_match=if_match,
                only_new=only_new,
            )
        )
        return AsyncFunction(calls, self._transport)

    async def get_function(self, name: str) -> AsyncFunction:
        """The function of this name, or ``name@hash`` for one of its versions.

        Raises:
            NotFound: There is none.
        """
        return AsyncFunction(await self._run(self._calls.get_function(name)), self._transport)

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self.close()

    async def _run(self, conversation: Conversation[T]) -> T:
        return await arun(conversation, self._transport)
