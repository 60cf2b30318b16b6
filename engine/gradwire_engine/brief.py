"""Values as they stand in error messages: whatever a caller sent, in one line."""

from __future__ import annotations

import reprlib
from typing import Any, Final

_LONGEST: Final = 100
_CONTAINERS: Final = reprlib.Repr()
_CONTAINERS.maxlist = _CONTAINERS.maxtuple = _CONTAINERS.maxdict = 30
_CONTAINERS.maxlevel = 3
_CONTAINERS.maxstring = _CONTAINERS.maxother = _LONGEST


def shown(value: Any) -> str:
    """The value as Python writes it, cut off; what is cut off is not even looked at."""
    if isinstance(value, str):
        value = value[:_LONGEST]
    text = _CONTAINERS.repr(value) if isinstance(value, (list, tuple, dict)) else repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
