"""``GET /metrics``."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.routing import BaseRoute

from ..schemas.problem import problems
from .context import Context


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""

    def metrics() -> Response:
        return Response(context.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return [
        APIRoute(
            "/metrics",
            metrics,
            response_class=PlainTextResponse,
            responses=problems(401, 500),
            operation_id="metrics",
            tags=["server"],
            summary="Numbers for Prometheus",
            description="Requests, latencies, compute seconds, bytes, requests in flight and refusals, in Prometheus' text format.",
        )
    ]
