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
    ├── DeviceMissing              (AssertionError)
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

from typing import Final

_LONGEST: Final = 2_000


class GradwireError(Exception):
    """Base of the engine's exceptions.

    Args:
        detail: A complete sentence for the reader, in torch's wording where torch has one; its middle is left out where it
            quotes so much that nobody would read it.
        code: A stable identifier; the class's own when left out.
        pointer: A JSON pointer into the caller's document, when there is one.

    Attributes:
        line: The line of a program's text that the error is in, counted from 1; ``None`` if it is in none.
        column: The character in that line, counted from 1.
    """

    code = "error"
    line: int | None = None
    column: int | None = None

    def __init__(self, detail: str, *, code: str | None = None, pointer: str | None = None) -> None:
        if len(detail) > _LONGEST:
            detail = f"{detail[: _LONGEST // 2]} ... {detail[-_LONGEST // 4 :]}"
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
    _argument: tuple[str, str, int | None, str, str] | None = None

    @classmethod
    def of_argument(cls, function: str, name: str, position: int | None, expected: str, got: str) -> TensorTypeError:
        """The error for one argument, in torch's words.

        Args:
            function: The name of the function that is called.
            name: The name of the parameter.
            position: Its position, counted from 1; ``None`` if it can only be given by name.
            expected: What it has to be.
            got: The name of the type that it has.
        """
        place = "" if position is None else f" (position {position})"
        text = f"{function}(): argument '{name}'{place} must be {expected}, not {got}"
        error = TensorTypeError(text, code="argument_type", pointer=f"/{name}")
        error._argument = function, name, position, expected, got
        return error

    def of_method(self, function: str, method: str, receiver: int) -> TensorTypeError:
        """The error as a method has it, which does not count the tensor that it is called on; itself if it is not about an argument.

        Args:
            function: The function that the method calls; what that calls in turn counts as functions do.
            method: The name of the method.
            receiver: The position of the tensor in the function.
        """
        if self._argument is None or self._argument[0] != function:
            return self
        _, name, position, expected, got = self._argument
        counted = position - 1 if position is not None and position > receiver else position
        return self.of_argument(method, name, counted, expected, got)


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


class DeviceMissing(GradwireError, AssertionError):
    """A device that there is none of, asked for in a way that torch answers with an ``AssertionError``."""

    code = "unknown_device"


class ProgramError(GradwireError, ValueError):
    """A program, or a tensor in JSON, that is not well formed."""

    code = "invalid_program"


class LimitError(GradwireError, RuntimeError):
    """Work that is larger than the limits allow; raised before any of it is done. In torch it is what memory refuses."""

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
