"""``GET /v1/ops`` and ``GET /v1/ops/{name}``."""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, Any

import orjson
from fastapi import Path, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from gradwire_engine.errors import ProgramError

from ..errors import NotFound
from ..negotiation import JSON, headers_of, query_parameters, require_acceptable
from ..schemas.info import OpDescription, OpPage
from ..schemas.problem import problems
from .context import Context


class OpsQuery(BaseModel):
    """Which page of the operations."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=1000, ge=1, le=1000, description="Number of operations in the answer.")
    cursor: str = Field(default="", description="Where to go on: `next` of the page before.")


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    services = context.services

    async def list_ops(request: Request, query: Annotated[OpsQuery, Query()]) -> Response:
        require_acceptable(headers_of(request.scope))
        return _json(_page(services.list_ops(), query))

    async def get_op(request: Request, name: Annotated[str, Path(description="PyTorch's name, such as `nn.functional.relu`.")]) -> Response:
        require_acceptable(headers_of(request.scope))
        query_parameters(request.scope, {})
        try:
            return _json(services.get_op(name))
        except ProgramError as error:
            raise NotFound(error.detail, code=error.code) from None

    return [
        APIRoute(
            "/v1/ops",
            list_ops,
            response_model=OpPage,
            responses=problems(401, 406, 422, 429, 500),
            operation_id="list_ops",
            tags=["operations"],
            summary="List the operations",
            description="Every operation that a node may name: signature, documentation, differentiable arguments, grad_fn.",
        ),
        APIRoute(
            "/v1/ops/{name}",
            get_op,
            response_model=OpDescription,
            responses=problems(401, 404, 406, 422, 429, 500),
            operation_id="get_op",
            tags=["operations"],
            summary="Describe one operation",
            description="Signature, documentation, differentiable arguments and grad_fn of one operation. "
            "A name that is not known is answered with the closest one.",
        ),
    ]


def _page(ops: list[dict[str, Any]], query: OpsQuery) -> dict[str, Any]:
    ordered = sorted(ops, key=lambda op: str(op["name"]))
    start = bisect_right(ordered, query.cursor, key=lambda op: str(op["name"]))
    items = ordered[start : start + query.limit]
    return {"items": items, "next": items[-1]["name"] if start + query.limit < len(ordered) else None}


def _json(document: Any) -> Response:
    return Response(orjson.dumps(document), media_type=JSON)
