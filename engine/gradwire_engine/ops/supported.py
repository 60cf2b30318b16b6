"""Which dtypes an op computes in, and which numbers fit a dtype: refusals in torch's words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ..dtypes import Array, NumpyDType, dtype_of
from ..errors import TensorNotImplementedError, TensorRuntimeError, TensorTypeError
from ..meta import meta_of_array, ordered_like

Check = Callable[[NumpyDType], None]

_C_NAMES: Final = {
    "bool": "bool",
    "uint8": "uint8_t",
    "int8": "int8_t",
    "int16": "int16_t",
    "int32": "int",
    "int64": "int64_t",
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}


def duplicate(array: Array) -> Array:
    """A copy in the memory order of an elementwise result (``numpy.array`` orders repeated elements in another way)."""
    return np.logical_or(array, False) if array.dtype.kind == "b" else np.positive(array)


_CPP_NAMES: Final = {"uint8": "unsigned char", "int8": "signed char", "int16": "short int", "int64": "long int"}


def cpp_name(dtype: NumpyDType) -> str:
    """The C++ type that some of torch's messages name instead of the dtype."""
    return _CPP_NAMES.get(dtype.name) or _C_NAMES[dtype.name]


def require_tensor(op_name: str, name: str, position: int, value: Any) -> None:
    """Refuses a Python number in a place where a number of no dtype has no meaning.

    Raises:
        TensorTypeError: It is a number (torch's message).
    """
    if not hasattr(value, "dtype"):
        raise TensorTypeError.of_argument(op_name, name, position, "Tensor", type(value).__name__)


def in_order(result: Array, *operands: Any) -> Array:
    """``result`` in the memory order of an elementwise operation on ``operands``, where computing it in steps made another."""
    arrays = [o for o in operands if isinstance(o, np.ndarray)]
    if result.ndim < 2 or all(a.flags.c_contiguous for a in arrays):
        return result
    wanted = ordered_like(result.shape, result.dtype, [meta_of_array(a) for a in arrays])
    if meta_of_array(result).strides == wanted.strides:
        return result
    ordered = np.lib.stride_tricks.as_strided(
        np.empty(result.size, result.dtype), result.shape, [s * result.itemsize for s in wanted.strides]
    )
    np.copyto(ordered, result)
    return ordered


def only(kinds: str, kernel: str) -> Check:
    """A check that an op computes in a dtype of one of ``kinds`` (NumPy's letters).

    Args:
        kinds: The kinds, such as ``"iuf"``.
        kernel: torch's name of the routine, which its message quotes.
    """

    def check(dtype: NumpyDType) -> None:
        if dtype.kind not in kinds:
            raise TensorNotImplementedError(
                f"\"{kernel}\" not implemented for '{dtype_of(dtype).torch_name}'", code="dtype_not_implemented"
            )

    return check


def not_complex(message: str, error: type[TensorNotImplementedError | TensorRuntimeError] = TensorNotImplementedError) -> Check:
    """A check that an op does not compute in a complex dtype, with a message of its own."""

    def check(dtype: NumpyDType) -> None:
        if dtype.kind == "c":
            raise error(message, code="dtype_not_implemented")

    return check


def every(*checks: Check) -> Check:
    """All of ``checks``, one after the other."""

    def check(dtype: NumpyDType) -> None:
        for part in checks:
            part(dtype)

    return check


def converted(value: Any, dtype: NumpyDType) -> Array:
    """A Python number as a zero-dimensional array of ``dtype``.

    Raises:
        TensorRuntimeError: The number is out of the dtype's range (torch's message); a fraction is cut off without one.
    """
    if dtype.kind == "b":
        return np.asarray(bool(value))
    plain = value
    fits = True
    if isinstance(plain, complex) and dtype.kind != "c":
        fits, plain = plain.imag == 0, plain.real
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        # As C does, negative numbers wrap around to unsigned ones.
        low = info.min if dtype.kind == "i" else -int(info.max)
        fits = fits and low <= plain <= info.max
        if fits:
            return np.asarray(int(plain) % (1 << info.bits) if dtype.kind == "u" else int(plain), dtype)
    else:
        for part in (plain.real, plain.imag):
            fits = fits and (part != part or abs(part) == math.inf or abs(part) <= float(np.finfo(dtype).max))
    if not fits:
        raise TensorRuntimeError(f"value cannot be converted to type {_C_NAMES[dtype.name]} without overflow", code="value_out_of_range")
    return np.asarray(plain, dtype)
