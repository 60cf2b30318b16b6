"""Processes that stop, and what becomes of those beside them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.running import running_server
from tests.server.sockets import connect, post

# A server whose programs cannot be stopped: they are one long call outside of Python.
STUCK = """
import sys
import time
from typing import Any
import gradwire_server.services.evaluate as programs
from gradwire_server.serving import serve
from gradwire_server.settings import Settings

def stuck(*_: Any) -> dict[str, Any]:
    time.sleep(600)
    return {}

programs._evaluate = stuck
if __name__ == "__main__":
    serve(Settings(port=int(sys.argv[1]), drain_seconds=1, request_seconds=float(sys.argv[2]), workers=int(sys.argv[3])))
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 40
    while True:
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("request_seconds", "workers", "number"),
    [(1, 1, signal.SIGTERM), (60, 1, signal.SIGTERM), (60, 1, signal.SIGINT), (60, 2, signal.SIGINT)],
)
def test_a_thread_that_cannot_be_stopped_holds_nothing_up(tmp_path: Path, request_seconds: float, workers: int, number: int) -> None:
    program = tmp_path / "stuck.py"
    program.write_text(STUCK)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(program), str(port), str(request_seconds), str(workers)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
            stderr=stderr,
            start_new_session=True,
        )
    try:
        wait_for(url)
        with connect(url) as client:
            client.sendall(post(b'{"x":"' + b"a" * 20_000 + b'"}'))
            time.sleep(0.3)
            # As a terminal does, to the whole group.
            os.killpg(process.pid, number) if number == signal.SIGINT else process.terminate()
            assert process.wait(12) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    events = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    if workers == 1:
        assert events[-1]["event"] == "stopped without waiting for threads"
        assert events[-1]["threads"][0].startswith("gradwire-compute")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/healthz")


@pytest.fixture(scope="module")
def several() -> Iterator[str]:
    with running_server("--workers", "2", seconds=60) as url:
        yield url


def process_of(url: str) -> set[int]:
    """The processes that listen on the server's port, apart from the one that watches them."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    sockets = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()
        if line.split()[1].endswith(port) and line.split()[3] == "0A"
    }
    found = set()
    for directory in Path("/proc").iterdir():
        try:
            held = {os.readlink(file) for file in (directory / "fd").iterdir()} if directory.name.isdigit() else set()
            if any(f"socket:[{number}]" in held for number in sockets) and b"spawn_main" in (directory / "cmdline").read_bytes():
                found.add(int(directory.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="looks for processes where Linux lists them")
def test_a_process_that_is_killed_is_replaced(several: str) -> None:
    wait_for(several)
    deadline = time.monotonic() + 40
    while len(before := process_of(several)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    while len(now := process_of(several) - {killed}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(now - before) == 1
    wait_for(several)
    assert {httpx.get(f"{several}/healthz").status_code for _ in range(20)} == {200}
