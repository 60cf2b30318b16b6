"""A proxy that stands between a client and a server and, when told so, cuts the connection in the middle of a request."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from enum import Enum
from urllib.parse import urlsplit


class Cut(Enum):
    """Where the connection breaks."""

    BEFORE = "before the request has reached the server"
    REQUEST = "in the middle of the request's body"
    UNANSWERED = "as soon as the server has the whole request"
    ANSWER = "in the middle of the answer's body"
    LAST_BYTE = "before the last byte of the answer"


class Proxy:
    """Passes requests on to a server one by one.

    Attributes:
        url: Where it listens.
        requests: Number of requests that came in.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        assert parts.hostname is not None
        assert parts.port is not None
        self._upstream = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._cut: Cut | None = None
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests = 0
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def cut_next(self, cut: Cut) -> None:
        """Cuts the connection of the next request, of that one only."""
        self._cut = cut

    def close(self) -> None:
        """Stops listening and breaks all connections."""
        # On Linux it takes a shutdown to wake the thread that is in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(near,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._upstream) as far:
            self._open |= {near, far}
            with contextlib.suppress(OSError, EOFError):
                while self._exchange(near, far):
                    pass
            self._open -= {near, far}

    def _exchange(self, near: socket.socket, far: socket.socket) -> bool:
        """Passes one request and its answer on; False if the connection is to be cut."""
        request = _message(near)
        self.requests += 1
        cut, self._cut = self._cut, None
        if cut is Cut.BEFORE:
            return False
        head, body = request
        if cut is Cut.REQUEST:
            far.sendall(head + body[: len(body) // 2])
            return False
        far.sendall(head + body)
        if cut is Cut.UNANSWERED:
            return False
        head, body = _message(far)
        if cut is None:
            near.sendall(head + body)
            return True
        near.sendall(head + body[: len(body) // 2 if cut is Cut.ANSWER else -1])
        return False


def _message(source: socket.socket) -> tuple[bytes, bytes]:
    """The head and the body of the next message, as long as its Content-Length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(source)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0]) if lengths else 0
    while len(body) < length:
        body += _receive(source)
    return head + b"\r\n\r\n", body


def _receive(source: socket.socket) -> bytes:
    part = source.recv(1 << 16)
    if not part:
        raise EOFError
    return part


@contextlib.contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """A proxy in front of the server at ``url``, for as long as the block runs."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
