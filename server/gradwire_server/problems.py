"""Which exception becomes which problem document (RFC 9457), as far as it is not about HTTP.

The table of statuses and the members of the document are the same for an answer over HTTP and for a client in the same process.
An exception that is in no row is a failure of the server: status 500, its traceback in the log and not in the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar, Final

from gradwire_engine.errors import Cancelled, DeadlineExceeded, GradwireError, LimitError, LinAlgError

from .services.functions.errors import CurrentVersion, PreconditionFailed, TooManyFunctions, UnknownFunction
from .services.sessions.errors import (
    ListingNeedsKeys,
    NoSuspension,
    NotInnermost,
    SequenceConflict,
    SessionBusy,
    SessionMemory,
    SuspensionExpired,
    TooManySessions,
    UnknownSession,
)

Headers = dict[str, str]

# The closest class in an exception's method resolution order decides. 499 is what proxies log for a caller who hung up: nobody reads it.
STATUSES: Final[dict[type[Exception], int]] = {
    ListingNeedsKeys: 403,
    UnknownSession: 404,
    NoSuspension: 404,
    UnknownFunction: 404,
    CurrentVersion: 409,
    NotInnermost: 409,
    SequenceConflict: 409,
    SuspensionExpired: 410,
    PreconditionFailed: 412,
    LimitError: 422,
    GradwireError: 422,
    SessionBusy: 429,
    TooManySessions: 429,
    Cancelled: 499,
    MemoryError: 503,
    DeadlineExceeded: 504,
    SessionMemory: 507,
    TooManyFunctions: 507,
}

# The phrases of RFC 9110 where older versions of Python have those before it, and one that is in no RFC.
_TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content", 499: "Client Closed Request"}

# The builtins that torch raises, beside its own for linear algebra.
_RAISED: Final = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, AssertionError)


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
        exception: What a client in Python raises, as torch does: ``"RuntimeError"``, ``"LinAlgError"``; ``None`` where torch has no such
            error.
        members: Further members of the document.
    """

    statuses: ClassVar[Mapping[type[Exception], int]] = STATUSES

    status: int
    code: str
    detail: str
    pointer: str | None
    headers: Headers
    unexpected: bool
    exception: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, error: Exception) -> Problem:
        """Looks ``error`` up in the table."""
        status = next((cls.statuses[kind] for kind in type(error).__mro__ if kind in cls.statuses), 500)
        if isinstance(error, GradwireError):
            headers, members = getattr(error, "headers", {}), getattr(error, "members", {})
            if error.line is not None:
                members = {**members, "line": error.line, "column": error.column}
            return cls(status, error.code, error.detail, error.pointer, headers, status == 500, exception_of(error), members)
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
            "exception": self.exception,
            **self.members,
        }
        return document if request_id is None else {**document, "request_id": request_id}


def title_of(status: int) -> str:
    """The phrase that HTTP has for ``status``, whatever the version of Python."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def exception_of(error: GradwireError) -> str | None:
    """The exception that a client in Python raises for ``error``, by its name; ``None`` where torch has no such error."""
    if isinstance(error, LinAlgError):
        return "LinAlgError"
    if isinstance(error, LimitError):
        return None  # torch has no limits but memory
    return next((kind.__name__ for kind in type(error).__mro__ if kind in _RAISED), None)
