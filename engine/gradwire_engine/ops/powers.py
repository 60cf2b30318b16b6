"""Powers."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, dtype_of
from ..errors import TensorRuntimeError
from ..op import op, ops
from ..opmath import HALF
from ..params import Scalar, Tensor
from .supported import converted, only

_BOOL = only("iufc", "pow")


def _check_scalar_exponent(exponent: Scalar, dtype: NumpyDType) -> None:
    if dtype.kind not in "biu":
        return
    if not isinstance(exponent, complex) and exponent < 0:
        raise TensorRuntimeError("Integers to negative integer powers are not allowed.", code="negative_exponent")
    converted(exponent, dtype)


def _base_gradient(g: Any, input: Any, exponent: Any) -> Any:
    """The gradient in the base, zero for an exponent of zero whatever the base."""
    if isinstance(exponent, (int, float, complex)):
        return ops.zeros_like(g) if exponent == 0 else g * ops._mul_scalar(ops.pow(input, exponent - 1), exponent)
    return ops.where(exponent == 0, 0, g * (exponent * ops.pow(input, exponent - 1)))


def _exponent_gradient(g: Any, input: Any, exponent: Any, out: Any) -> Any:
    """The gradient in the exponent, zero at 0 to the power of something not negative."""
    return g * ops.where((input == 0) & (ops.real(exponent) >= 0), 0, out * ops.log(input))


def _log(base: Scalar, dtype: NumpyDType) -> complex | float:
    if isinstance(base, complex) or dtype.kind == "c":
        return cmath.log(base) if base else complex(-math.inf)
    return math.log(base) if base > 0 else -math.inf if base == 0 else math.nan


def _scalar_base_gradient(g: Any, input: Scalar, exponent: Any, out: Any, dtype: NumpyDType) -> Any:
    slope = out * _log(input, dtype)
    return g * (ops.where(ops.real(exponent) >= 0, 0, slope) if input == 0 else slope)


_SPECIAL: dict[Scalar, Callable[[Array], Array]] = {
    0.5: np.sqrt,
    2.0: np.square,
    3.0: lambda x: x * x * x,
    -0.5: lambda x: 1 / np.sqrt(x),
    -1.0: np.reciprocal,
    -2.0: lambda x: 1 / np.square(x),
}


@op(
    "pow",
    overload="Tensor_Scalar",
    promoted=("input", "exponent"),
    check=_check_scalar_exponent,
    vjp=dict(input=_base_gradient),
)
def pow_tensor_scalar(input: Tensor, exponent: Scalar) -> Array:
    """Each element to the power ``exponent``."""
    kind = input.dtype.kind
    if kind == "b":
        return input | (not exponent)
    if kind == "f" and input.dtype != HALF:
        special = _SPECIAL.get(exponent)
        if special is not None:
            return special(input)
    return np.power(input, exponent)


@op(
    "pow",
    overload="Scalar",
    promoted=("input", "exponent"),
    grad_fn="PowBackward2",
    check=_BOOL,
    vjp=dict(exponent=lambda g, input, exponent, out, exponent_meta: _scalar_base_gradient(g, input, exponent, out, exponent_meta.dtype)),
)
def pow_scalar(input: Scalar, exponent: Tensor) -> Array:
    """``input`` to the power of each element."""
    return _power(np.asarray(input, exponent.dtype), exponent)


@op(
    "pow",
    overload="Tensor_Tensor",
    grad_fn="PowBackward1",
    check=_BOOL,
    # torch saves an output that one rule names whichever argument needs a gradient; so the other rule names it too.
    vjp=dict(input=lambda g, input, exponent, out: _base_gradient(g, input, exponent), exponent=_exponent_gradient),
)
def pow_tensor_tensor(input: Tensor, exponent: Tensor) -> Array:
    """Each element of ``input`` to the power of the element of ``exponent``."""
    return _power(input, exponent)


def _power(base: Array, exponent: Array) -> Array:
    if exponent.dtype.kind != "i" or not np.less(exponent, 0).any():
        return np.power(base, exponent)
    # As in C, the reciprocal of an integer other than 1 and -1 is rounded to zero.
    negative = exponent < 0
    rounded = np.where(base == 1, 1, np.where(base == -1, np.where(exponent % 2 == 0, 1, -1), 0))
    return np.where(negative, rounded, np.power(base, np.where(negative, 0, exponent))).astype(exponent.dtype)


@op(composite=True, inplace=True)
def square(input: Tensor) -> Any:
    """The square of each element."""
    return ops.pow(input, 2)


def _wide(*values: Any) -> NumpyDType:
    """The dtype in which ``float_power`` computes."""
    for value in values:
        if isinstance(value, complex) or (not isinstance(value, (bool, int, float)) and dtype_of(value.dtype).is_complex):
            return np.dtype(np.complex128)
    return np.dtype(np.float64)


def _check_written(dtype: NumpyDType, recorded: bool) -> None:
    wide = np.dtype(np.complex128 if dtype.kind == "c" else np.float64)
    if dtype != wide:
        names = dtype_of(dtype).torch_name, dtype_of(wide).torch_name
        raise TensorRuntimeError(
            f"the base given to float_power_ has dtype {names[0]} but the operation's result requires dtype {names[1]}",
            code="dtype_mismatch",
        )


@op("float_power", overload="Tensor_Scalar", composite=True, inplace=True, inplace_check=_check_written)
def float_power_tensor_scalar(input: Tensor, exponent: Scalar) -> Any:
    """Each element to the power ``exponent``, in double precision."""
    return ops.pow(ops.to(input, _wide(input, exponent)), exponent)


@op("float_power", overload="Scalar", composite=True)
def float_power_scalar(input: Scalar, exponent: Tensor) -> Any:
    """``input`` to the power of each element, in double precision."""
    return ops.pow(input, ops.to(exponent, _wide(input, exponent)))


@op("float_power", overload="Tensor_Tensor", composite=True, inplace=True, inplace_check=_check_written)
def float_power_tensor_tensor(input: Tensor, exponent: Tensor) -> Any:
    """Each element of ``input`` to the power of the element of ``exponent``, in double precision."""
    dtype = _wide(input, exponent)
    return ops.pow(ops.to(input, dtype), ops.to(exponent, dtype))
