"""Every exception that the engine raises on purpose.

::

    GradwireError
    ├── TensorRuntimeError         (RuntimeError)
    │   └── LinAlgError
    ├── TensorTypeError            (TypeError)
    │   └── ValueNeeded
    ├── TensorValueError           (ValueError)
    ├── TensorIndexError           (IndexError)
    ├── TensorNotImplementedError  (NotImplementedError)
    ├── ProgramError               (ValueError)
    ├── LimitError
    └── Stopped
        ├── DeadlineExceeded
        └── Cancelled

Each class is also the builtin that PyTorch raises in the same place, so ``except RuntimeError`` works as it does there.
``code`` is a stable identifier for machines, ``pointer`` a JSON pointer (RFC 6901) into the document that caused the error.
Anything else that leaves the engine is a bug in the engine, and the server answers it with status 500.
"""

from __future__ import annotations


class GradwireError(Exception):
    """Base of the engine's exceptions.

    Args:
        detail: A complete sentence for the reader, in torch's wording where torch has one.
        code: A stable identifier; the class's own when left out.
        pointer: A JSON pointer into the caller's document, when there is one.
    """

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code
        self.pointer = pointer

    def at(self, prefix: str) -> GradwireError:
        """Prepends ``prefix`` to the pointer, as the error travels outwards through a document, and returns the error."""
        self.pointer = prefix + (self.pointer or "")
        return self


class TensorRuntimeError(GradwireError, RuntimeError):
    """An operation that cannot be carried out, or a graph that cannot be walked."""

    code = "runtime_error"


class LinAlgError(TensorRuntimeError):
    """A matrix that an algorithm of linear algebra cannot handle (``torch.linalg.LinAlgError``)."""

    code = "linalg_error"


class TensorTypeError(GradwireError, TypeError):
    """An argument of the wrong type, or too many or too few of them."""

    code = "type_error"


class ValueNeeded(TensorTypeError):
    """A look at the elements of a symbolic tensor, which has none."""

    code = "value_needed"


class TensorValueError(GradwireError, ValueError):
    """An argument of the right type with a value that is not allowed."""

    code = "value_error"


class TensorIndexError(GradwireError, IndexError):
    """A dimension or an index out of range."""

    code = "index_error"


class TensorNotImplementedError(GradwireError, NotImplementedError):
    """A derivative or a dtype that an operation does not have."""

    code = "not_implemented"


class ProgramError(GradwireError, ValueError):
    """A program, or a tensor in JSON, that is not well formed."""

    code = "invalid_program"


class LimitError(GradwireError):
    """Work that is larger than the limits allow; raised before any of it is done."""

    code = "limit_exceeded"


class Stopped(GradwireError):
    """A computation that was stopped between two operations."""

    code = "stopped"


class DeadlineExceeded(Stopped):
    """A computation that ran out of time."""

    code = "deadline_exceeded"


class Cancelled(Stopped):
    """A computation whose caller has gone away."""

    code = "cancelled"
