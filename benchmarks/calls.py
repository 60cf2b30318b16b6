"""Requests that are written out beforehand, so that the caller takes next to no time of what is measured."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

JSON = "application/json"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """A request with a body.

    Attributes:
        path: Where it goes.
        body: Its body.
        headers: Its headers.
        method: Its method.
    """

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": JSON})
    method: str = "POST"


class Caller:
    """A kept-alive connection that sends the same requests again and again.

    Args:
        url: The server.
        requests: What one call sends, one after the other.
    """

    def __init__(self, url: str, *requests: Request) -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        self._socket = socket.create_connection((host, int(port)), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = [_written(request, host) for request in requests]

    def __call__(self) -> list[bytes]:
        """Sends the requests and returns the bodies of their answers.

        Raises:
            RuntimeError: A status is not of success.
        """
        return [self._exchange(request) for request in self._requests]

    def _exchange(self, request: bytes) -> bytes:
        self._socket.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            part = self._socket.recv(2**16)
            if not part:
                raise RuntimeError(f"The connection was closed after {head!r}.")
            head += part
        head, _, start = head.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None:
            raise RuntimeError(f"{request[:80]!r} was answered without a length: {head!r}.")
        body = start if len(start) == int(length[1]) else self._rest(start, int(length[1]))
        if not head.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(f"{request[:80]!r} was answered {head[:40]!r}: {body[:500]!r}.")
        return body

    def _rest(self, start: bytes, size: int) -> bytes:
        body = bytearray(size)
        body[: len(start)] = start
        with memoryview(body) as view:
            at = len(start)
            while at < size:
                taken = self._socket.recv_into(view[at:])
                if not taken:
                    raise RuntimeError(f"The connection was closed after {at:,} of {size:,} bytes.")
                at += taken
        return bytes(body)


def _written(request: Request, host: str) -> bytes:
    headers = {"Host": host, **request.headers, "Content-Length": str(len(request.body))}
    lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + request.body


def requests_per_second(url: str, requests: Sequence[Request], *, seconds: int) -> float | None:
    """What wrk measures with 16 connections that send the requests by turns; ``None`` if it is not installed."""
    if shutil.which("wrk") is None:
        return None
    calls = []
    for request in requests:
        headers = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in request.headers.items())
        calls.append(f"wrk.format('{request.method}', '{request.path}', {{{headers}}}, {json.dumps(request.body.decode())})")
    script = f"""
local calls, at
function init(args) calls = {{{", ".join(calls)}}} at = 0 end
function request() at = at % #calls + 1 return calls[at] end
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requests.lua")
        path.write_text(script)
        command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", str(path), url]
        report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", report)
    if "Non-2xx" in report or "Socket errors" in report or found is None:
        raise RuntimeError(report)
    return float(found[1])
