"""A small evaluate over HTTP against a bare Starlette echo of the same body, on the same server software."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.running import running_server

BODY = json.dumps(
    {
        "inputs": {"x": {"data": [2.0, 3.0], "requires_grad": True}},
        "nodes": [{"name": "y", "op": "mul", "args": ["x", "x"]}, {"name": "z", "op": "sum", "args": ["y"]}],
        "outputs": ["z"],
        "backward": "z",
    }
).encode()
_HEADERS = {"Content-Type": "application/json"}
_ECHO = """
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def echo(request):
    return Response(await request.body(), media_type="application/json")

app = Starlette(routes=[Route("/v1/evaluate", echo, methods=["POST"]), Route("/healthz", echo)])
"""


@contextmanager
def echo_server(source: str = _ECHO) -> Iterator[str]:
    """Starts the application in ``source``, a module, on uvicorn as it comes, and stops it at the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "echo_app.py").write_text(source)
        options = ["--app-dir", folder, "--port", str(port), "--log-level", "warning", "--no-access-log", "--timeout-keep-alive", "75"]
        process = subprocess.Popen([sys.executable, "-m", "uvicorn", *options, "echo_app:app"])
        try:
            _wait(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), 0.2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"Nothing answers on port {port}.")


def _latencies(urls: dict[str, str], calls: int) -> dict[str, list[float]]:
    """Milliseconds of calls over one kept-alive connection each, by turns."""
    connections = {name: http.client.HTTPConnection(url.removeprefix("http://")) for name, url in urls.items()}
    times: dict[str, list[float]] = {name: [] for name in urls}
    for round_number in range(calls + 50):
        for name, connection in connections.items():
            start = time.perf_counter()
            connection.request("POST", "/v1/evaluate", BODY, _HEADERS)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{name} answered {answer.status}.")
            if round_number >= 50:
                times[name].append((time.perf_counter() - start) * 1e3)
    return times


def _requests_per_second(url: str) -> float | None:
    """What wrk measures with 16 connections, if it is installed."""
    if shutil.which("wrk") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "post.lua")
        body = BODY.decode().replace("'", "\\'")
        script.write_text(f"wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\n")
        command = ["wrk", "-t1", "-c16", "-d4s", "-s", str(script), f"{url}/v1/evaluate"]
        report = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in report:
        raise RuntimeError(report)
    found = re.search(r"Requests/sec:\s+([\d.]+)", report)
    return float(found.group(1)) if found else None


def measure() -> str:
    """Runs both servers and gives the table."""
    with echo_server() as echo, running_server() as ours:
        urls = {"starlette echo": echo, "gradwire evaluate": ours}
        times = _latencies(urls, 1000)
        rates = {name: _requests_per_second(url) for name, url in urls.items()}
    base = statistics.median(times["starlette echo"])
    lines = ["A small evaluate (x*x, sum, gradient) over HTTP, one client; requests/s with 16 connections (wrk)"]
    for name, found in times.items():
        found.sort()
        p50, p99 = statistics.median(found), found[int(len(found) * 0.99)]
        rate = rates[name]
        shown = "wrk is not installed" if rate is None else f"{rate:8.0f} requests/s"
        lines.append(f"  {name:<17}  p50 {p50:6.3f} ms   p99 {p99:6.3f} ms   {shown}   {p50 / base:5.2f}x")
    return "\n".join(lines)
