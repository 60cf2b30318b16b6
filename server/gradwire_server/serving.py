"""Listening on a socket and running the app there, in one process or in several."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import signal
import socket
import sys
import tempfile
from types import FrameType

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from .app import create_logged_app
from .logs import configure_logging, get_logger
from .metrics import SHARED_DIRECTORY
from .settings import Settings
from .version import package_version


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on ``host`` and ``port``; port 0 picks a free one.

    Raises:
        OSError: There is no such address, or another process has it.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. Without it the kernel holds back the second piece of an answer until the first is acknowledged: 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """The address under which a browser on this machine finds ``listener``."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM, after which requests in flight are given time to finish.

    Raises:
        OSError: The address cannot be listened on.
    """
    configure_logging(settings)
    listener = listen(settings.host, settings.port)
    url = url_of(listener)
    get_logger("gradwire.serve").info("listening", url=url, docs=f"{url}/docs", version=package_version(), workers=settings.workers)
    config = uvicorn.Config(
        functools.partial(_app, settings),
        factory=True,
        workers=settings.workers,
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        # A worker that does not answer for so long is killed: well above what starting, or holding the interpreter lock, ever takes.
        timeout_worker_healthcheck=30,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds),
    )
    # uvicorn raises the signal that stopped it once more when it is done; a server that was told to stop and did has not failed.
    signal.signal(signal.SIGTERM, _exit)
    with contextlib.suppress(KeyboardInterrupt):
        if settings.workers == 1:
            uvicorn.Server(config).run([listener])
        else:
            with tempfile.TemporaryDirectory(prefix="gradwire-metrics-") as shared:
                # The processes to come read it as they start; /metrics then answers for all of them, whichever is asked.
                os.environ[SHARED_DIRECTORY] = shared
                several = Multiprocess(config, [listener])
                several.run()
            if any(process.exitcode == STARTUP_FAILURE for process in several.processes):
                sys.exit(STARTUP_FAILURE)


def _app(settings: Settings) -> ASGIApp:
    """The application, or the end of this process with the status that tells its parent not to try again."""
    try:
        return create_logged_app(settings)
    except Exception:
        get_logger("gradwire.serve").exception("not started")
        sys.exit(STARTUP_FAILURE)


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
