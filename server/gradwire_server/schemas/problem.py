"""What an error looks like."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from ..errors import PROBLEM_TYPE, title_of


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Unprocessable Content",
                "status": 422,
                "detail": "There is no operation 'mull'. Did you mean 'mul'?",
                "code": "unknown_op",
                "pointer": "/nodes/0/op",
                "request_id": "9f0c1f5cbd8e4b1c8d1a6b0f6f0d7a52",
            }
        }
    )

    type: str = Field(description="Always `about:blank`: `code` says which error it is.")
    title: str = Field(description="HTTP's phrase for the status.")
    status: int = Field(description="The HTTP status once more.")
    detail: str = Field(description="A sentence for people, in PyTorch's words where PyTorch has the same error.")
    code: str = Field(description="A stable identifier for programs.")
    pointer: str | None = Field(description="A JSON pointer (RFC 6901) to the place in the request's document, if there is one.")
    request_id: str = Field(description="The id under which the server's log speaks of this request.")


_MEANING: Final = {
    400: "The body is not JSON (`malformed_json`).",
    401: "There is no API key, or it is not known (`unauthorized`). Only on servers with keys.",
    404: "There is nothing of that name (`not_found`, `unknown_op`).",
    406: "The Accept header rules out JSON (`not_acceptable`).",
    408: "The body did not arrive in time (`body_timeout`).",
    413: "The body is larger than the limit (`body_too_large`).",
    415: "The body is not `application/json` (`unsupported_media_type`).",
    422: "The request is understood and wrong: the program (`invalid_program`, `unknown_op`, `runtime_error`, `type_error`, ...), its size "
    "(`tensor_too_large`, `program_too_large`, `too_many_nodes`), or a parameter (`unknown_parameter`, `invalid_parameter`).",
    429: "The server is working on as many requests as it takes (`too_many_requests`); Retry-After says when to try again.",
    500: "The server failed (`internal_error`); its log has the reason under the request id.",
    503: "The server is shutting down (`draining`), or is out of memory (`out_of_memory`).",
    504: "The time allowed for the request is over (`deadline_exceeded`).",
}


_CODES: Final = {
    400: ("malformed_json", "The body is no valid JSON: unexpected character at line 1, column 12."),
    401: ("unauthorized", "This server needs an API key. Send it as: Authorization: Bearer <key>."),
    404: ("not_found", "There is nothing at /v1/nothing."),
    406: ("not_acceptable", "This call answers application/json, which the Accept header rules out."),
    408: ("body_timeout", "The body did not arrive within 30 seconds."),
    413: ("body_too_large", "A request body may have at most 67108864 bytes, but this one has 200000000."),
    415: ("unsupported_media_type", "The body must be application/json, not text/plain."),
    422: ("unknown_op", "There is no operation 'mull'. Did you mean 'mul'?"),
    429: ("too_many_requests", "The server is already working on 256 requests, its limit. Try again in a second."),
    500: ("internal_error", "The server failed to answer this request. The failure is in its log under the request id."),
    503: ("draining", "The server is shutting down. Send the request again in a moment."),
    504: ("deadline_exceeded", "The request was stopped after 30 seconds, the time that was allowed for it."),
}


def _example(status: int) -> dict[str, Any]:
    code, detail = _CODES[status]
    pointer = "/nodes/0/op" if status == 422 else None
    problem = {"type": "about:blank", "title": title_of(status), "status": status, "detail": detail, "code": code, "pointer": pointer}
    return {**problem, "request_id": "9f0c1f5cbd8e4b1c8d1a6b0f6f0d7a52"}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may answer with these error statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": f"{title_of(status)}. {_MEANING[status]}",
            "content": {PROBLEM_TYPE: {"schema": schema, "example": _example(status)}},
        }
        for status in statuses
    }
