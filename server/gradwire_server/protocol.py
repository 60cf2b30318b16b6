"""HTTP/1.1 on one connection: uvicorn's, with an end to all waiting, and errors that are answered as all others are."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from .errors import REFUSED, HeadersTooLarge, HeaderTimeout, MalformedRequest, RequestError
from .exchange import COMPLETE
from .logs import get_logger
from .settings import Settings

# What a caller has to take of an answer in the time for it, or be given up.
_LEAST_TAKEN: Final = 64 * 1024

# How long what a caller sends is still read, and thrown away, after it was refused.
_LINGERS: Final = 2.0

# How long after the end of a caller's bytes it is first looked whether anyone is there to read.
_FIRST_LOOK: Final = 0.5

_log = get_logger("gradwire.connection")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How much and how long a connection may make the server wait.

    Attributes:
        header_bytes: Size of a request's first line and headers.
        header_seconds: Time in which they must arrive.
        body_seconds: Time in which a body must arrive.
        write_seconds: Time after which an answer is broken off of which the caller took less than 64 KiB in it.
    """

    header_bytes: int
    header_seconds: float
    body_seconds: float
    write_seconds: float

    @classmethod
    def of(cls, settings: Settings) -> ConnectionLimits:
        """The part of the settings that is about connections."""
        return cls(settings.max_header_bytes, settings.header_seconds, settings.body_seconds, settings.write_seconds)


class _Expected(Enum):
    """What comes next from the caller."""

    REQUEST = auto()
    HEADERS = auto()
    BODY = auto()


class _Unreadable(Exception):
    """A request that the parser reads and that is none all the same."""


class _WriteEnd:
    """A transport that closes only its own side: what the caller still sends would otherwise take the answer away from it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = transport.write_eof


class Protocol(HttpToolsProtocol):
    """One connection.

    Args:
        config: uvicorn's configuration.
        server_state: What the connections of a server share.
        app_state: What the application put into the state of every request as it started.
        _loop: The event loop.
        limits: How much and how long it may make the server wait.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ConnectionLimits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._expected = _Expected.REQUEST
        self._header_bytes = 0
        self._refusal: RequestError | None = None
        self._data = b""
        self._again = b""
        self._body_came = self._any_body = False
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._after(self._limits.header_seconds, self._reading_ends)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        for timer in self._timers.values():
            timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads on."""
        if self._refusal is not None:
            return
        before, self._body_came, self._again = self._expected, False, data
        while self._again:
            self._data, self._again = self._again, b""
            super().data_received(self._data)
        self._data = b""
        if before is self._expected is not _Expected.REQUEST and not self._body_came:
            # A header, or one behind a body in chunks, is known only when it is complete, which it need never be.
            self._header_bytes += len(data)
            if self._header_bytes > self._limits.header_bytes:
                self._refuse(HeadersTooLarge(self._limits.header_bytes))
        if self._refusal is not None:
            return
        if self._expected is _Expected.BODY:
            self._after(self._limits.body_seconds, self._reading_ends, again=False)
        elif self._expected is _Expected.HEADERS or not self._answering():
            self._after(self._limits.header_seconds, self._reading_ends, again=False)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answers what was asked before the caller closed its side of the connection."""
        if self._expected is not _Expected.REQUEST or not self._answering():
            return False
        self.cycle.keep_alive = False
        if self.cycle.scope["http_version"] == "1.1":
            self._after(_FIRST_LOOK, self._look_for_caller, _FIRST_LOOK)
        return True

    def pause_writing(self) -> None:
        """Notes that the caller does not keep up with reading."""
        super().pause_writing()
        self._after(self._limits.write_seconds, self._writing_stops, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Notes that it does again."""
        self._stop(self._writing_stops)
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Closes an idle connection."""
        super().timeout_keep_alive_handler()
        self._closing()

    def on_message_begin(self) -> None:
        """Begins a request."""
        super().on_message_begin()
        self._expected, self._header_bytes = _Expected.HEADERS, 0
        self._stop(self._reading_ends)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header; one that comes after the body is not one of the request's, and nobody has a use for it."""
        if self._expected is _Expected.HEADERS:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Starts the application."""
        if self._ignoring_upgrade():
            return
        size = len(self.url)
        hosts = 0
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            hosts += name == b"host"
            if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
                # The parser takes off the chunks, and nobody any compression before them.
                raise _Unreadable(f"its Transfer-Encoding is {value.decode('latin-1')[:100]!r}, of which only 'chunked' is read")
        # The parser ends at any exception, and its caller then asks for the refusal.
        if size > self._limits.header_bytes:
            self._refusal = HeadersTooLarge(self._limits.header_bytes)
            raise self._refusal
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise _Unreadable(f"it has {hosts} Host headers, expected one")
        super().on_headers_complete()
        self._expected, self._header_bytes, self._any_body = _Expected.BODY, 0, False
        self._stop(self._reading_ends)

    def on_body(self, body: bytes) -> None:
        """Takes a part of the body."""
        self._body_came = self._any_body = True
        self._header_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Ends a request."""
        if self._ignoring_upgrade():
            return
        self._expected = _Expected.REQUEST
        self._stop(self._reading_ends)
        self.scope["state"][COMPLETE] = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Goes on with the next request."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._closing()
        elif self._refusal is not None:
            self._after(_LINGERS, self.transport.close)
        elif self.expect_100_continue and self._expected is _Expected.BODY and not self._any_body:
            # The caller, who was not told to send the body, may leave it out; nobody knows what comes next.
            self.transport.close()

    def _ignoring_upgrade(self) -> bool:
        """Whether the request asks for another protocol, in which case the parser takes its body for that."""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _unsupported_upgrade_warning(self) -> None:
        """Has the request read again as if it asked for nothing: many ask for HTTP/2 whenever they speak to a server for the first time."""
        (offset,) = cast(Exception, sys.exception()).args
        head = [b" ".join((self.parser.get_method(), self.url, b"HTTP/" + self.parser.get_http_version().encode()))]
        head += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        self._again = b"\r\n".join([*head, b"", self._data[offset:]])
        self.parser = type(self.parser)(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def send_400_response(self, msg: str) -> None:
        """Answers bytes that the parser cannot read."""
        raised = cast(Exception, sys.exception())
        # What a callback raises is the context of what the parser makes of it.
        cause = raised.__context__
        reason = raised if cause is None else cause if isinstance(cause, _Unreadable) else "its target has no path"
        self._refuse(self._refusal or MalformedRequest(f"The request is not valid HTTP/1.1: {reason}."))

    def _refuse(self, error: RequestError) -> None:
        """Lets the application answer the error, and reads no further."""
        self._refusal = error
        self._stop(self._reading_ends)
        cut_off = self._expected is _Expected.BODY
        if self._answering():
            if not cut_off or self.pipeline or self.cycle.response_started:
                # Another answer is owed first, so that there is no place for this one.
                self.cycle.keep_alive = False
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif cut_off:
            # What is wrong is the rest of a body after the answer.
            self.transport.close()
            return
        else:
            if self._expected is _Expected.REQUEST:
                super().on_message_begin()
            self.scope |= {"method": "", "path": "", "raw_path": b"", "query_string": b""}
        self.scope = {**self.scope, "state": {**self.app_state, REFUSED: error}}
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=cast(asyncio.Transport, _WriteEnd(self.transport)),
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        self.cycle.more_body = False
        self._start_asgi_task(self.cycle, self.app)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]  # it is None at first

    def _reading_ends(self) -> None:
        """The time is over in which what is expected should have arrived."""
        if self._expected is _Expected.HEADERS:
            self._refuse(HeaderTimeout(self._limits.header_seconds))
        elif self._expected is _Expected.REQUEST:
            self.transport.close()
        elif self.pipeline:
            # Nothing is read meanwhile.
            self._after(self._limits.body_seconds, self._reading_ends)
        elif self._answering():
            # Whoever reads the body has given up too, and says so.
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    def _writing_stops(self, left: int) -> None:
        """The caller has had the time to take some of the ``left`` bytes that were waiting for it."""
        now = self.transport.get_write_buffer_size()
        if left - now < _LEAST_TAKEN:
            _log.info("answer not taken", client=self.client[0] if self.client else None, bytes_left=now)
            self.transport.abort()
        else:
            self._after(self._limits.write_seconds, self._writing_stops, now)

    def _closing(self) -> None:
        """Closing waits for the caller to take the last bytes; this waits no longer than for others."""
        self._after(self._limits.write_seconds, self.transport.abort)

    def _look_for_caller(self, waited: float) -> None:
        """Sends something that HTTP lets a server send at any time: if nobody is there any more, it fails, or that after it does."""
        if self._answering():
            if not self.pipeline and not self.cycle.response_started:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._after(waited, self._look_for_caller, 2 * waited)

    def _after(self, seconds: float, function: Callable[..., None], *arguments: Any, again: bool = True) -> None:
        """Calls ``function`` later; if that is due already, this takes its place, or with ``again=False`` it stays as it is."""
        if again or function.__name__ not in self._timers:
            self._stop(function)
            self._timers[function.__name__] = self.loop.call_later(seconds, self._due, function, arguments)

    def _stop(self, function: Callable[..., None]) -> None:
        if timer := self._timers.pop(function.__name__, None):
            timer.cancel()

    def _due(self, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._timers.pop(function.__name__, None)
        function(*arguments)
