"""Stopping: what a caller and a load balancer see between SIGTERM and the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.types import Message

from gradwire_server.draining import Draining
from gradwire_server.logs import get_logger
from gradwire_server.routers.health import Readyz
from tests.server.support import problem

PROGRAM = """
import sys
import uvicorn
from gradwire_server.serving import listen, url_of
from tests.server.support import app, busy

listener = listen("127.0.0.1", 0)
print(url_of(listener), flush=True)
application = app(busy, drain_delay_seconds=float(sys.argv[1]))
uvicorn.Server(uvicorn.Config(application, ws="none", log_config=None, timeout_graceful_shutdown=int(sys.argv[2]))).run([listener])
"""


@contextlib.contextmanager
def server(delay: float, grace: int = 5) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", PROGRAM, str(delay), str(grace)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, url
    finally:
        process.kill()
        process.communicate()


def test_a_running_request_finishes_after_sigterm() -> None:
    with server(0) as (process, url), ThreadPoolExecutor(1) as caller:
        job = caller.submit(httpx.post, f"{url}/v1/evaluate", json={"seconds": 1.0}, timeout=30)
        time.sleep(0.4)
        process.send_signal(signal.SIGTERM)
        assert job.result().json() == {"done": True}
        assert process.wait(10) == -signal.SIGTERM
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/healthz")


def test_a_request_that_is_cut_short_is_told_so() -> None:
    with server(0, grace=1) as (process, url), ThreadPoolExecutor(1) as caller:
        job = caller.submit(httpx.post, f"{url}/v1/evaluate", json={"seconds": 8.0}, timeout=30)
        time.sleep(0.4)
        process.send_signal(signal.SIGTERM)
        assert problem(job.result()) == (503, "draining")


def test_the_load_balancer_is_told_first_and_requests_are_still_taken() -> None:
    with server(1.0) as (process, url):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert problem(httpx.get(f"{url}/readyz")) == (503, "draining")
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert httpx.post(f"{url}/v1/evaluate", json={"seconds": 0}).status_code == 200
        assert process.poll() is None
        assert process.wait(10) == -signal.SIGTERM


def test_a_second_signal_stops_at_once() -> None:
    with server(30.0) as (process, _):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM


def test_the_handler_that_was_there_is_called_and_comes_back() -> None:
    told: list[int] = []

    async def scenario() -> Message:
        draining = Draining(0, get_logger("test"))
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            raise AssertionError

        with draining.on_sigterm():
            await Readyz(draining)({"type": "http"}, receive, send)
            assert not draining.active
            signal.raise_signal(signal.SIGTERM)
            assert draining.active
        return sent[0]

    before = signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    try:
        assert asyncio.run(scenario())["status"] == 200
        assert told == [signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)
        assert told == [signal.SIGTERM] * 2
    finally:
        signal.signal(signal.SIGTERM, before)
