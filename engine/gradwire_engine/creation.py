"""From Python data to arrays, with torch's inference of the dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .dtypes import Array, NumpyDType, default_dtype, scalar_dtype, to_complex
from .errors import TensorRuntimeError, TensorTypeError, TensorValueError
from .value import Value


def array_from(data: Any, dtype: NumpyDType | None) -> Array:
    """A new array with the elements of ``data``.

    Args:
        data: A number, a nested sequence of numbers and tensors, an array, or an eager tensor.
        dtype: The element type; inferred when ``None``.

    Raises:
        TensorValueError: The sequences are ragged (torch's message).
        TensorTypeError: A number stands beside a sequence, or something is a string.
        TensorRuntimeError: Something is no number, or a number does not fit the dtype.
    """
    if isinstance(data, Value):
        return np.array(data._data, dtype or data._data.dtype)
    if isinstance(data, (np.ndarray, np.generic)):
        if data.dtype.kind not in "biufc":
            raise TensorTypeError(
                f"can't convert np.ndarray of type {data.dtype}. The only supported types are: float64, "
                "float32, float16, complex64, complex128, int64, int32, int16, int8, uint8, and bool."
            )
        return np.array(data, dtype or data.dtype)
    plain = _plain(data)
    shape = _shape(plain)
    inferred = dtype or _infer(plain)
    try:
        array = np.array(plain, inferred) if inferred.kind not in "iu" else _integers(plain, inferred)
    except OverflowError:
        raise TensorRuntimeError(
            f"value cannot be converted to type {inferred.name} without overflow", code="integer_out_of_range"
        ) from None
    except TypeError as error:
        raise TensorTypeError(f"The data cannot become a tensor of dtype {inferred.name}: {error}.") from None
    return array.reshape(shape)


def _plain(data: Any) -> Any:
    if isinstance(data, Value):
        return data._data.tolist()
    if isinstance(data, (np.ndarray, np.generic)):
        return data.tolist()
    if isinstance(data, (bool, int, float, complex)):
        return data
    if isinstance(data, (str, bytes)) or not isinstance(data, (Sequence, range)):
        if isinstance(data, (str, bytes)):
            raise TensorTypeError(f"new(): invalid data type '{type(data).__name__}'")
        raise TensorRuntimeError(f"Could not infer dtype of {type(data).__name__}")
    return [_plain(item) for item in data]


def _shape(data: Any, dim: int = 0) -> tuple[int, ...]:
    if not isinstance(data, list):
        return ()
    if not data:
        return (0,)
    inner = _shape(data[0], dim + 1)
    for position, item in enumerate(data):
        have = _shape(item, dim + 1)
        if have == inner:
            continue
        for k, (expected, got) in enumerate(zip(inner, have, strict=False), dim + 1):
            if expected != got:
                raise TensorValueError(f"expected sequence of length {expected} at dim {k} (got {got})", code="ragged_tensor")
        kinds = ("a sequence", "a number") if len(inner) > len(have) else ("a number", "a sequence")
        raise TensorTypeError(f"expected {kinds[0]} at dim {dim + 1} (got {kinds[1]} at position {position})", code="ragged_tensor")
    return (len(data), *inner)


def _leaves(data: Any) -> Any:
    if isinstance(data, list):
        for item in data:
            yield from _leaves(item)
    else:
        yield data


def _infer(data: Any) -> NumpyDType:
    rank, found = -1, default_dtype()
    for leaf in _leaves(data):
        level = 3 if isinstance(leaf, complex) else 2 if isinstance(leaf, float) else 0 if isinstance(leaf, bool) else 1
        if level > rank:
            rank, found = level, scalar_dtype(leaf)
        if rank == 3:
            return to_complex(default_dtype())
    return found


def _integers(data: Any, dtype: NumpyDType) -> Array:
    info = np.iinfo(dtype)
    flat = [int(x) for x in _leaves(data)]
    if flat and (min(flat) < (info.min if dtype.kind == "i" else -(2**63)) or max(flat) > info.max):
        raise OverflowError
    return np.array(flat, np.int64).astype(dtype) if dtype.kind == "u" else np.array(flat, dtype)
