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


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may answer with these error statuses."""
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": f"{title_of(status)}. {_MEANING[status]}", "content": content} for status in statuses}
