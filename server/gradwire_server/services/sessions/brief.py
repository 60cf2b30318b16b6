"""Work that takes no time to speak of, and how to tell before it is begun."""

from __future__ import annotations

from dataclasses import dataclass

from gradwire_engine.limits import Limits


@dataclass(frozen=True, slots=True)
class Brief:
    """What is still brief.

    Attributes:
        limits: The bounds on the tensors and the work of a batch; ``program_bytes`` is that of the whole session, and ``nodes`` that of
            the graph which a backward pass walks.
        seconds: The time after which no further instruction is begun.
        answer_bytes: The bytes of the tensors in an answer, which take time to be written.
    """

    limits: Limits
    seconds: float
    answer_bytes: int


class Heavy(Exception):
    """An instruction that is not brief, found before it had any effect."""
