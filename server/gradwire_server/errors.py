"""Which exception becomes which answer: the one table, and the body that every error has (RFC 9457).

An exception that is in no row of the table is a failure of the server: status 500, the traceback in the log and not in the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gradwire_engine.errors import DeadlineExceeded, GradwireError, LimitError
from gradwire_engine.safetensors import MalformedSafetensors

from . import problems
from .problems import Headers
from .problems import title_of as title_of
from .services.functions.errors import TooManyFunctions
from .services.sessions.errors import SessionBusy, TooManySessions
from .wire import MalformedJson, TooManyValues

PROBLEM_TYPE: Final = "application/problem+json"
REFUSED: Final = "refused"
"""Where the HTTP server leaves, in the state of a request that it could not read, the error to answer it with."""


class RequestError(GradwireError):
    """Something about the HTTP exchange that is not as it must be, as opposed to the document that it carries.

    Args:
        detail: A complete sentence for the reader.
        code: A stable identifier; the class's own when left out.
        headers: Headers that the answer needs, such as ``Allow``.
    """

    def __init__(self, detail: str, *, code: str | None = None, headers: Headers | None = None) -> None:
        super().__init__(detail, code=code)
        self.headers = headers or {}


class Unauthorized(RequestError):
    """No API key, or one that is not known."""

    code = "unauthorized"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="gradwire"'})


class NotFound(RequestError):
    """A path, or a name within a path, that leads nowhere."""

    code = "not_found"


class MethodNotAllowed(RequestError):
    """A method that the path does not have."""

    code = "method_not_allowed"

    def __init__(self, method: str, path: str, allowed: Iterable[str]) -> None:
        names = ", ".join(sorted(allowed))
        super().__init__(f"{path} does not answer {method}, only {names}.", headers={"Allow": names})


class NotAcceptable(RequestError):
    """An Accept header that no representation of the answer satisfies."""

    code = "not_acceptable"


class MalformedRequest(RequestError):
    """Bytes that are no HTTP request."""

    code = "malformed_request"


class HeadersTooLarge(RequestError):
    """A first line and headers over the limit."""

    code = "headers_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The first line and the headers of a request may have at most {limit} bytes, but these have more.")


class HeaderTimeout(RequestError):
    """Headers that did not arrive within the time allowed for them."""

    code = "header_timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The headers of the request did not arrive within {seconds:g} seconds.")


class BodyTimeout(RequestError):
    """A body that did not arrive within the time allowed for the request."""

    code = "body_timeout"


class BodyTooLarge(RequestError):
    """A body over the limit, whether it was announced or simply kept coming."""

    code = "body_too_large"

    def __init__(self, limit: int, announced: str | None = None, *, decompressed: bool = False) -> None:
        what = "is larger than that" if announced is None or len(announced) > 18 else f"has {announced}"
        what += ", decompressed" if decompressed else ""
        super().__init__(f"A request body may have at most {limit} bytes, but this one {what}.")


class TooManyBytes(RequestError):
    """More bytes of bodies at a time than the process holds."""

    code = "too_many_bytes"

    def __init__(self, limit: int) -> None:
        detail = f"The server already holds request bodies of {limit} bytes, its limit, or nearly so. Try again in a second."
        super().__init__(detail, headers={"Retry-After": "1"})


class UnsupportedMediaType(RequestError):
    """A body in a format or an encoding that the path does not take."""

    code = "unsupported_media_type"


class MalformedCompression(RequestError):
    """A body that is not compressed as its Content-Encoding says, or is cut off."""

    code = "malformed_compression"


class InvalidParameter(RequestError):
    """A query parameter or a header with a value that is not allowed, or a query parameter that does not exist."""

    code = "invalid_parameter"


class TooManyRequests(RequestError):
    """More requests at a time than the process takes."""

    code = "too_many_requests"

    def __init__(self, limit: int) -> None:
        detail = f"The server is already working on {limit} requests, its limit. Try again in a second."
        super().__init__(detail, headers={"Retry-After": "1"})


class SessionsNeedOneProcess(RequestError):
    """A session asked of several processes: the next request would reach another one, which does not have it."""

    code = "sessions_need_one_process"

    def __init__(self, workers: int) -> None:
        super().__init__(f"This server runs in {workers} processes, which share no sessions. Start it with --workers 1 (GRADWIRE_WORKERS).")


class FunctionsNeedDirectory(RequestError):
    """A function for several processes that have no place where all of them would find it."""

    code = "functions_need_directory"

    def __init__(self, workers: int) -> None:
        super().__init__(
            f"This server runs in {workers} processes, which share functions only in a data directory. "
            "Start it with --data-dir (GRADWIRE_DATA_DIR)."
        )


class ServerDraining(RequestError):
    """A server that is about to stop."""

    code = "draining"

    def __init__(self) -> None:
        super().__init__("The server is shutting down. Send the request again in a moment.", headers={"Retry-After": "1"})


# What is about HTTP, beside what the documents of requests may have wrong with them.
STATUSES: Final[dict[type[Exception], int]] = {
    **problems.STATUSES,
    MalformedCompression: 400,
    MalformedJson: 400,
    MalformedRequest: 400,
    MalformedSafetensors: 400,
    Unauthorized: 401,
    NotFound: 404,
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    BodyTimeout: 408,
    HeaderTimeout: 408,
    BodyTooLarge: 413,
    TooManyValues: 413,
    UnsupportedMediaType: 415,
    InvalidParameter: 422,
    RequestValidationError: 422,
    TooManyRequests: 429,
    HeadersTooLarge: 431,
    SessionsNeedOneProcess: 501,
    FunctionsNeedDirectory: 501,
    ServerDraining: 503,
    TooManyBytes: 503,
}


# The errors by which the server protects itself, as opposed to those that are in the request.
_REFUSALS: Final = (
    Unauthorized,
    HeadersTooLarge,
    HeaderTimeout,
    BodyTimeout,
    BodyTooLarge,
    TooManyBytes,
    LimitError,
    TooManyRequests,
    TooManySessions,
    SessionBusy,
    TooManyFunctions,
    ServerDraining,
    DeadlineExceeded,
)


def refusal_of(error: Exception) -> str | None:
    """Why a request was refused, if ``error`` is such a refusal; one of few words, whatever the error's own code."""
    return next((kind.code for kind in _REFUSALS if isinstance(error, kind)), None)


@dataclass(frozen=True, slots=True)
class Problem(problems.Problem):
    """An error as it is answered over HTTP."""

    statuses: ClassVar[Mapping[type[Exception], int]] = STATUSES

    @classmethod
    def of(cls, error: Exception) -> Problem:
        """Looks ``error`` up in the table."""
        if isinstance(error, HTTPException):
            return cls(error.status_code, _code_of(error.status_code), str(error.detail), None, dict(error.headers or {}), False)
        if isinstance(error, RequestValidationError):
            return cls(STATUSES[RequestValidationError], *_first_complaint(error), None, {}, False)
        return cast(Problem, super(Problem, cls).of(error))

    def body(self, request_id: str | None = None) -> bytes:
        """The body in JSON."""
        return orjson.dumps(readable(self.document(request_id)))


def readable(document: dict[str, Any]) -> dict[str, Any]:
    """A problem document whose sentences can be written."""
    # A message may quote text of the caller's that is no valid Unicode, such as half of a surrogate pair.
    texts = {name: document[name] for name in ("detail", "pointer") if document[name] is not None}
    return {**document, **{name: text.encode("utf-8", "backslashreplace").decode() for name, text in texts.items()}}


def _code_of(status: int) -> str:
    return title_of(status).lower().replace(" ", "_").replace("-", "_").replace("'", "")


def _first_complaint(error: RequestValidationError) -> tuple[str, str]:
    complaint = error.errors()[0]
    place, *names = complaint["loc"]
    name = ".".join(map(str, names))
    if complaint["type"] == "extra_forbidden":
        return "unknown_parameter", f"There is no {place} parameter {name!r}."
    return InvalidParameter.code, f"The {place} parameter {name!r} is not valid: {complaint['msg']}; got {complaint['input']!r}."
