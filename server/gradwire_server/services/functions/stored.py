"""The documents of functions as they are stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradwire_engine.codec import to_lists


def to_json(document: Any) -> bytes:
    """A document in JSON, without spaces; arrays are written as lists."""
    return json.dumps(document, default=_plain, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return to_lists(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"There is no JSON for a {type(value).__name__}.")
