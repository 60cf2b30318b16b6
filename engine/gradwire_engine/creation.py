"""From Python data to arrays, with torch's inference of the dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .dtypes import Array, NumpyDType, default_dtype, is_known, scalar_dtype
from .errors import TensorRuntimeError, TensorTypeError, TensorValueError
from .meta import MAX_DIMENSIONS
from .stopping import watched
from .value import Value

_NUMBERS: Final = frozenset({bool, int, float, complex})


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
        # A symbol has no elements, and says so here.
        array = data._data if data.computes_on_arrays else np.array(data.tolist(), data._data.dtype)
        return np.array(array, dtype or array.dtype)
    if isinstance(data, (np.ndarray, np.generic)):
        check_array(data)
        return np.array(data, dtype or data.dtype)
    numbers, sizes = _flatten(data)
    inferred = dtype or _infer(set(map(type, numbers)))
    try:
        # A number beyond the largest float is infinite, and NumPy warns of it.
        with np.errstate(over="ignore"):
            array = _integers(numbers, inferred) if inferred.kind in "iu" else np.array(numbers, inferred)
    except (OverflowError, ValueError):
        raise TensorRuntimeError(
            f"value cannot be converted to type {inferred.name} without overflow", code="integer_out_of_range"
        ) from None
    except TypeError as error:
        raise TensorTypeError(f"The data cannot become a tensor of dtype {inferred.name}: {error}.") from None
    return array.reshape(sizes)


def check_array(array: Array | np.generic) -> None:
    """Refuses an array of a dtype that tensors do not have.

    Raises:
        TensorTypeError: It is one (torch's message, but for the unsigned dtypes that torch has and Gradwire has not).
        TensorValueError: The bytes of its numbers are in the order of other machines (torch's message).
    """
    dtype = array.dtype
    if is_known(dtype):
        return
    if is_known(dtype.newbyteorder("=")):
        raise TensorValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is currently not "
            "supported.",
            code="byte_order",
        )
    unsigned = "" if dtype.kind == "u" else "uint64, uint32, uint16, "
    raise TensorTypeError(
        f"can't convert np.ndarray of type numpy.{dtype.type.__name__}. The only supported types are: float64, float32, float16, "
        f"complex64, complex128, int64, int32, int16, int8, {unsigned}uint8, and bool.",
        code="unknown_dtype",
    )


def _flatten(data: Any) -> tuple[list[Any], tuple[int, ...]]:
    """The numbers in row-major order, and the sizes, in one walk; as in torch the first row of every level says its size."""
    sizes: list[int] = []
    row = _opened(data)
    while isinstance(row, (Sequence, range)):
        if len(sizes) == MAX_DIMENSIONS:
            raise TensorValueError(
                f"too many dimensions '{type(row).__name__}': a tensor can have at most {MAX_DIMENSIONS}.", code="too_many_dimensions"
            )
        sizes.append(len(row))
        if not row:
            break
        row = _opened(row[0])
    found: list[Any] = []
    _collect(_opened(data), tuple(sizes), 0, found)
    return found, tuple(sizes)


def _collect(data: Any, sizes: tuple[int, ...], dim: int, found: list[Any]) -> None:
    """Appends the numbers of ``data``, whose sizes have to be those from ``dim`` on.

    Raises:
        TensorValueError: A size is another (torch's message).
        TensorTypeError: A number stands where a sequence is expected, or the other way round.
    """
    if dim == len(sizes):
        found.append(data)
        return
    if len(data) != sizes[dim]:
        raise TensorValueError(f"expected sequence of length {sizes[dim]} at dim {dim} (got {len(data)})", code="ragged_tensor")
    last = dim + 1 == len(sizes)
    if last and _NUMBERS.issuperset(map(type, data)):
        found.extend(data)
        return
    for position, item in watched(enumerate(data)):
        opened = _opened(item)
        if isinstance(opened, (Sequence, range)) == last:
            expected, got = ("a number", "a sequence") if last else ("a sequence", "a number")
            raise TensorTypeError(f"expected {expected} at dim {dim + 1} (got {got} at position {position})", code="ragged_tensor")
        _collect(opened, sizes, dim + 1, found)


def _opened(item: Any) -> Any:
    """A tensor or an array as numbers in lists; numbers and sequences as they are.

    Raises:
        TensorTypeError: It is a string.
        TensorRuntimeError: It is nothing that a tensor can be made of.
    """
    if isinstance(item, (Value, np.ndarray, np.generic)):
        return item.tolist()
    if isinstance(item, (str, bytes)):
        raise TensorTypeError(f"new(): invalid data type '{type(item).__name__}'")
    if not isinstance(item, (bool, int, float, complex, Sequence, range)):
        raise TensorRuntimeError(f"Could not infer dtype of {type(item).__name__}")
    return item


def _infer(kinds: set[type]) -> NumpyDType:
    for kind in (complex, float):
        if any(issubclass(k, kind) for k in kinds):
            return scalar_dtype(kind())
    if not kinds:
        return default_dtype()
    return scalar_dtype(all(issubclass(k, bool) for k in kinds) or 0)


def _integers(numbers: list[Any], dtype: NumpyDType) -> Array:
    info = np.iinfo(dtype)
    whole = list(map(int, numbers))
    if whole and (min(whole) < (info.min if dtype.kind == "i" else -(2**63)) or max(whole) > info.max):
        raise OverflowError
    return np.array(whole, np.int64).astype(dtype) if dtype.kind == "u" else np.array(whole, dtype)
