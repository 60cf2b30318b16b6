"""``POST /v1/evaluate``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from gradwire_engine.limits import Limits

from ..compute import Allowance, Job
from ..documents import Documents, Written
from ..exchange import read_body, send_answer
from ..negotiation import CallOptions, call_options
from ..routing import AsgiRoute
from ..schemas import examples
from ..schemas.evaluate import EvaluateAnswer, EvaluateRequest
from ..schemas.parameters import ENCODING, REQUEST_TIMEOUT
from ..schemas.problem import problems
from ..schemas.tensor import BINARY
from ..services import Evaluate
from .context import Context

_DESCRIPTION: Final = """\
Send a program: named `inputs`, operations (`nodes`) in order, and the names of the `outputs`. The answer has their values. With \
`backward` it also has the gradients of every input with `requires_grad`, as `loss.backward()` would give them in PyTorch. Nothing is \
kept afterwards.

In `args` and `kwargs` a string is the name of an input or of an earlier node, wherever the operation expects a tensor; a number stands \
for itself. `GET /v1/ops` lists the operations. The text `program` in place of `nodes` says the same as assignments in PyTorch's Python.

Pick an example below and press Execute, then change the numbers."""


class EvaluateEndpoint:
    """Evaluates the program in the body.

    Args:
        context: The application's parts.
    """

    def __init__(self, context: Context) -> None:
        self._compute = context.compute
        self._evaluate = context.services.evaluate
        self._settings = context.settings
        self._documents = context.documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        settings = self._settings
        options = call_options(scope, settings.request_seconds)
        allowance = Allowance(options.seconds)
        body = await read_body(scope, receive, min(options.seconds, settings.body_seconds))
        job = _job(self._evaluate, self._documents, body, options)
        size = self._documents.size(body, options)
        answer = await self._compute.run(job, size=size, allowance=allowance, receive=receive)
        await send_answer(send, 200, answer.pieces, answer.headers)


def _job(evaluate: Evaluate, documents: Documents, body: bytes | bytearray, options: CallOptions) -> Job[Written]:
    """The whole work, reading and writing documents included: for a large body they may take longer than the program."""

    def job(limits: Limits, check: Callable[[], None]) -> Written:
        document = documents.read(body, options, check)
        answer = evaluate(document, limits=limits, check=check)
        check()
        return documents.write(answer, options, check)

    return job


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    json_body = {"schema": {"$ref": f"#/components/schemas/{EvaluateRequest.__name__}"}, "examples": examples.shown_requests()}
    return [
        AsgiRoute(
            "/v1/evaluate",
            EvaluateEndpoint(context),
            methods=["POST"],
            request_model=EvaluateRequest,
            response_model=EvaluateAnswer,
            response_description="Values, and gradients where they were asked for.",
            responses={200: {"content": BINARY}, **problems(400, 401, 406, 408, 413, 415, 422, 429, 431, 500, 503, 504)},
            examples={200: examples.shown_answers(), 422: {"error": examples.shown_error()}},
            operation_id="evaluate",
            tags=["evaluate"],
            summary="Evaluate a program: values and gradients",
            description=_DESCRIPTION,
            openapi_extra={
                "parameters": [ENCODING, REQUEST_TIMEOUT],
                "requestBody": {"required": True, "content": {"application/json": json_body, **BINARY}},
            },
        )
    ]
