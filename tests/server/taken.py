"""Documents from which long tensors were taken out, and what becomes of their tensors."""

from __future__ import annotations

from typing import Any

from gradwire_engine.base64_text import Base64
from gradwire_engine.codec import decode
from gradwire_engine.errors import GradwireError
from gradwire_engine.number_lists import Numbers


def written(value: Any) -> Any:
    """The document with its strings put back."""
    if isinstance(value, (Base64, Numbers)):
        return value.written()
    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items()}
    return [written(item) for item in value] if isinstance(value, list) else value


def outcome(tensor: Any) -> Any:
    """What reading a tensor gives, or the error."""
    try:
        array = decode(tensor).array
    except GradwireError as error:
        return error.code, error.detail, error.pointer
    return array.dtype, array.shape, array.tobytes()
