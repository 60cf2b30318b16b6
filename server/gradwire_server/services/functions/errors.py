"""What can be wrong with the use of functions, beside what can be wrong with a program."""

from __future__ import annotations

from gradwire_engine.errors import GradwireError


class UnknownFunction(GradwireError):
    """A function, or a version of one, that is not there, or is another caller's."""

    code = "unknown_function"


class PreconditionFailed(GradwireError):
    """A change that was asked for under a condition which does not hold.

    Args:
        detail: A complete sentence for the reader.
        current: The hash of the version that there is, ``None`` where there is none.
    """

    code = "precondition_failed"

    def __init__(self, detail: str, current: str | None) -> None:
        super().__init__(detail)
        self.members = {} if current is None else {"hash": current}
        self.headers = {} if current is None else {"ETag": f'"{current}"'}


class CurrentVersion(GradwireError):
    """The current version of a function, which cannot be deleted apart from it."""

    code = "current_version"


class TooManyFunctions(GradwireError):
    """More functions, or longer ones together, than are kept."""

    code = "too_many_functions"
