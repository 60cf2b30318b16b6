"""From Python data to arrays, with torch's inference of the dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .dtypes import Array, NumpyDType, default_dtype, is_known, result_type, scalar_dtype
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
    found = _Elements(data)
    numbers, sizes = found.numbers, found.sizes
    inferred = dtype or found.dtype()
    try:
        # A number beyond the largest float is infinite, and NumPy warns of it.
        with np.errstate(over="ignore"):
            array = _integers(numbers, inferred) if inferred.kind in "iu" else np.array(numbers, inferred)
    except (OverflowError, ValueError):
        if inferred == np.int64:
            raise TensorValueError("Overflow when unpacking long long", code="integer_out_of_range") from None
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


class _Elements:
    """The numbers of nested sequences in row-major order, in one walk; as in torch the first row of every level says its size.

    Attributes:
        numbers: The numbers, as Python has them.
        sizes: The sizes.
    """

    def __init__(self, data: Any) -> None:
        self.numbers: list[Any] = []
        self._kinds: set[type] = set()
        self._dtypes: set[NumpyDType] = set()
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
        self.sizes = tuple(sizes)
        self._collect(_opened(data), 0, typed=False)

    def dtype(self) -> NumpyDType:
        """The dtype of them all: that of the arrays and tensors among them, promoted with those of Python's numbers."""
        dtypes = list(self._dtypes)
        for kind in (complex, float):
            if any(issubclass(k, kind) for k in self._kinds):
                dtypes.append(scalar_dtype(kind()))
                break
        else:
            if self._kinds:
                dtypes.append(scalar_dtype(all(issubclass(k, bool) for k in self._kinds) or 0))
        return result_type(dtypes, [], []) if dtypes else default_dtype()

    def _collect(self, data: Any, dim: int, *, typed: bool) -> None:
        """Appends the numbers of ``data``, whose sizes have to be those from ``dim`` on.

        Args:
            data: A number, or sequences of them.
            dim: How deep it lies.
            typed: Whether it was an array or a tensor, whose dtype is noted.

        Raises:
            TensorValueError: A size is another (torch's message).
            TensorTypeError: A number stands where a sequence is expected, or the other way round.
        """
        sizes = self.sizes
        if dim == len(sizes):
            self.numbers.append(data)
            if not typed:
                self._kinds.add(type(data))
            return
        if len(data) != sizes[dim]:
            raise TensorValueError(f"expected sequence of length {sizes[dim]} at dim {dim} (got {len(data)})", code="ragged_tensor")
        last = dim + 1 == len(sizes)
        if last and _NUMBERS.issuperset(kinds := set(map(type, data))):
            self.numbers.extend(data)
            if not typed:
                self._kinds |= kinds
            return
        for position, item in watched(enumerate(data)):
            opened = _opened(item)
            if isinstance(opened, (Sequence, range)) == last:
                expected, got = ("a number", "a sequence") if last else ("a sequence", "a number")
                raise TensorTypeError(f"expected {expected} at dim {dim + 1} (got {got} at position {position})", code="ragged_tensor")
            has_dtype = isinstance(item, (Value, np.ndarray, np.generic))
            if has_dtype:
                self._dtypes.add(item._data.dtype if isinstance(item, Value) else item.dtype)
            self._collect(opened, dim + 1, typed=typed or has_dtype)


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


def _integers(numbers: list[Any], dtype: NumpyDType) -> Array:
    info = np.iinfo(dtype)
    whole = list(map(int, numbers))
    if whole and (min(whole) < (info.min if dtype.kind == "i" else -(2**63)) or max(whole) > info.max):
        raise OverflowError
    return np.array(whole, np.int64).astype(dtype) if dtype.kind == "u" else np.array(whole, dtype)


def check_flag(function: str, name: str, value: object) -> None:
    """Refuses what is no boolean.

    Raises:
        TensorTypeError: It is something else (torch's message).
    """
    if type(value) is not bool:
        raise TensorTypeError(f"{function}(): argument '{name}' must be bool, not {type(value).__name__}")
