"""Which exception becomes which answer: the one table, and the body that every error has (RFC 9457).

An exception that is in no row of the table is a failure of the server: status 500, the traceback in the log and not in the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gradwire_engine.errors import Cancelled, DeadlineExceeded, GradwireError, LimitError

from .wire import MalformedJson

PROBLEM_TYPE: Final = "application/problem+json"
Headers = dict[str, str]


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


class BodyTimeout(RequestError):
    """A body that did not arrive within the time allowed for the request."""

    code = "body_timeout"


class BodyTooLarge(RequestError):
    """A body over the limit, whether it was announced or simply kept coming."""

    code = "body_too_large"

    def __init__(self, limit: int, announced: str | None = None) -> None:
        what = "is larger than that" if announced is None or len(announced) > 18 else f"has {announced}"
        super().__init__(f"A request body may have at most {limit} bytes, but this one {what}.")


class UnsupportedMediaType(RequestError):
    """A body in a format or an encoding that the path does not take."""

    code = "unsupported_media_type"


class InvalidParameter(RequestError):
    """A query parameter or a header with a value that is not allowed, or a query parameter that does not exist."""

    code = "invalid_parameter"


class TooManyRequests(RequestError):
    """More requests at a time than the process takes."""

    code = "too_many_requests"

    def __init__(self, limit: int) -> None:
        detail = f"The server is already working on {limit} requests, its limit. Try again in a second."
        super().__init__(detail, headers={"Retry-After": "1"})


class ServerDraining(RequestError):
    """A server that is about to stop."""

    code = "draining"

    def __init__(self) -> None:
        super().__init__("The server is shutting down. Send the request again in a moment.", headers={"Retry-After": "1"})


# The closest class in an exception's method resolution order decides. 499 is what proxies log for a caller who hung up: nobody reads it.
STATUSES: Final[dict[type[Exception], int]] = {
    MalformedJson: 400,
    Unauthorized: 401,
    NotFound: 404,
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    BodyTimeout: 408,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    InvalidParameter: 422,
    RequestValidationError: 422,
    LimitError: 422,
    GradwireError: 422,
    TooManyRequests: 429,
    Cancelled: 499,
    ServerDraining: 503,
    MemoryError: 503,
    DeadlineExceeded: 504,
}


# The errors by which the server protects itself, as opposed to those that are in the request.
_REFUSALS: Final = (Unauthorized, BodyTimeout, BodyTooLarge, LimitError, TooManyRequests, ServerDraining, DeadlineExceeded)


def refusal_of(error: Exception) -> str | None:
    """Why a request was refused, if ``error`` is such a refusal; one of few words, whatever the error's own code."""
    return next((kind.code for kind in _REFUSALS if isinstance(error, kind)), None)


# The phrases of RFC 9110 where older versions of Python have those before it, and one that is in no RFC.
_TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content", 499: "Client Closed Request"}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it is answered.

    Attributes:
        status: The HTTP status.
        code: The stable identifier.
        detail: A complete sentence for the reader.
        pointer: A JSON pointer into the request's document, if the error is in one place of it.
        headers: Headers beside the content type.
        unexpected: Whether this is a failure of the server, to be logged with its traceback.
    """

    status: int
    code: str
    detail: str
    pointer: str | None
    headers: Headers
    unexpected: bool

    @classmethod
    def of(cls, error: Exception) -> Problem:
        """Looks ``error`` up in the table."""
        if isinstance(error, HTTPException):
            return cls(error.status_code, _code_of(error.status_code), str(error.detail), None, dict(error.headers or {}), False)
        status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)
        if isinstance(error, GradwireError):
            return cls(status, error.code, error.detail, error.pointer, getattr(error, "headers", {}), status == 500)
        if isinstance(error, RequestValidationError):
            return cls(status, *_first_complaint(error), None, {}, False)
        if isinstance(error, MemoryError):
            detail = "The server does not have the memory for this program at the moment."
            return cls(status, "out_of_memory", detail, None, {"Retry-After": "1"}, True)
        detail = "The server failed to answer this request. The failure is in its log under the request id."
        return cls(status, "internal_error", detail, None, {}, True)

    def document(self, request_id: str | None = None) -> dict[str, Any]:
        """The members of the body; without a request id where there is no request."""
        document = {
            "type": "about:blank",
            "title": title_of(self.status),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "pointer": self.pointer,
        }
        return document if request_id is None else {**document, "request_id": request_id}

    def body(self, request_id: str | None = None) -> bytes:
        """The body in JSON."""
        # A message may quote text of the caller's that is no valid Unicode, such as half of a surrogate pair.
        document = self.document(request_id)
        try:
            return orjson.dumps(document)
        except orjson.JSONEncodeError:
            document["detail"] = self.detail.encode("utf-8", "backslashreplace").decode()
            document["pointer"] = self.pointer and self.pointer.encode("utf-8", "backslashreplace").decode()
            return orjson.dumps(document)


def title_of(status: int) -> str:
    """The phrase that HTTP has for ``status``, whatever the version of Python."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def _code_of(status: int) -> str:
    return title_of(status).lower().replace(" ", "_").replace("-", "_").replace("'", "")


def _first_complaint(error: RequestValidationError) -> tuple[str, str]:
    complaint = error.errors()[0]
    place, *names = complaint["loc"]
    name = ".".join(map(str, names))
    if complaint["type"] == "extra_forbidden":
        return "unknown_parameter", f"There is no {place} parameter {name!r}."
    return InvalidParameter.code, f"The {place} parameter {name!r} is not valid: {complaint['msg']}; got {complaint['input']!r}."
