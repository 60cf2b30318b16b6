"""Conditions on changes: ``If-Match`` and ``If-None-Match`` (RFC 9110, section 13.1)."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the current version of a function, for it to be changed.

    Attributes:
        match: Hashes of which it must have one, ``{"*"}`` for any; ``None`` for no such condition.
        none_match: Hashes of which it must have none; ``{"*"}`` says that there must be no such function.
    """

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None

    def check(self, current: str | None) -> None:
        """Holds the condition against the hash of the current version, ``None`` where there is none.

        Raises:
            PreconditionFailed: It does not hold.
        """
        if self.match is not None and (current is None or not self.match & {current, "*"}):
            found = "there is none" if current is None else f"its hash is {current}"
            raise PreconditionFailed(f"If-Match names a version that the function does not have: {found}.", current)
        if self.none_match is not None and current is not None and self.none_match & {current, "*"}:
            raise PreconditionFailed(f"If-None-Match rules out the version that the function has: its hash is {current}.", current)


ALWAYS = Condition()
