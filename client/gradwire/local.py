"""Requests to the services in this process: no server, no network, nothing encoded.

The services and their problem documents are those of the server, so answers and errors are the same. Arrays are handed over as they
are, and copied where the two sides would otherwise share memory that one of them writes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import unquote

import numpy as np

from gradwire_engine.errors import DeadlineExceeded, GradwireError, ProgramError
from gradwire_engine.limits import UNBOUNDED, Limits

from . import wire
from .transport import Request, Response

# In place of gradwire_server's own type, which may only be imported where it is used.
Services = Any

_NO_TIME_LIMIT: Final = 100 * 365 * 86_400.0
_UNBOUNDED: Final = 2**62
_PAGE: Final = 1000
# The calls that have a method of their own in the services.
_APART: Final = frozenset({"gradcheck", "nan_check"})
_FORMS: Final = frozenset({"evaluate", "value_and_grad", "vjp", "jvp", "jacobian", "hessian", "hvp", "compute", "minimize"}) | _APART


class LocalTransport:
    """Answers requests in this process. Safe to use from several threads; sessions belong to the transport that opened them.

    Args:
        services: What answers; by default the engine of this process, without limits.
    """

    remote = False

    def __init__(self, services: Services | None = None) -> None:
        self._services = services
        self._lock = threading.Lock()

    def send(self, request: Request) -> Response:
        """The answer, whatever its status; never a ``TransportError``."""
        from gradwire_server.problems import Problem

        try:
            return _answer(self._services or self._open(), request)
        except GradwireError as error:
            problem = Problem.of(error)
            return Response(problem.status, problem.document(), _lower(problem.headers))

    def close(self) -> None:
        """Forgets all sessions and functions."""
        self._services = None

    def _open(self) -> Services:
        from gradwire_server.services import engine_services
        from gradwire_server.services.functions.limits import FunctionLimits
        from gradwire_server.services.sessions.limits import SessionLimits

        with self._lock:
            # A process has no other callers to be protected from, so what is in it may have all of its memory and time.
            own = SessionLimits(
                session_bytes=_UNBOUNDED,
                sessions_bytes=_UNBOUNDED,
                session_tensors=_UNBOUNDED,
                instruction_references=_UNBOUNDED,
                program=UNBOUNDED,
                session_ttl_seconds=_NO_TIME_LIMIT,
                suspension_seconds=_NO_TIME_LIMIT,
            )
            functions = FunctionLimits(
                functions=_UNBOUNDED,
                owner_functions=_UNBOUNDED,
                function_bytes=_UNBOUNDED,
                functions_bytes=_UNBOUNDED,
                program=UNBOUNDED,
            )
            self._services = self._services or engine_services(own, functions)
            return self._services


class AsyncLocalTransport:
    """Answers requests in this process, on a thread beside the event loop.

    Args:
        services: What answers; by default the engine of this process, without limits.
    """

    def __init__(self, services: Services | None = None) -> None:
        self._transport = LocalTransport(services)

    async def send(self, request: Request) -> Response:
        """The answer, whatever its status; never a ``TransportError``."""
        return await asyncio.to_thread(self._transport.send, request)

    async def close(self) -> None:
        """Forgets all sessions."""
        self._transport.close()


def _answer(services: Services, request: Request) -> Response:
    body = wire.plain(request.body)
    match request.method, *map(unquote, request.path.removeprefix("/v1/").split("/")):
        case "POST", "evaluate":
            return Response(200, _own(services.evaluate(body, limits=Limits(), check=_deadline(request.seconds))))
        case "GET", "info":
            return Response(200, _info(services))
        case "GET", "ops":
            return Response(200, {"items": _own(services.list_ops()), "next": None})
        case "GET", "ops", name:
            return _find(lambda: _own(services.get_op(name)))
        case "PUT", "functions", name:
            prepared = services.functions.prepare(body, check=_deadline(request.seconds))
            described, is_new = services.functions.put(name, prepared, owner=None, condition=_condition(request))
            return Response(201 if is_new else 200, _own(described))
        case "GET", "functions":
            return Response(200, _own(services.functions.list(owner=None, limit=_PAGE, cursor=request.params.get("cursor"))))
        case "GET", "functions", name:
            return Response(200, _own(services.functions.get(name, owner=None)))
        case "DELETE", "functions", name:
            services.functions.delete(name, owner=None, condition=_condition(request))
            return Response(204, None)
        case "POST", "functions", name, form if form in _FORMS:
            return Response(200, _own(_call(services.functions, name, form, body, request)))
        case "POST", "sessions":
            # In the caller's own process a session goes when the caller does, unless it asks for less.
            return Response(201, services.sessions.create({"ttl_seconds": _NO_TIME_LIMIT, **body}, owner=None))
        case "GET", "sessions", session:
            return Response(200, services.sessions.get(session, owner=None))
        case "DELETE", "sessions", session:
            services.sessions.delete(session, owner=None)
            return Response(204, None)
        case "POST", "sessions", session, "batch":
            answer = services.sessions.batch(session, body, owner=None, check=_deadline(request.seconds), finish=_kept)
            return Response(*_own(answer))
        case "GET", "sessions", session, "tensors", name:
            return _find(lambda: services.sessions.tensor(session, name, owner=None))
        case "GET", "sessions", session, "tensors", name, "grad":
            return _find(lambda: services.sessions.grad(session, name, owner=None))
        case "GET", "sessions", session, "tensors", name, "graph":
            return _find(lambda: services.sessions.graph(session, name, owner=None))
    return _absent("not_found", f"There is nothing at {request.path!r} for {request.method}.")


def _call(functions: Any, name: str, form: str, body: Any, request: Request) -> dict[str, Any]:
    """The answer of a function."""
    check = _deadline(request.seconds)
    if "dry_run" in request.params:
        answer = functions.dry_run(name, form, body, owner=None, limits=UNBOUNDED, check=check)
    elif form == "minimize":
        seconds = _NO_TIME_LIMIT if request.seconds is None else request.seconds
        answer = functions.minimize(name, body, owner=None, limits=UNBOUNDED, check=check, seconds=seconds)
    elif form in _APART:
        answer = getattr(functions, form)(name, body, owner=None, limits=UNBOUNDED, check=check)
    else:
        answer = functions.call(name, form, body, owner=None, limits=UNBOUNDED, check=check)
    found: dict[str, Any] = answer
    return found


def _condition(request: Request) -> Any:
    """What the headers say that must hold of a function that is changed."""
    from gradwire_server.services.functions.condition import Condition

    return Condition(_tags(request.headers.get("If-Match")), _tags(request.headers.get("If-None-Match")))


def _tags(header: str | None) -> frozenset[str] | None:
    return None if header is None else frozenset(tag.strip().strip('"') for tag in header.split(","))


def _kept(answer: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    """What the session keeps of an answer, in case that it is asked for again: later batches write the arrays that it shares."""
    return answer.status, _own(answer.document), _lower(answer.headers)


def _info(services: Services) -> dict[str, Any]:
    from gradwire_server.version import API, package_version

    limits = asdict(services.sessions.limits)
    return {"version": package_version(), "api": API, "ops": services.table_hash(), "limits": {**limits.pop("program"), **limits}}


def _find(look: Callable[[], Any]) -> Response:
    """What is found under a name in the path."""
    try:
        return Response(200, look())
    except ProgramError as error:
        # In a document an unknown name is a mistake, in a path it is a place where nothing is.
        return _absent(error.code, error.detail)


def _absent(code: str, detail: str) -> Response:
    from gradwire_server.problems import Problem

    return Response(404, Problem(404, code, detail, None, {}, unexpected=False).document())


def _deadline(seconds: float | None) -> Callable[[], None]:
    """A check that ends the computation when the time is over."""
    if seconds is None:
        return lambda: None
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() >= end:
            raise DeadlineExceeded(f"The program did not finish within the {seconds:g} seconds that the request was allowed.")

    return check


def _own(value: Any) -> Any:
    """A copy that shares nothing with the services, of the types that JSON has."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Mapping):
        return {key: _own(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_own(item) for item in value]
    return value


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
