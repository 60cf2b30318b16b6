"""``GET /docs``: Swagger UI from files that are installed with the server, so that it works without a network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

# The page and its script are ours; Swagger UI itself comes with the package fastapi-swagger, of which only the files are used.
_OURS: Final = ("index.html", "start.js", "page.css")
_SWAGGER_UI: Final = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")

_HEADERS: Final = {
    # Nothing may be loaded from elsewhere. Swagger UI writes styles into its elements, and has its icons in data URLs.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "max-age=300",
}


def routes(openapi: Callable[[], bytes]) -> list[BaseRoute]:
    """The routes of this module.

    Args:
        openapi: Returns the OpenAPI document in JSON.
    """

    async def document(request: Request) -> Response:
        return Response(openapi(), media_type="application/json")

    async def home(request: Request) -> Response:
        return RedirectResponse("docs")

    assets = {name: _path("gradwire_server", "static", "docs", name) for name in _OURS}
    assets |= {name: _path("fastapi_swagger", "resources", name) for name in _SWAGGER_UI}
    page = assets.pop("index.html")
    return [
        Route("/", home, include_in_schema=False),
        Route("/openapi.json", document, include_in_schema=False),
        Route("/docs", _serve(page), include_in_schema=False),
        *(Route(f"/docs/{name}", _serve(path), include_in_schema=False) for name, path in assets.items()),
    ]


def _path(package: str, *parts: str) -> Path:
    return Path(str(files(package).joinpath(*parts)))


def _serve(path: Path) -> Callable[[Request], Awaitable[Response]]:
    async def file(request: Request) -> Response:
        return FileResponse(path, headers=_HEADERS)

    return file
