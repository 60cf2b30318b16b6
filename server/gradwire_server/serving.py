"""Listening on a socket and running the app there, in one process or in several."""

from __future__ import annotations

import contextlib
import functools
import math
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from .app import create_logged_app
from .logs import configure_logging, get_logger
from .metrics import SHARED_DIRECTORY
from .protocol import ConnectionLimits, Protocol
from .settings import Settings
from .version import package_version

# How much of an answer the kernel takes that it cannot send at the moment.
_UNSENT_BYTES: Final = 128 * 1024

# How long threads are waited for when everything else has ended.
_LAST_SECONDS: Final = 1.0


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
        if sys.platform == "linux":
            # Likewise. The kernel would hold megabytes of an answer that is not taken, and tell of every megabyte or so that is.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
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
        http=cast(Any, functools.partial(Protocol, limits=ConnectionLimits.of(settings))),
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
    with contextlib.suppress(KeyboardInterrupt), _leaving_threads_behind():
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
    if settings.workers > 1:
        # A terminal interrupts all processes; the parent then ends the others by SIGTERM, which no busy thread holds up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_with_the_parent, name="gradwire-parent", daemon=True).start()
    try:
        return create_logged_app(settings)
    except Exception:
        get_logger("gradwire.serve").exception("not started")
        sys.exit(STARTUP_FAILURE)


def _end_with_the_parent() -> None:
    """Stops this process when the one that started it is gone, however that came about: nobody else would, and the port stays taken."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def _leaving_threads_behind() -> Iterator[None]:
    """Ends the process after the block, if threads that were started in it do not end; Python would wait for them forever."""
    before = set(threading.enumerate())
    status: object = 0
    try:
        yield
    except SystemExit as leaving:
        status = leaving.code
        raise
    except Exception:
        status = 1
        raise
    finally:
        deadline = time.monotonic() + _LAST_SECONDS
        threads = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if busy := [thread.name for thread in threads if thread.is_alive()]:
            get_logger("gradwire.serve").warning("stopped without waiting for threads", threads=busy)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status if isinstance(status, int) else 0)


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
