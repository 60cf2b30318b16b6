"""Routes that FastAPI documents and does not slow down."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from .errors import MethodNotAllowed, NotFound
from .negotiation import single_parameters
from .paths import is_call


class Endpoint(Protocol):
    """An ASGI application that answers one path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        ...


class AsgiRoute(APIRoute):
    """A route to a plain ASGI application: FastAPI reads the documentation and stays out of the way of requests.

    Args:
        path: The path. A parameter, such as ``{id}``, is one segment; the scope has it among its ``path_params``.
        endpoint: The application.
        methods: The methods that it answers.
        request_model: What the body is, for the documentation.
        examples: Examples of answers by status, for the documentation.
        **documentation: Anything that ``FastAPI.add_api_route`` takes.
    """

    def __init__(
        self,
        path: str,
        endpoint: Endpoint,
        *,
        methods: Iterable[str],
        request_model: type[BaseModel] | None = None,
        examples: Mapping[int, dict[str, Any]] | None = None,
        **documentation: Any,
    ) -> None:
        super().__init__(path, _Undemanding(endpoint), methods=list(methods), **documentation)
        self.request_model = request_model
        self.examples = examples or {}
        self.app = endpoint


class _Undemanding:
    """What FastAPI is shown in place of an ASGI application, whose arguments it would take for query parameters."""

    __signature__: Final = inspect.Signature()

    def __init__(self, endpoint: Endpoint) -> None:
        self.__name__ = type(endpoint).__name__
        self.__doc__ = type(endpoint).__doc__
        self._endpoint = endpoint

    async def __call__(self, *arguments: Any) -> None:
        await self._endpoint(*arguments)


class Api(FastAPI):
    """FastAPI as router and author of the OpenAPI document, without middleware of its own.

    Exceptions pass through it, so that there is one place that answers them: :class:`gradwire_server.middleware.errors.AnswerErrors`.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """The router alone, with what FastAPI needs to close files."""
        return AsyncExitStackMiddleware(self.router)


class Dispatch:
    """Sends requests for the plain ASGI routes straight to them, and all others through FastAPI.

    Args:
        api: The application that has all the routes.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        direct = [route for route in api.routes if isinstance(route, AsgiRoute)]
        self._direct = {(route.path, method): route for route in direct for method in route.methods or () if "{" not in route.path}
        # By method, number of segments, and the last one if it is no parameter, so that a request is compared with one or two.
        self._templates: dict[tuple[str, int, str], list[tuple[list[str], AsgiRoute]]] = {}
        for route in direct:
            template = route.path.split("/")
            last = "" if template[-1][:1] == "{" else template[-1]
            for method in route.methods or () if "{" in route.path else ():
                self._templates.setdefault((method, len(template), last), []).append((template, route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._api(scope, receive, send)
            return
        if scope["query_string"] and is_call(scope["path"]):
            # FastAPI would take one of them.
            single_parameters(scope)
        if scope["method"] == "HEAD":
            # HEAD is GET without the body, which the HTTP server leaves away: it knows the method from the scope that it made itself.
            as_get = {**scope, "method": "GET"}
            try:
                await self._answer(as_get, receive, send)
            finally:
                scope["route"] = as_get.get("route")
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._direct.get((scope["path"], scope["method"])) or self._match(scope)
        if route is not None:
            scope["route"] = route
            await route.app(scope, receive, send)
            return
        try:
            await self._api(scope, receive, send)
        except HTTPException as error:
            if error.status_code == 405:
                raise MethodNotAllowed(scope["method"], scope["path"], _methods(self._api.routes, scope)) from None
            if error.status_code == 404:
                calls = self._calls_beside(scope["path"])
                known = f" The calls there are {', '.join(calls)}." if calls else ""
                raise NotFound(f"There is nothing at {scope['path']!r}; /docs shows what there is.{known}") from None
            raise

    def _calls_beside(self, path: str) -> list[str]:
        """What may stand in place of the last segment of a path."""
        segments = path.split("/")[:-1]
        found = {
            last
            for (_, count, last), routes in self._templates.items()
            for template, _ in routes
            if last
            and count == len(segments) + 1
            and all(part == segment or (part[:1] == "{" and segment) for part, segment in zip(template[:-1], segments, strict=True))
        }
        return sorted(found)

    def _match(self, scope: Scope) -> AsgiRoute | None:
        """The plain route with parameters that has the request's path and method; the scope gets the parameters."""
        segments = scope["path"].split("/")
        for last in (segments[-1], ""):
            for template, route in self._templates.get((scope["method"], len(segments), last), ()):
                parameters = {}
                for part, segment in zip(template, segments, strict=True):
                    if part[:1] == "{" and segment:
                        parameters[part[1:-1]] = segment
                    elif part != segment:
                        break
                else:
                    scope["path_params"] = parameters
                    return route
        return None


def _methods(routes: Sequence[BaseRoute], scope: Scope) -> set[str]:
    """The methods of all routes that have the request's path, whichever of them was asked."""
    matching = (route for route in routes if route.matches(scope)[0] is not Match.NONE)
    methods = {method for route in matching for method in getattr(route, "methods", None) or ()}
    return methods | {"HEAD"} if "GET" in methods else methods
