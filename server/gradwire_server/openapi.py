"""The OpenAPI document.

``python -m gradwire_server.openapi > tests/server/openapi.json`` makes the copy again that the tests compare it with.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import orjson
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from .routing import Api, AsgiRoute
from .schemas.problem import Problem
from .version import API

_DESCRIPTION: Final = """\
Automatic differentiation as a service. Send a program as data, get its values, its gradients and their `grad_fn`s, with PyTorch's \
names, results and error messages.

Start with **POST /v1/evaluate** below: choose an example and press Execute."""

_TAGS: Final = [
    {"name": "evaluate", "description": "Values and gradients."},
    {"name": "functions", "description": "Programs that are registered once, and called with their inputs alone."},
    {"name": "sessions", "description": "Tensors that live between requests."},
    {"name": "operations", "description": "What programs are made of."},
    {"name": "server", "description": "Versions, limits, probes and numbers."},
]


def openapi_document(api: Api) -> dict[str, Any]:
    """The document of all routes of ``api``. It depends on no setting, so that every server of a version has the same one."""
    document = get_openapi(title="Gradwire", version=API, description=_DESCRIPTION, routes=api.routes, tags=_TAGS)
    plain = [route for route in api.routes if isinstance(route, AsgiRoute)]
    bodies = [route.request_model for route in plain if route.request_model]
    _, schemas = models_json_schema(
        [(Problem, "serialization"), *((model, "validation") for model in bodies)], ref_template="#/components/schemas/{model}"
    )
    components = document.setdefault("components", {})
    components["schemas"] = dict(sorted({**components.get("schemas", {}), **schemas["$defs"]}.items()))
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "Only on servers with API keys."}}
    document["security"] = [{}, {"key": []}]
    for route in plain:
        written = (route.openapi_extra or {}).get("requestBody")
        for method in route.methods or () if written else ():
            document["paths"][route.path][method.lower()]["requestBody"] = written
        for status, examples in route.examples.items():
            for method in route.methods or ():
                contents = document["paths"][route.path][method.lower()]["responses"][str(status)]["content"]
                content = next(content for media, content in contents.items() if media.endswith("json"))
                # Only now, as above, because FastAPI drops whatever is null from its document.
                content["examples"] = examples
                content.pop("example", None)
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return document


def main() -> None:
    """Prints the document of the application as it is installed."""
    from .app import build_api, build_context
    from .services import engine_services
    from .settings import Settings

    api = build_api(build_context(Settings(), engine_services()))
    text = orjson.dumps(openapi_document(api), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    sys.stdout.buffer.write(text)


if __name__ == "__main__":
    main()
