"""A Gradwire server in a process of its own, for the demonstration, the tests and the benchmarks."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def running_server(*options: str, seconds: float = 30.0) -> Iterator[str]:
    """Starts ``gradwire serve`` on a free port, and stops it at the end of the block.

    Args:
        options: Further options of ``gradwire serve``.
        seconds: How long the server may take to start, and to stop.

    Yields:
        The server's address, such as ``http://127.0.0.1:40123``.

    Raises:
        RuntimeError: The server did not start, or did not stop with status 0; the message holds its log.
    """
    # The caller's own settings would make every run another one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRADWIRE_")}
    command = [sys.executable, "-m", "gradwire_server.cli", "serve", "--host", "127.0.0.1", "--port", "0", "--log-format", "json", *options]
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "log")
        with log.open("wb") as stderr:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=stderr)
        try:
            yield address_of(process, log, time.monotonic() + seconds)
        finally:
            process.terminate()
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                status = process.wait()
        if status != 0:
            raise RuntimeError(f"The server stopped with status {status}:\n{log.read_text()}")


def address_of(process: subprocess.Popen[bytes], log: Path, deadline: float) -> str:
    """Waits until a server listens, and gives its address.

    Args:
        process: The server, started with ``--log-format json``.
        log: The file that its standard error goes to.
        deadline: Until when it may take, by ``time.monotonic``.

    Raises:
        RuntimeError: It did not start; the message holds its log.
    """
    while process.poll() is None and time.monotonic() < deadline:
        # The last piece is the line that is still being written.
        for line in log.read_bytes().split(b"\n")[:-1]:
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("event") == "listening":
                    return str(entry["url"])
        time.sleep(0.02)
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")
