"""From a problem document to the exception that torch would raise.

A problem document names in ``exception`` the type that torch raises for the same error, since neither the status nor the code tells.
Each class here is also the engine's class for such errors, and with it the builtin, so ``except RuntimeError``, ``except IndexError``
and ``except torch.linalg.LinAlgError`` catch what they catch under torch, wherever the error arose.

::

    GradwireError
    ├── ServiceError                     an answer that says no
    │   ├── ServiceRuntimeError          (TensorRuntimeError, RuntimeError)
    │   │   └── ServiceLinAlgError       (LinAlgError)
    │   ├── ServiceTypeError             (TensorTypeError, TypeError)
    │   ├── ServiceValueError            (TensorValueError, ValueError)
    │   ├── ServiceIndexError            (TensorIndexError, IndexError)
    │   ├── ServiceNotImplementedError   (TensorNotImplementedError, NotImplementedError)
    │   ├── ServiceDeviceMissing         (DeviceMissing, AssertionError)
    │   ├── ServiceLimitError            (LimitError)
    │   ├── ServiceDeadlineExceeded      (DeadlineExceeded)
    │   ├── Unauthorized                 no key, or not the right one
    │   ├── NotFound                     what was named is not there, or not any more
    │   ├── Conflict                     not what the session, or a change, expects
    │   └── Unavailable                  too busy, stopping, or not reached by the gateway in front
    └── TransportError                   no answer: see gradwire.transport
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from gradwire_engine.errors import (
    DeadlineExceeded,
    DeviceMissing,
    GradwireError,
    LimitError,
    LinAlgError,
    TensorIndexError,
    TensorNotImplementedError,
    TensorRuntimeError,
    TensorTypeError,
    TensorValueError,
)

from .transport import Response


class ServiceError(GradwireError):
    """An answer that says no.

    Attributes:
        status: The HTTP status, in this process too.
        request_id: The id under which the server's log speaks of the request, if there is a server.
        results: What the instructions before the failed one answered, if an instruction of a batch failed.
        instruction: The position of the failed instruction, if one failed.
    """

    status: int = 0
    request_id: str | None = None
    results: list[Any] | None = None
    instruction: int | None = None


class ServiceRuntimeError(ServiceError, TensorRuntimeError):
    """An operation that cannot be carried out, or a graph that cannot be walked."""


class ServiceLinAlgError(ServiceRuntimeError, LinAlgError):
    """A matrix that an algorithm of linear algebra cannot handle."""


class ServiceTypeError(ServiceError, TensorTypeError):
    """An argument of the wrong type, or too many or too few of them."""


class ServiceValueError(ServiceError, TensorValueError):
    """An argument of the right type with a value that is not allowed, or a document that is not well formed."""


class ServiceIndexError(ServiceError, TensorIndexError):
    """A dimension or an index out of range."""


class ServiceNotImplementedError(ServiceError, TensorNotImplementedError):
    """A derivative or a dtype that an operation does not have."""


class ServiceDeviceMissing(ServiceError, DeviceMissing):
    """A device that there is none of."""


class ServiceLimitError(ServiceError, LimitError):
    """Work that is larger than the limits allow; none of it was done."""


class ServiceDeadlineExceeded(ServiceError, DeadlineExceeded):
    """A computation that ran out of time."""


class Unauthorized(ServiceError):
    """No API key, or not one that may do this."""


class NotFound(ServiceError):
    """Something that is not there: never, or not any more."""


class Conflict(ServiceError):
    """A batch or a resume that is not what the session expects next, or a function that is not what a change of it expects."""


class Unavailable(ServiceError):
    """A server that is too busy or about to stop, or a gateway that does not reach it."""


_BY_EXCEPTION: Final[dict[str, type[ServiceError]]] = {
    "RuntimeError": ServiceRuntimeError,
    "LinAlgError": ServiceLinAlgError,
    "TypeError": ServiceTypeError,
    "ValueError": ServiceValueError,
    "IndexError": ServiceIndexError,
    "NotImplementedError": ServiceNotImplementedError,
    "AssertionError": ServiceDeviceMissing,
}
# What torch does not have.
_BY_STATUS: Final[dict[int, type[ServiceError]]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    413: ServiceLimitError,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: ServiceDeadlineExceeded,
    507: ServiceLimitError,
}
# Status 422 is for all that is understood and wrong: what torch raises too, work that is too large, and these.
_PARAMETERS: Final = frozenset({"invalid_parameter", "unknown_parameter"})


def error_of(response: Response) -> ServiceError:
    """The exception for an answer that says no, not yet raised."""
    if not isinstance(response.document, Mapping) or "code" not in response.document:
        return _foreign(response)
    problem = response.document
    kind = _kind_of(problem, response.status)
    error = kind(str(problem.get("detail", "")), code=str(problem["code"]), pointer=problem.get("pointer"))
    error.status = response.status
    error.request_id = problem.get("request_id")
    error.results = problem.get("results")
    error.instruction = problem.get("instruction")
    error.line, error.column = problem.get("line"), problem.get("column")
    return error


def _kind_of(problem: Mapping[str, Any], status: int) -> type[ServiceError]:
    raised = problem.get("exception")
    if raised is not None:
        # A type that is not known here comes from a server that is newer.
        return _BY_EXCEPTION.get(raised, ServiceError)
    if status == 422 and problem["code"] not in _PARAMETERS:
        return ServiceLimitError
    return _BY_STATUS.get(status, ServiceError)


def _foreign(response: Response) -> ServiceError:
    """The exception for an error that does not come from Gradwire but from something in front of it."""
    try:
        phrase = f"{response.status} {HTTPStatus(response.status).phrase}"
    except ValueError:
        phrase = str(response.status)
    said = "" if response.document is None else f": {str(response.document).strip()[:200]!r}"
    # A gateway that ran out of patience knows nothing of deadlines.
    kind = Unavailable if response.status == 504 else _BY_STATUS.get(response.status, ServiceError)
    error = kind(f"The answer was {phrase}, and not one of Gradwire's{said}.", code=f"http_{response.status}")
    error.status = response.status
    return error
