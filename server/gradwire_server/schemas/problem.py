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
                "exception": "ValueError",
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
    exception: str | None = Field(
        description="The exception that a client in Python raises, as PyTorch does: `RuntimeError`, `LinAlgError`; null if there is none."
    )
    seq: int = Field(
        default=0,
        description="Only where an instruction of a batch failed: the number of the batch, which is used up. Without it nothing was done.",
    )
    instruction: int = Field(default=0, description="With `seq`: the number of the instruction. What came before it stands.")
    results: list[Any] = Field(default=[], description="With `seq`: the results of the instructions before it.")
    expected: int = Field(default=0, description="Only with `seq_gap` and `seq_reused`: the number of the next batch.")
    hash: str = Field(default="", description="Only with `precondition_failed`: the current version of the function, if there is one.")
    line: int = Field(
        default=0, description="Only where the error is in a text, a program's or a body that is no JSON: the line, counted from 1."
    )
    column: int = Field(default=0, description="With `line`: the character in it, counted from 1.")
    request_id: str = Field(description="The id under which the server's log speaks of this request.")


_MEANING: Final = {
    400: "The body is not JSON (`malformed_json`), or the request is not HTTP (`malformed_request`).",
    401: "There is no API key, or it is not known (`unauthorized`). Only on servers with keys.",
    403: "The server has no API keys, so that it cannot tell whose sessions these are (`listing_needs_keys`).",
    404: "There is nothing of that name (`not_found`, `unknown_op`, `unknown_session`, `unknown_function`, `undefined_name`, "
    "`no_suspension`).",
    406: "The Accept header rules out what the call answers with (`not_acceptable`): JSON and, where the call gives tensors, safetensors.",
    408: "The body did not arrive in time (`body_timeout`).",
    409: "The batch is not the next one (`seq_gap`), or its number was used by another one (`seq_reused`): `expected` is the right one. Or "
    "another suspension has to be answered first (`not_innermost`). Or the version of a function is its current one (`current_version`).",
    410: "The answer to a suspension came too late (`suspension_expired`).",
    412: "The function has another version than `If-Match` or `If-None-Match` allow (`precondition_failed`): `hash` is the current one.",
    413: "The body is larger than the limit (`body_too_large`), or holds more values (`too_many_values`): send tensors in base64.",
    415: "The body is of another type than the call takes (`unsupported_media_type`): `application/json` and, where it takes tensors, "
    "`application/x-safetensors`; or it is compressed in another way than gzip or zstd.",
    422: "The request is understood and wrong: the program (`invalid_program`, `unknown_op`, `runtime_error`, `type_error`, ...), its size "
    "(`tensor_too_large`, `program_too_large`, `too_many_nodes`, `answer_too_large`), or a parameter (`unknown_parameter`, "
    "`invalid_parameter`).",
    429: "The server is working on as many requests as it takes (`too_many_requests`), has as many sessions (`too_many_sessions`), or as "
    "many calls wait for the session as may (`session_busy`); Retry-After says when to try again.",
    431: "The first line and the headers are larger than the limit (`headers_too_large`).",
    500: "The server failed (`internal_error`); its log has the reason under the request id.",
    501: "The server runs in several processes, which share no sessions (`sessions_need_one_process`), and functions only in a data "
    "directory (`functions_need_directory`).",
    503: "The server is shutting down (`draining`), is out of memory (`out_of_memory`), or holds as many bytes of bodies as it may "
    "(`too_many_bytes`).",
    504: "The time allowed for the request is over (`deadline_exceeded`).",
    507: "The session, or all of them together, would need more memory than they may take (`session_memory`, `sessions_memory`). "
    "Or there are as many functions as are kept (`too_many_functions`).",
}


_CODES: Final = {
    400: ("malformed_json", "The body is no valid JSON: unexpected character at line 1, column 12."),
    401: ("unauthorized", "This server needs an API key. Send it as: Authorization: Bearer <key>."),
    403: ("listing_needs_keys", "Sessions can only be listed on a server with API keys."),
    404: ("not_found", "There is nothing at /v1/nothing."),
    406: ("not_acceptable", "The answer is application/json or application/x-safetensors, which the Accept header 'text/html' rules out."),
    408: ("body_timeout", "The body did not arrive within 30 seconds."),
    409: ("seq_gap", "The next batch of this session has the number 4, but this one has 6."),
    410: ("suspension_expired", "The answer to 's1' did not come within 60 seconds, so its backward pass was ended."),
    412: ("precondition_failed", "If-None-Match rules out the version that the function has."),
    413: ("body_too_large", "A request body may have at most 67108864 bytes, but this one has 200000000."),
    415: (
        "unsupported_media_type",
        "The Content-Type of the body must be application/json or application/x-safetensors; got 'text/plain'.",
    ),
    422: ("unknown_op", "There is no operation 'mull'. Did you mean 'mul'?"),
    429: ("too_many_requests", "The server is already working on 256 requests, its limit. Try again in a second."),
    431: ("headers_too_large", "The first line and the headers of a request may have at most 65536 bytes, but these have more."),
    500: ("internal_error", "The server failed to answer this request. The failure is in its log under the request id."),
    501: (
        "sessions_need_one_process",
        "This server runs in 4 processes, which share no sessions. Start it with --workers 1 (GRADWIRE_WORKERS).",
    ),
    503: ("draining", "The server is shutting down. Send the request again in a moment."),
    504: ("deadline_exceeded", "The request was stopped after 30 seconds, the time that was allowed for it."),
    507: ("session_memory", "The result of mul would bring the session to 1,073,745,920 bytes, more than the 1,073,741,824 bytes allowed."),
}


def _example(status: int) -> dict[str, Any]:
    code, detail = _CODES[status]
    pointer = "/nodes/0/op" if status == 422 else None
    problem = {"type": "about:blank", "title": title_of(status), "status": status, "detail": detail, "code": code, "pointer": pointer}
    problem["exception"] = "ValueError" if status == 422 else None
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
