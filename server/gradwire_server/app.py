"""The application: its parts, its routes and its middleware, put together."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Callable
from functools import cache, lru_cache
from typing import Any

import orjson
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from .compute import Compute
from .documents import Documents
from .draining import Draining
from .logs import AccessLines, configure_logging, get_logger
from .metrics import Metrics
from .middleware.api_keys import RequireKey
from .middleware.bodies import LimitBodies
from .middleware.errors import AnswerErrors
from .middleware.in_flight import LimitInFlight
from .middleware.observe import ObserveRequests
from .openapi import openapi_document
from .openapi_functions import with_functions
from .routers import docs, evaluate, functions, health, info, metrics, ops, sessions
from .routers.context import Context
from .routing import Api, Dispatch
from .services import Services, engine_services
from .session_work import SessionWork
from .settings import Settings

# How long a thread that computes may keep the interpreter from the event loop. At Python's own 5 ms a probe took a median of 14 ms
# (at worst 75) while two threads ran small operations, at 0.5 ms a median of 4 (at worst 10).
_SWITCH_SECONDS = 0.0005
_GC_THRESHOLD = 50_000
# The page shows these, and lists the rest.
_SHOWN_FUNCTIONS = 100

_ROUTERS = (evaluate, functions, sessions, ops, info, health, metrics)


def create_app(settings: Settings | None = None, services: Services | None = None) -> ASGIApp:
    """Builds the application, for any ASGI server.

    Args:
        settings: Its configuration; by default from the environment.
        services: What it offers; by default the engine of this process.
    """
    settings = settings or Settings()
    context = build_context(settings, services or engine_services(settings.session_limits(), settings.function_limits(), settings.data_dir))
    return _with_middleware(build_api(context), context)


def create_logged_app(settings: Settings) -> ASGIApp:
    """Builds the application in a process of its own, whose logging and threads are set up too."""
    configure_logging(settings)
    sys.setswitchinterval(_SWITCH_SECONDS)
    made = create_app(settings)
    # What was made so far stays; a request makes thousands of small objects and no cycles that need frequent collection.
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    return made


def build_context(settings: Settings, services: Services) -> Context:
    """The parts that one application consists of."""
    numbers = Metrics()
    compute = Compute(threads=settings.compute_threads, limits=settings.limits(), observe=numbers.compute)
    return Context(
        settings=settings,
        services=services,
        documents=Documents(settings),
        compute=compute,
        session_work=SessionWork(services.sessions, compute, settings.request_seconds, get_logger("gradwire.sessions")),
        metrics=numbers,
        draining=Draining(settings.drain_delay_seconds, get_logger("gradwire.draining")),
    )


def build_api(context: Context) -> Api:
    """The routes of the application, and what happens when it starts and stops."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        with contextlib.closing(context.services.functions), contextlib.closing(context.compute), context.draining.on_sigterm():
            async with context.session_work.active():
                yield

    documented: list[BaseRoute] = [route for router in _ROUTERS for route in router.routes(context)]
    api = Api(routes=documented, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    api.router.routes.extend(docs.routes(_served_document(api, context)))
    return api


def _served_document(api: Api, context: Context) -> Callable[[], bytes]:
    """The OpenAPI document in JSON, with the registered functions where everyone may see them."""
    plain = cache(lambda: openapi_document(api))
    functions = context.services.functions
    if context.settings.api_keys:
        # The document is open to callers without a key, and functions are their owners' own.
        return cache(lambda: orjson.dumps(plain()))
    written = lru_cache(1)(
        lambda _generation: orjson.dumps(with_functions(plain(), functions.list(owner=None, limit=_SHOWN_FUNCTIONS, cursor=None)["items"]))
    )
    return lambda: written(functions.generation())


def _with_middleware(api: Api, context: Context) -> ASGIApp:
    settings = context.settings
    templates = frozenset(route.path for route in api.routes if isinstance(route, Route) and not route.param_convertors)
    app: ASGIApp = Dispatch(api)
    app = LimitBodies(app, each=settings.max_body_bytes, together=settings.bodies_bytes)
    app = LimitInFlight(app, limit=settings.requests_in_flight)
    if settings.api_keys:
        app = RequireKey(app, hashes=settings.api_keys)
    app = AnswerErrors(app, log=get_logger("gradwire.errors"))
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "DELETE"),
            allow_headers=(
                "Authorization",
                "Content-Encoding",
                "Content-Type",
                "If-Match",
                "If-None-Match",
                "Request-Timeout",
                "X-Request-ID",
            ),
            expose_headers=("ETag", "Retry-After", "X-Request-ID"),
        )
    return ObserveRequests(app, metrics=context.metrics, templates=templates, log=AccessLines("gradwire.access"))
