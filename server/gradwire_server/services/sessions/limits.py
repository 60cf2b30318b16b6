"""What sessions may ask of a process."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradwire_engine.limits import Limits


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Upper bounds on sessions.

    Attributes:
        sessions: Number of sessions at a time.
        session_tensors: Number of names in one session, for tensors and for hooks.
        session_bytes: Memory of one session: its tensors, what is saved for backward, and the last answer.
        sessions_bytes: The same of all sessions together.
        program: What holds for a batch as for a program: the size of a tensor, the number of tensors made, the work.
        batch_instructions: Number of instructions in a batch.
        instruction_references: Number of tensors that one instruction may refer to.
        session_queue: Number of calls that wait for a session while it works on another one.
        session_ttl_seconds: The longest time that a session may ask to be kept without being used.
        suspension_seconds: Time for the answer to a function or a hook that runs elsewhere.
        suspensions: Number of such answers that may be outstanding in a session.
        answer_bytes: Size of the body of an answer; ``None`` where answers are not written.
    """

    sessions: int = 1_000
    session_tensors: int = 100_000
    session_bytes: int = 2**30
    sessions_bytes: int = 2 * 2**30
    program: Limits = field(default_factory=Limits)
    batch_instructions: int = 10_000
    instruction_references: int = 10_000
    session_queue: int = 16
    session_ttl_seconds: float = 3_600.0
    suspension_seconds: float = 60.0
    suspensions: int = 64
    answer_bytes: int | None = None
