"""Data types, and torch's rules for mixing them.

Inside the engine a dtype is a ``numpy.dtype``; ``DType`` is the same thing as users see it: it prints ``torch.float32``.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .brief import shown
from .errors import TensorRuntimeError, TensorTypeError

Array = npt.NDArray[Any]
NumpyDType = np.dtype[Any]


class DType:
    """A data type as torch shows it.

    Args:
        name: torch's name, such as ``"float32"``.
        torch_name: The capitalised name that torch's error messages use, such as ``"Float"``.
    """

    def __init__(self, name: str, torch_name: str) -> None:
        self.name = name
        self.torch_name = torch_name
        self.numpy: NumpyDType = np.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.is_complex = self.numpy.kind == "c"
        self.is_floating_point = self.numpy.kind == "f"
        self.is_signed = self.numpy.kind in "ifc"

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (dtype_of, (self.name,))


uint8: Final = DType("uint8", "Byte")
int8: Final = DType("int8", "Char")
int16: Final = DType("int16", "Short")
int32: Final = DType("int32", "Int")
int64: Final = DType("int64", "Long")
float16: Final = DType("float16", "Half")
float32: Final = DType("float32", "Float")
float64: Final = DType("float64", "Double")
complex64: Final = DType("complex64", "ComplexFloat")
complex128: Final = DType("complex128", "ComplexDouble")
bool_: Final = DType("bool", "Bool")

ALL: Final = (bool_, uint8, int8, int16, int32, int64, float16, float32, float64, complex64, complex128)
_BY_NAME: Final = {d.name: d for d in ALL} | {
    "half": float16,
    "float": float32,
    "double": float64,
    "short": int16,
    "int": int32,
    "long": int64,
    "cfloat": complex64,
    "cdouble": complex128,
}
_BY_TYPE: Final[dict[type, DType]] = {bool: bool_, int: int64, float: float64, complex: complex128}
_BY_NUMPY: Final[dict[NumpyDType, DType]] = {d.numpy: d for d in ALL}

# The index of a category decides a mixture: bool < integer < floating < complex, as in torch's type promotion.
_CATEGORY: Final = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
_COMPLEX_OF: Final[dict[NumpyDType, NumpyDType]] = {
    np.dtype("float16"): np.dtype("complex64"),
    np.dtype("float32"): np.dtype("complex64"),
    np.dtype("float64"): np.dtype("complex128"),
}
_REAL_OF: Final[dict[NumpyDType, NumpyDType]] = {np.dtype("complex64"): np.dtype("float32"), np.dtype("complex128"): np.dtype("float64")}

_FLOAT32: Final[NumpyDType] = np.dtype("float32")
_default: ContextVar[NumpyDType] = ContextVar("gradwire_default_dtype", default=_FLOAT32)


def dtype_of(value: object) -> DType:
    """The ``DType`` for a name, a ``numpy.dtype`` or a ``DType``.

    Raises:
        TensorTypeError: There is no such dtype.
    """
    if isinstance(value, DType):
        return value
    try:
        if isinstance(value, np.dtype):
            return _BY_NUMPY[value]
        if isinstance(value, str):
            return _BY_NAME[value.removeprefix("torch.")]
        if isinstance(value, type):
            return _BY_TYPE[value]
    except KeyError:
        pass
    names = ", ".join(d.name for d in ALL)
    raise TensorTypeError(f"There is no dtype {shown(value)}; expected one of {names}.", code="unknown_dtype")


def is_known(dtype: NumpyDType) -> bool:
    """Whether there are tensors of ``dtype``."""
    return dtype in _BY_NUMPY


def default_dtype() -> NumpyDType:
    """The dtype that Python floats take in this context, ``float32`` unless it was set."""
    return _default.get()


def set_default_dtype(dtype: object) -> None:
    """Sets the dtype of Python floats for this context (``torch.set_default_dtype``).

    Raises:
        TensorTypeError: ``dtype`` is not a floating point dtype.
    """
    found = dtype_of(dtype)
    if not found.is_floating_point:
        raise TensorTypeError("only floating-point types are supported as the default type")
    _default.set(found.numpy)


def to_complex(dtype: NumpyDType) -> NumpyDType:
    """The complex dtype with the precision of ``dtype``; integers have the default dtype's."""
    if dtype.kind == "c":
        return dtype
    return _COMPLEX_OF[dtype if dtype.kind == "f" else _default.get()]


def to_real(dtype: NumpyDType) -> NumpyDType:
    """The dtype of the parts of ``dtype``: ``complex64`` has ``float32``; a real dtype is its own."""
    return _REAL_OF.get(dtype, dtype)


def is_differentiable(dtype: NumpyDType) -> bool:
    """Whether tensors of ``dtype`` can require gradients: floating point and complex ones can."""
    return dtype.kind in "fc"


def scalar_dtype(value: bool | int | float | complex) -> NumpyDType:
    """The dtype that a Python number takes when it stands alone."""
    if isinstance(value, bool):
        return bool_.numpy
    if isinstance(value, int):
        return int64.numpy
    if isinstance(value, float):
        return _default.get()
    return to_complex(_default.get())


def scalar_array(value: bool | int | float | complex) -> Array:
    """A Python number as a zero-dimensional array, of the dtype that it takes when it stands alone.

    Raises:
        TensorRuntimeError: It is an integer that has no 64 bit form with a sign (torch's message).
    """
    try:
        return np.asarray(value, scalar_dtype(value))
    except OverflowError:
        raise TensorRuntimeError("value cannot be converted to type int64_t without overflow", code="value_out_of_range") from None


def promote(a: NumpyDType, b: NumpyDType) -> NumpyDType:
    """The common dtype of two operands of equal standing (``torch.promote_types``).

    Unlike NumPy's, a mixture of an integer and a floating dtype has the floating one's size.
    """
    if a == b:
        return a
    ka, kb = _CATEGORY[a.kind], _CATEGORY[b.kind]
    if ka == kb:
        return np.promote_types(a, b)
    low, high = (a, b) if ka < kb else (b, a)
    if high.kind == "c" and low.kind == "f":
        return np.promote_types(to_complex(low), high)
    return high


def castable(source: NumpyDType, target: NumpyDType) -> bool:
    """Whether numbers of ``source`` may be written over a tensor of ``target`` (``torch.can_cast``)."""
    return _CATEGORY[source.kind] <= _CATEGORY[target.kind]


def result_type(dimensioned: list[NumpyDType], zero_dim: list[NumpyDType], scalars: list[bool | int | float | complex]) -> NumpyDType:
    """The compute dtype of operands of unequal standing (``torch.result_type``).

    Zero-dimensional tensors count only where their category is higher than that of every dimensioned one, and Python
    numbers only where theirs is higher than that of every tensor.
    """
    result: NumpyDType | None = None
    levels: list[list[NumpyDType]] = [dimensioned, zero_dim, [scalar_dtype(s) for s in scalars]]
    for level in levels:
        if not level:
            continue
        common = level[0]
        for dtype in level[1:]:
            common = promote(common, dtype)
        if result is None:
            result = common
        elif _CATEGORY[common.kind] > _CATEGORY[result.kind]:
            # A scalar brings its category; the precision comes from the tensors where they have one.
            result = to_complex(result) if common.kind == "c" and result.kind == "f" else common
    assert result is not None  # the caller always has at least one operand
    return result


def wrap_integer(value: Any, dtype: NumpyDType) -> Any:
    """A Python integer that does not fit an integer dtype, modulo 2 to the power of its bits (C's conversion, and torch's).

    Everything else is itself.
    """
    if type(value) is not int or dtype.kind not in "iu":
        return value
    info = np.iinfo(dtype)
    return value if info.min <= value <= info.max else (value - int(info.min)) % (1 << info.bits) + int(info.min)
