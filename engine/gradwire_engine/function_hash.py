"""The identity of a function: a hash of what it consists of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from .codec import to_lists
from .program import Program

_COVERED: Final = ("inputs", "functions", "nodes", "outputs", "default_dtype")


def function_hash(document: Mapping[str, Any], program: Program) -> str:
    """The SHA-256 of a function's inputs, program and outputs, in hexadecimal; of no description and no order of keys.

    Args:
        document: The function, which can be read.
        program: What was read.
    """
    covered = {name: document[name] for name in _COVERED if document.get(name)}
    return hashlib.sha256(to_json(covered, sort_keys=True)).hexdigest()


def to_json(document: Any, *, sort_keys: bool = False) -> bytes:
    """A document in JSON, without spaces; arrays are written as lists.

    Args:
        document: JSON values, and arrays.
        sort_keys: Whether documents that only differ in the order of their keys are written alike.
    """
    return json.dumps(document, default=_plain, sort_keys=sort_keys, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return to_lists(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"There is no JSON for a {type(value).__name__}.")
