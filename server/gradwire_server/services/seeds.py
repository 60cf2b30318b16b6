"""Seeds as requests have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradwire_engine.errors import ProgramError


def read_seed(document: Mapping[str, Any]) -> int | None:
    """The ``seed`` of a request; ``None`` where random operations may start anywhere.

    Raises:
        ProgramError: It is no integer of 64 bits.
    """
    seed = document.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not -(2**63) <= seed < 2**64):
        raise ProgramError("'seed' must be an integer of at most 64 bits.", code="invalid_type", pointer="/seed")
    return seed
