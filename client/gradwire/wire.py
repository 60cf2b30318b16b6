"""Documents as they travel: what a caller wrote, as plain JSON values, as bytes, and back.

A caller may put NumPy arrays where tensors are expected, as ``data`` or as the whole tensor, NumPy's numbers where Python's are,
and tuples for lists. :func:`plain` settles all of that. :func:`body` then writes arrays as base64, so that every bit of them
arrives, and what is not finite as ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``; :func:`loads` reads tensors into arrays. Where there is
more than a little of them, they travel as they are, beside the document in a safetensors file, which :func:`unpack` reads.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gradwire_engine import attached, codec
from gradwire_engine.dtypes import Array, dtype_of
from gradwire_engine.errors import TensorTypeError, TensorValueError
from gradwire_engine.safetensors import MEDIA_TYPE, MalformedSafetensors

JSON: Final = "application/json"
SAFETENSORS: Final = MEDIA_TYPE

Tensor = dict[str, Any]

_TENSOR: Final = frozenset({"dtype", "shape"})
# Beneath that base64 costs nothing to speak of, and what travels can be read.
_MANY_BYTES: Final = 16 * 1024
# What is derived from these, such as the members of an enumeration or a Size, travels as what it is derived from.
_BASES: Final[tuple[type[Any], ...]] = (int, float, str, dict, list, tuple)


def plain(document: Any) -> Any:
    """A document of dicts, lists, strings, Python's numbers, and tensor objects that have arrays as ``data``.

    Raises:
        TypeError: A value that has no place in a document, or an array of another dtype than the one beside it.
        ValueError: An array of another shape than the one beside it.
    """
    return _plain(document, _as_data, _as_number)


def jsonable(document: Any) -> Any:
    """A document as JSON can write it: arrays as base64, and what is not finite by name.

    Raises:
        TypeError, ValueError: As for :func:`plain`.
    """
    return _plain(document, _as_base64, _as_json_number)


def body(document: Any) -> tuple[bytes, str]:
    """A document as the body of a request, and its media type: JSON, or safetensors if it holds many numbers in arrays.

    Raises:
        TypeError, ValueError: As for :func:`plain`.
    """
    try:
        # Most documents are plain as they are, and json writes those faster than Python can look at them.
        return _json(document), JSON
    except (TypeError, ValueError):
        written = _plain(document, _as_data, _as_json_number)
        if attached.tensor_bytes(written) < _MANY_BYTES:
            return _json(jsonable(written)), JSON
        return b"".join(attached.pack(written, attached.REQUEST, _json)), SAFETENSORS


def unpack(content: bytes) -> Any:
    """The document in a safetensors answer, the ``data`` of every tensor in it an array of its own.

    Raises:
        ValueError: The bytes are no such answer.
    """
    try:
        return attached.unpack(content, attached.RESPONSE, copy=True)
    except MalformedSafetensors as error:
        raise ValueError(error.detail) from None


def loads(body: bytes) -> Any:
    """The document in JSON, the ``data`` of every tensor in it an array of its own.

    Raises:
        ValueError: The bytes are not JSON, or a tensor in them is not one.
    """
    return json.loads(body, object_hook=_read if b'"dtype"' in body else None)


def _json(document: Any) -> bytes:
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def _plain(value: Any, tensor: Callable[[Array, Tensor], Tensor], number: Callable[[float], Any]) -> Any:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return number(value)
    if kind is list or kind is tuple:
        return [_plain(item, tensor, number) for item in value]
    if kind is dict:
        data = value.get("data")
        if isinstance(data, np.ndarray):
            return tensor(data, value)
        return {key: _plain(item, tensor, number) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return tensor(value, {})
    if isinstance(value, np.generic):
        return _plain(value.item(), tensor, number)
    if kind is complex:
        return {"complex": [number(value.real), number(value.imag)]}
    for base in _BASES:
        if isinstance(value, base):
            return _plain(base(value), tensor, number)
    raise TypeError(
        f"A document holds numbers, strings, booleans, None, lists, dicts and NumPy arrays; a {kind.__name__} has no place in it."
    )


def _as_number(value: float) -> float:
    return value


def _as_json_number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _as_data(array: Array, tensor: Tensor) -> Tensor:
    array, stated = _stated(array, tensor)
    return {**stated, "data": array}


def _as_base64(array: Array, tensor: Tensor) -> Tensor:
    array, stated = _stated(array, tensor)
    return {**stated, "base64": codec.to_base64(array)}


def _stated(array: Array, tensor: Tensor) -> tuple[Array, Tensor]:
    """The array, and the tensor object's other fields with the dtype and the shape of the array."""
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    dtype = dtype_of(array.dtype)
    stated = tensor.get("dtype", dtype.name)
    if dtype_of(stated) is not dtype:
        raise TensorTypeError(
            f"The array has dtype {dtype.name}, but the tensor says {stated}; convert it by array.astype.", code="dtype_mismatch"
        )
    shape = list(array.shape)
    if list(tensor.get("shape", shape)) != shape:
        raise TensorValueError(f"The array has shape {shape}, but the tensor says {list(tensor['shape'])}.", code="shape_mismatch")
    return array, {**{key: value for key, value in tensor.items() if key != "data"}, "dtype": dtype.name, "shape": shape}


def _read(document: Tensor) -> Tensor:
    if not document.keys() >= _TENSOR:
        return document
    for field in ("base64", "data"):
        if field in document:
            literal = codec.decode({field: document.pop(field), "dtype": document["dtype"], "shape": document["shape"]})
            return {"data": literal.array, **document}
    return document
