"""``GET /v1/info``."""

from __future__ import annotations

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from ..negotiation import JSON, headers_of, query_parameters, require_acceptable
from ..schemas.info import Info
from ..schemas.problem import problems
from ..version import API, package_version
from .context import Context


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    settings = context.settings

    async def info(request: Request) -> Response:
        require_acceptable(headers_of(request.scope))
        query_parameters(request.scope, {})
        document = {
            "version": package_version(),
            "api": API,
            "ops": context.services.table_hash(),
            "limits": {
                "header_bytes": settings.max_header_bytes,
                "body_bytes": settings.max_body_bytes,
                "json_values": settings.json_values,
                "answer_bytes": settings.answer_bytes,
                "tensor_bytes": settings.tensor_bytes,
                "program_bytes": settings.program_bytes,
                "nodes": settings.nodes,
                "work": settings.work,
                "request_seconds": settings.request_seconds,
                "body_seconds": settings.body_seconds,
                "requests_in_flight": settings.requests_in_flight,
                "sessions": settings.sessions,
                "session_tensors": settings.session_tensors,
                "session_bytes": settings.session_bytes,
                "sessions_bytes": settings.sessions_bytes,
                "batch_instructions": settings.batch_instructions,
                "session_queue": settings.session_queue,
                "session_ttl_seconds": settings.session_ttl_seconds,
                "suspension_seconds": settings.suspension_seconds,
                "functions": settings.functions,
                "functions_per_key": settings.functions_per_key,
                "function_bytes": settings.function_bytes,
                "functions_bytes": settings.functions_bytes,
                "compute_threads": settings.compute_threads,
            },
        }
        return Response(orjson.dumps(document), media_type=JSON)

    return [
        APIRoute(
            "/v1/info",
            info,
            response_model=Info,
            responses=problems(401, 406, 422, 429, 500),
            operation_id="info",
            tags=["server"],
            summary="Version and limits",
            description="The version of the server and of the interface, the hash of its operations, and its limits.",
        )
    ]
