"""What the documentation says about the calls on sessions, by their operation ids."""

from __future__ import annotations

from typing import Any, Final

from ..schemas import session_examples as examples
from ..schemas.parameters import ENCODING, REQUEST_TIMEOUT
from ..schemas.problem import problems
from ..schemas.sessions import BatchAnswer, BatchRequest, Graph, SessionCreated, SessionDescription, SessionPage, SessionRequest
from ..schemas.tensor import BINARY, TensorAnswer

_BATCH: Final = """\
Send instructions, told apart by `do`: `create`, `op`, `backward`, `grad`, `set`, `read`, `delete`, `seed`, `default_dtype`, and for \
functions and hooks that run in the client `function`, `hook`, `unhook`, `resume`. They are carried out in order, and the answer has one \
result for each.

An instruction that fails is answered with its problem, `seq`, `instruction` and the `results` before it: what came before stands, what \
came after was not carried out, and the session goes on. A problem without `seq` says that nothing was done.

Make a session first, put its id below, and execute the examples in order."""


def _parameter(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}


def _query(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_ID: Final = _parameter("id", "The session's id.")
_NAME: Final = _parameter("name", "A name, as instructions refer to it: `x`, `y.0`, `x.grad`.")


def _body(model: type[Any], *, binary: bool = False, **content: Any) -> dict[str, Any]:
    in_json = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}, **content}
    return {"content": {"application/json": in_json, **(BINARY if binary else {})}}


def documented() -> dict[str, dict[str, Any]]:
    """What ``AsgiRoute`` takes beside the endpoint, by operation id."""
    look = (401, 404, 406, 422, 429, 431, 500, 503, 504)
    formats = ["json", "dot", "mermaid", "svg"]
    facts: dict[str, dict[str, Any]] = {
        "create_session": dict(
            path="/v1/sessions",
            methods=["POST"],
            request_model=SessionRequest,
            status_code=201,
            response_model=SessionCreated,
            responses=problems(400, 401, 406, 408, 413, 415, 422, 429, 431, 500, 501, 503),
            summary="Make a session",
            description="A session keeps tensors, and the graph between them, from one request to the next. It ends when it is deleted, or "
            "was not used for `ttl_seconds`.",
            openapi_extra={"requestBody": _body(SessionRequest, example={})},
        ),
        "list_sessions": dict(
            path="/v1/sessions",
            methods=["GET"],
            response_model=SessionPage,
            responses=problems(401, 403, 406, 422, 429, 431, 500, 503),
            summary="List your sessions",
            description="The sessions that were made with the same API key. On a server without keys they cannot be listed.",
            openapi_extra={
                "parameters": [
                    _query("limit", "Number of sessions in the answer.", type="integer", minimum=1, maximum=1000, default=100),
                    _query("cursor", "Where to go on: `next` of the page before.", type="string", default=""),
                ]
            },
        ),
        "get_session": dict(
            path="/v1/sessions/{id}",
            methods=["GET"],
            response_model=SessionDescription,
            responses=problems(401, 404, 406, 422, 429, 431, 500),
            summary="Look at a session",
            description="Where it stands and what it takes. Looking counts as a use: it keeps the session alive.",
            openapi_extra={"parameters": [_ID]},
        ),
        "delete_session": dict(
            path="/v1/sessions/{id}",
            methods=["DELETE"],
            status_code=204,
            responses=problems(401, 404, 422, 429, 431, 500, 503),
            summary="End a session",
            description="Everything in it is given back. A batch under way still gets its answer.",
            openapi_extra={"parameters": [_ID]},
        ),
        "batch": dict(
            path="/v1/sessions/{id}/batch",
            methods=["POST"],
            request_model=BatchRequest,
            response_model=BatchAnswer,
            response_description="The results, and what the last instruction waits for if it does.",
            responses={
                200: {"content": BINARY},
                **problems(400, 401, 404, 406, 408, 409, 410, 413, 415, 422, 429, 431, 500, 503, 504, 507),
            },
            examples={200: examples.shown_answers(), 422: examples.shown_errors()},
            summary="Carry out instructions",
            description=_BATCH,
            openapi_extra={
                "parameters": [_ID, ENCODING, REQUEST_TIMEOUT],
                "requestBody": {"required": True, **_body(BatchRequest, binary=True, examples=examples.shown_requests())},
            },
        ),
        "get_tensor": dict(
            path="/v1/sessions/{id}/tensors/{name}",
            methods=["GET"],
            response_model=TensorAnswer,
            responses={200: {"content": BINARY}, **problems(*look)},
            summary="Look at a tensor",
            description="Its value, and what is known of its history.",
            openapi_extra={"parameters": [_ID, _NAME, ENCODING, REQUEST_TIMEOUT]},
        ),
        "get_grad": dict(
            path="/v1/sessions/{id}/tensors/{name}/grad",
            methods=["GET"],
            response_model=TensorAnswer | None,
            responses={200: {"content": BINARY}, **problems(*look)},
            summary="Look at a gradient",
            description="The gradient of a tensor; null if there is none.",
            openapi_extra={"parameters": [_ID, _NAME, ENCODING, REQUEST_TIMEOUT]},
        ),
        "get_graph": dict(
            path="/v1/sessions/{id}/tensors/{name}/graph",
            methods=["GET"],
            response_model=Graph,
            responses={
                200: {
                    "content": {
                        media: {"schema": {"type": "string"}} for media in ("text/vnd.graphviz", "text/vnd.mermaid", "image/svg+xml")
                    }
                },
                **problems(*look),
            },
            summary="Look at the graph behind a tensor",
            description="As data, in the languages of Graphviz and Mermaid, or as a picture. `format` chooses, or else the Accept header.",
            openapi_extra={"parameters": [_ID, _NAME, _query("format", "How it is written.", type="string", enum=formats, default="json")]},
        ),
    }
    return {name: {"tags": ["sessions"], **each} for name, each in facts.items()}
