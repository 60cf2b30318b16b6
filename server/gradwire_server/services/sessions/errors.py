"""What can be wrong with the use of a session, beside what can be wrong with an instruction."""

from __future__ import annotations

from typing import Any

from gradwire_engine.errors import GradwireError, LimitError


class SessionError(GradwireError):
    """Base of these errors.

    Args:
        detail: A complete sentence for the reader.
        code: A stable identifier; the class's own when left out.
        pointer: A JSON pointer into the caller's document, when there is one.
        members: What else a machine may want to know, as further members of the problem.
        headers: Headers that the answer needs, such as ``Retry-After``.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        pointer: str | None = None,
        members: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail, code=code, pointer=pointer)
        self.members = members or {}
        self.headers = headers or {}


class UnknownSession(SessionError):
    """A session that is not there, or is another caller's."""

    code = "unknown_session"

    def __init__(self) -> None:
        super().__init__("There is no such session. It may have expired or been deleted, or another API key made it.")


class ListingNeedsKeys(SessionError):
    """A list of sessions, asked for by someone who cannot be told from others."""

    code = "listing_needs_keys"

    def __init__(self) -> None:
        super().__init__("Sessions can only be listed on a server with API keys, because everyone may use a session whose id they know.")


class SequenceConflict(SessionError):
    """A ``seq`` that is neither the next one nor that of the last batch, or the last one with another body."""


class SessionBusy(SessionError):
    """More calls at a time than may wait for one session."""

    code = "session_busy"

    def __init__(self, limit: int) -> None:
        detail = f"The session is at work, and {limit} calls are waiting for it already, its limit. Try again in a second."
        super().__init__(detail, headers={"Retry-After": "1"})


class TooManySessions(SessionError):
    """More sessions than the process takes."""

    code = "too_many_sessions"

    def __init__(self, limit: int) -> None:
        detail = f"The server already has {limit} sessions, its limit. Delete one, or try again when another has expired."
        super().__init__(detail, headers={"Retry-After": "10"})


class SessionMemory(LimitError):
    """A session, or all of them together, that would need more memory than they may take."""

    code = "session_memory"


class NoSuspension(SessionError):
    """An answer to a suspension that never was, or was answered before."""

    code = "no_suspension"


class NotInnermost(SessionError):
    """An answer to a suspension within which another one waits."""

    code = "not_innermost"


class SuspensionExpired(SessionError):
    """An answer that came too late."""

    code = "suspension_expired"
