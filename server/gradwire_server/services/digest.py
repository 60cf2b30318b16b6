"""Telling whether two documents are the same, without keeping them."""

from __future__ import annotations

import hashlib
import marshal
from typing import Any

import numpy as np

from gradwire_engine.base64_text import Base64
from gradwire_engine.errors import ProgramError
from gradwire_engine.number_lists import Numbers


def digest(document: Any) -> bytes:
    """A hash of a document of JSON values and arrays; the order of an object's keys does not count.

    Raises:
        ProgramError: It holds something else, or is nested too deeply.
    """
    try:
        # Of all that Python brings, marshal is what writes such values fastest. Its version 2 does not tell equal objects from the same
        # one, and writes numbers as they are: 1 is not 1.0, and neither is true.
        return _hash(marshal.dumps(_plain(document), 2))
    except (ValueError, RecursionError):
        raise ProgramError("The request is nested too deeply, or holds what JSON has not.", code="invalid_type", pointer="") from None


def _hash(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return "{", sorted((key, _plain(item)) for key, item in value.items())
    if isinstance(value, list):
        # The rows of a tensor hold numbers alone, and need no look at each.
        kinds = set(map(type, value))
        return [_plain(item) for item in value] if kinds & {dict, list, np.ndarray} else value
    if isinstance(value, Base64):
        return "base64", _hash(value.text)
    if isinstance(value, Numbers):
        value = value.array
    if isinstance(value, np.ndarray):
        # Hashed where it lies: other threads go on meanwhile, as they do not while marshal writes.
        return "array", value.dtype.str, value.shape, _hash(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    return value
