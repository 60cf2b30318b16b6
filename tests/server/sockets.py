"""HTTP by hand, for what no client library would send."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PROGRAM = b'{"inputs":{"x":[2.0,3.0]},"nodes":[{"name":"s","op":"sum","args":["x"]}],"outputs":["s"]}'


def connect(url: str, *, receive_bytes: int | None = None, seconds: float = 20) -> socket.socket:
    """A connection to the server at ``url``, on which the kernel keeps no more than about ``receive_bytes`` that are not read."""
    address = urlsplit(url)
    client = socket.socket()
    if receive_bytes is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.settimeout(seconds)
    client.connect((address.hostname, address.port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def post(body: bytes = PROGRAM, *headers: str, path: str = "/v1/evaluate", length: int | None = None) -> bytes:
    """A request; without ``length`` it has the one that it says."""
    lines = [f"POST {path} HTTP/1.1", "Host: test", "Content-Type: application/json", *headers]
    if not any(header.lower().startswith("transfer-encoding") for header in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str = "/healthz", *headers: str) -> bytes:
    """A request without a body."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: test", *headers, "", ""]).encode()


@dataclass
class Answer:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a document."""
        return json.loads(self.body)

    def problem(self) -> tuple[int, str]:
        """Status and code of an answer that must be an error as every error is."""
        body = self.json
        assert self.headers["content-type"] == "application/problem+json"
        assert body["status"] == self.status
        assert body["request_id"] == self.headers["x-request-id"]
        assert body["detail"].endswith(".")
        return self.status, body["code"]


def read_answer(client: socket.socket) -> Answer:
    """The next answer; raises ``EOFError`` if the server closes the connection instead."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _some(client, 1)
    first, *lines = head.decode().split("\r\n")[:-2]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    status = int(first.split()[1])
    body = b""
    while len(body) < int(headers.get("content-length", 0)):
        body += _some(client, min(int(headers["content-length"]) - len(body), 2**20))
    return Answer(status, headers, body)


def _some(client: socket.socket, size: int) -> bytes:
    data = client.recv(size)
    if not data:
        raise EOFError
    return data


def ends(client: socket.socket) -> float:
    """Waits until the server has closed the connection, and says how long that took."""
    start = time.monotonic()
    try:
        while client.recv(2**20):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - start


def exchange(url: str, *requests: bytes) -> Answer:
    """The answer to bytes on a connection of their own, after which the server must close it."""
    with connect(url) as client:
        client.sendall(b"".join(requests))
        answer = read_answer(client)
        assert ends(client) < 10
        return answer
