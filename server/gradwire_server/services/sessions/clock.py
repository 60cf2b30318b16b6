"""Moments as answers have them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

_STARTED: Final = time.time() - time.monotonic()


def now() -> float:
    """Seconds since the epoch, by a clock that is set once: correcting the machine's ends no session early."""
    return _STARTED + time.monotonic()


def stamp(seconds: float) -> str:
    """A moment in seconds since the epoch, as RFC 3339 has it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
