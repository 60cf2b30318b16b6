"""Requests to a Gradwire server, over HTTP: one pool of connections, kept alive between requests."""

from __future__ import annotations

import os
import weakref
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from gradwire_engine.errors import TensorValueError

from . import wire
from .transport import AnswerTimeout, ConnectFailed, ConnectionLost, Request, Response, TransportError, UnreadableAnswer

# Shorter than a server keeps an idle connection (75 seconds by default), so that the client closes it first and never writes into
# one that is about to be closed.
_KEEP_ALIVE_SECONDS: Final = 60.0
_CONNECT_SECONDS: Final = 10.0

_INHERITED: Final[list[httpx.Client]] = []


class _Exchange:
    """What the two transports share: everything but waiting.

    Args:
        url: The server's address, such as ``http://127.0.0.1:8000``.
        api_key: The key that the server wants, if it wants one.
        timeout: Seconds to wait for each part of an answer; None waits forever.

    Raises:
        TensorValueError: The address is none.
    """

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float | None = 60.0) -> None:
        self.url = _checked(url)
        self._timeout = timeout
        # Numbers hardly become fewer bytes by compression, and waiting for it takes longer than to send them.
        self._headers = {"Accept": wire.JSON, "Accept-Encoding": "identity"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def options(self) -> dict[str, Any]:
        """The arguments of the httpx client."""
        connect = _CONNECT_SECONDS if self._timeout is None else min(self._timeout, _CONNECT_SECONDS)
        return {
            "headers": self._headers,
            "timeout": httpx.Timeout(self._timeout, connect=connect),
            "limits": httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_KEEP_ALIVE_SECONDS),
        }

    def call(self, request: Request) -> dict[str, Any]:
        """The arguments of the httpx client's ``request``."""
        query = urlencode({**request.params, "encoding": "base64"} if request.tensors else request.params)
        headers = dict(request.headers)
        content = None
        if request.body is not None:
            content, headers["Content-Type"] = wire.body(request.body)
        if request.tensors:
            # The server sees how much there is to send.
            headers["Accept"] = f"{wire.JSON}, {wire.SAFETENSORS}"
        if request.seconds is not None:
            headers["Request-Timeout"] = repr(float(request.seconds))
        url = f"{self.url}{request.path}?{query}" if query else self.url + request.path
        return {"method": request.method, "url": url, "content": content, "headers": headers}

    def response(self, answer: httpx.Response) -> Response:
        """What was answered."""
        headers = dict(answer.headers)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in (wire.JSON, wire.SAFETENSORS) or kind.endswith("+json"):
            read = wire.unpack if kind == wire.SAFETENSORS else wire.loads
            try:
                return Response(answer.status_code, read(answer.content), headers)
            except ValueError as error:
                # Without a length, as from an old proxy, the end of a connection looks like the end of the answer.
                raise ConnectionLost(f"The answer of {self.url} is cut short or garbled: {error}") from error
        if answer.is_success and answer.content:
            raise UnreadableAnswer(
                f"{self.url} answered with {kind or 'something without a type'} in place of application/json: "
                "is it the address of a Gradwire server?"
            )
        return Response(answer.status_code, answer.text if answer.content else None, headers)

    def failure(self, error: httpx.RequestError) -> TransportError:
        """Why there is no answer."""
        reason = str(error) or type(error).__name__
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
            return ConnectFailed(f"There is no connection to {self.url}: {reason}.")
        if isinstance(error, httpx.TimeoutException):
            return AnswerTimeout(f"{self.url} did not answer within {self._timeout:g} seconds.")
        return ConnectionLost(f"The connection to {self.url} broke before the answer was complete: {reason}.")


class HttpTransport:
    """Sends requests to a server. Safe to use from several threads, and in a forked process, which gets connections of its own.

    Args:
        url: The server's address, such as ``http://127.0.0.1:8000``.
        api_key: The key that the server wants, if it wants one.
        timeout: Seconds to wait for each part of an answer; None waits forever.

    Raises:
        TensorValueError: The address is none.
    """

    remote = True

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float | None = 60.0) -> None:
        self._exchange = _Exchange(url, api_key=api_key, timeout=timeout)
        self._connect()

    def send(self, request: Request) -> Response:
        """Waits for the answer, whatever its status.

        Raises:
            TransportError: There is none.
        """
        if self._process != os.getpid():
            # Connections cannot be shared with the parent. Theirs are kept, because closing them here takes locks
            # that another of the parent's threads may have held when it forked.
            _INHERITED.append(self._client)
            self._connect()
        try:
            answer = self._client.request(**self._exchange.call(request))
        except httpx.RequestError as error:
            raise self._exchange.failure(error) from None
        return self._exchange.response(answer)

    def close(self) -> None:
        """Closes the connections."""
        self._finalizer()

    def _connect(self) -> None:
        self._process = os.getpid()
        self._client = httpx.Client(**self._exchange.options())
        # Whoever drops a client without closing it leaves no open connections behind.
        self._finalizer = weakref.finalize(self, _close, self._client, self._process)
        # At the end of the process sessions still have to be ended, over connections that are open.
        self._finalizer.atexit = False


class AsyncHttpTransport:
    """Sends requests to a server without holding up the event loop; belongs to the event loop that it is first used in.

    Args:
        url: The server's address, such as ``http://127.0.0.1:8000``.
        api_key: The key that the server wants, if it wants one.
        timeout: Seconds to wait for each part of an answer; None waits forever.

    Raises:
        TensorValueError: The address is none.
    """

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float | None = 60.0) -> None:
        self._exchange = _Exchange(url, api_key=api_key, timeout=timeout)
        self._client = httpx.AsyncClient(**self._exchange.options())

    async def send(self, request: Request) -> Response:
        """Waits for the answer, whatever its status.

        Raises:
            TransportError: There is none.
        """
        try:
            answer = await self._client.request(**self._exchange.call(request))
        except httpx.RequestError as error:
            raise self._exchange.failure(error) from None
        return self._exchange.response(answer)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()


def _checked(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise TensorValueError(f"{url!r} is not the address of a server: {error}.", code="invalid_url") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise TensorValueError(
            f"{url!r} is not the address of a server, which looks like http://127.0.0.1:8000 or https://gradwire.example.",
            code="invalid_url",
        )
    return url.rstrip("/")


def _close(client: httpx.Client, process: int) -> None:
    if process == os.getpid():
        client.close()
