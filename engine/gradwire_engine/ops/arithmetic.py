"""Addition, subtraction, multiplication, and what is built from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import as_array
from ..dtypes import Array, NumpyDType, dtype_of
from ..errors import TensorNotImplementedError, TensorRuntimeError
from ..op import op, ops
from ..opmath import narrowed, widened
from ..params import Scalar, Tensor
from .scalars import in_single, is_rounded
from .supported import converted, cpp_name, in_order, only, require_tensor

_TWO_BOOLS = "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead."
_ONE_BOOL = (
    "Subtraction, the `-` operator, with a bool tensor is not supported. "
    "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
)


def _scaled(g: Array, alpha: Scalar) -> Array:
    return g if alpha == 1 else g * alpha


def _check_alpha(alpha: Scalar, dtype: NumpyDType) -> None:
    if isinstance(alpha, bool) and dtype.kind != "b":
        raise TensorRuntimeError("Boolean alpha only supported for Boolean results.")
    if dtype.kind in "biu" and not isinstance(alpha, int):
        raise TensorRuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if dtype.kind == "f" and isinstance(alpha, complex):
        raise TensorRuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or getattr(value, "dtype", None) == np.dtype(bool)


def _check_difference(input: Any, other: Any, alpha: Scalar, dtype: NumpyDType) -> None:
    bools = _is_bool(input) + _is_bool(other)
    if bools:
        raise TensorRuntimeError(_TWO_BOOLS if bools == 2 else _ONE_BOOL, code="dtype_not_implemented")
    _check_alpha(alpha, dtype)


def _and_scaled(function: Callable[[Any, Any], Any], first: Any, second: Any, alpha: Scalar) -> Any:
    """``first`` and ``alpha`` times ``second``, added or subtracted."""
    if alpha == 1:
        return function(first, second)
    if (wide := widened((first, second))) is not None:
        return narrowed(_and_scaled(function, wide[0], wide[1], alpha))
    return function(first, np.multiply(second, converted(alpha, second.dtype) if isinstance(second, np.ndarray) else alpha))


@op(vjp=dict(input=lambda g: g, other=lambda g, alpha: _scaled(g, alpha)), check=_check_alpha, numbers_alone=True)
def add(input: Tensor, other: Tensor, *, alpha: Scalar = 1) -> Array:
    """Adds ``other``, scaled by ``alpha``, to ``input``."""
    return _and_scaled(np.add, input, other, alpha)


@op(
    vjp=dict(input=lambda g: g, other=lambda g, alpha: -_scaled(g, alpha)),
    check=_check_difference,
    numbers_alone=True,
    aliases=("subtract",),
)
def sub(input: Tensor, other: Tensor, *, alpha: Scalar = 1) -> Array:
    """Subtracts ``other``, scaled by ``alpha``, from ``input``."""
    return _and_scaled(np.subtract, input, other, alpha)


@op(
    "rsub",
    overload="Scalar",
    promoted=("input", "other"),
    method=False,
    grad_fn="RsubBackward1",
    vjp=dict(input=lambda g, alpha: -_scaled(g, alpha)),
    check=_check_difference,
)
def rsub_scalar(input: Tensor, other: Scalar, alpha: Scalar = 1) -> Array:
    """Subtracts ``input``, scaled by ``alpha``, from ``other``."""
    return _and_scaled(np.subtract, other, input, alpha)


@op(
    "rsub", overload="Tensor", method=False, vjp=dict(input=lambda g, alpha: -_scaled(g, alpha), other=lambda g: g), check=_check_difference
)
def rsub_tensor(input: Tensor, other: Tensor, *, alpha: Scalar = 1) -> Array:
    """Subtracts ``input``, scaled by ``alpha``, from ``other``."""
    return _and_scaled(np.subtract, other, input, alpha)


@op(vjp=dict(input=lambda g, other: g * other, other=lambda g, input: g * input), numbers_alone=True, aliases=("multiply",))
def mul(input: Tensor, other: Tensor) -> Array:
    """Elementwise product."""
    return in_single(np.multiply, input, other) if is_rounded(input, other) else np.multiply(input, other)


def _check_negation(dtype: NumpyDType) -> None:
    if dtype.kind == "b":
        raise TensorRuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.",
            code="dtype_not_implemented",
        )


@op(vjp=dict(input=lambda g: -g), check=_check_negation, aliases=("negative",))
def neg(input: Tensor) -> Array:
    """The negative of each element."""
    return np.negative(input)


@op(composite=True)
def positive(input: Tensor) -> Any:
    """The tensor itself."""
    if dtype_of(input.dtype).numpy.kind == "b":
        raise TensorRuntimeError("The `+` operator, on a bool tensor is not supported.", code="dtype_not_implemented")
    return input


@op(promotion="float", vjp=dict(input=lambda g, out: -g * (out * out)))
def reciprocal(input: Tensor) -> Array:
    """One over each element."""
    return np.reciprocal(input)


def _check_factors(op_name: str, tensor1: Any, tensor2: Any) -> None:
    require_tensor(op_name, "tensor1", 2, tensor1)
    require_tensor(op_name, "tensor2", 3, tensor2)


def _check_addcmul(tensor1: Any, tensor2: Any, value: Scalar, dtype: NumpyDType) -> None:
    _check_factors("addcmul", tensor1, tensor2)
    only("iufc", "addcmul_cpu_out")(dtype)
    _factor(value, dtype)


def _factor(value: Scalar, dtype: NumpyDType) -> Any:
    return value if dtype.kind == "c" or (dtype.kind == "f" and not isinstance(value, complex)) else converted(value, dtype)


@op(
    opmath=True,
    check=_check_addcmul,
    vjp=dict(
        input=lambda g: g,
        tensor1=lambda g, tensor2, value: g * _scaled(tensor2, value),
        tensor2=lambda g, tensor1, value: g * _scaled(tensor1, value),
    ),
)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Scalar = 1) -> Array:
    """``input + value * tensor1 * tensor2``."""
    product = np.multiply(np.multiply(_factor(value, as_array(input).dtype), tensor1), tensor2)
    return in_order(np.add(input, product), input, tensor1, tensor2)


def _check_addcdiv(tensor1: Any, tensor2: Any, value: Scalar, dtype: NumpyDType) -> None:
    _check_factors("addcdiv", tensor1, tensor2)
    if dtype.kind in "biu":
        raise TensorRuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division "
            "of tensor1 and tensor2. The historic addcdiv behavior can be implemented as "
            "(input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as "
            "(input + value * tensor1 / tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: "
            "(input + value * tensor1 / tensor2), for all dtypes.",
            code="dtype_not_implemented",
        )
    _factor(value, dtype)


@op(
    opmath=True,
    check=_check_addcdiv,
    vjp=dict(
        input=lambda g: g,
        tensor1=lambda g, tensor2, value: g * (value / tensor2),
        tensor2=lambda g, tensor1, tensor2, value: -g * (value * tensor1 / (tensor2 * tensor2)),
    ),
)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Scalar = 1) -> Array:
    """``input + value * tensor1 / tensor2``."""
    scaled = np.multiply(_factor(value, as_array(input).dtype), tensor1)
    return in_order(np.add(input, np.true_divide(scaled, tensor2)), input, tensor1, tensor2)


def _check_lerp(kernel: str, **operands: Any) -> None:
    tensors = {name: value.dtype for name, value in operands.items() if hasattr(value, "dtype")}
    expected = next(iter(tensors.values()))
    for name, found in tensors.items():
        if found != expected:
            raise TensorRuntimeError(
                f"expected dtype {cpp_name(expected)} for `{name}` but got dtype {cpp_name(found)}", code="dtype_mismatch"
            )
    if expected.kind not in "fc":
        raise TensorNotImplementedError(f"\"{kernel}\" not implemented for '{dtype_of(expected).torch_name}'", code="dtype_not_implemented")


def _check_lerp_scalar(input: Any, end: Any, weight: Scalar, dtype: NumpyDType) -> None:
    _check_lerp("lerp_kernel_scalar", input=input, end=end)
    if dtype.kind == "f":
        converted(weight, dtype)


@op(
    "lerp",
    overload="Scalar",
    opmath=True,
    check=_check_lerp_scalar,
    vjp=dict(input=lambda g, weight: g * (1 - weight), end=lambda g, weight: g * weight),
)
def lerp_scalar(input: Tensor, end: Tensor, weight: Scalar) -> Array:
    """The linear interpolation from ``input`` to ``end``: ``input + weight * (end - input)``."""
    # Starting from the nearer end keeps the result exact at both.
    result = input + weight * (end - input) if abs(weight) < 0.5 else end - (end - input) * (1 - weight)
    return in_order(result, input, end)


@op(
    "lerp",
    overload="Tensor",
    grad_fn="LerpBackward1",
    opmath=True,
    check=lambda input, end, weight: _check_lerp("lerp_kernel_tensor", input=input, end=end, weight=weight),
    vjp=dict(
        input=lambda g, weight: g * (1 - weight),
        end=lambda g, weight: g * weight,
        weight=lambda g, input, end: g * (end - input),
    ),
)
def lerp_tensor(input: Tensor, end: Tensor, weight: Tensor) -> Array:
    """The linear interpolation from ``input`` to ``end``: ``input + weight * (end - input)``."""
    result = np.where(np.abs(weight) < 0.5, input + weight * (end - input), end - (end - input) * (1 - weight))
    return in_order(result, input, end, weight)


def _ratio(result: Any, input: Any) -> Any:
    return ops.where(input == 0, 0, result / input)


@op(
    "copysign",
    overload="Scalar",
    promotion="float",
    promoted=("input", "other"),
    grad_fn="CopysignBackward1",
    check=only("f", "copysign_cpu"),
    vjp=dict(input=lambda g, input, out: g * _ratio(out, input)),
)
def copysign_scalar(input: Tensor, other: Scalar) -> Array:
    """The magnitude of ``input`` with the sign of ``other``."""
    return np.copysign(input, other)


@op(
    "copysign",
    overload="Tensor",
    promotion="float",
    check=only("f", "copysign_cpu"),
    # An output that one rule names is saved whichever argument needs a gradient, as in torch; so the other rules name it too.
    vjp=dict(input=lambda g, input, out: g * _ratio(out, input), other=lambda g, out: ops.zeros_like(g)),
)
def copysign_tensor(input: Tensor, other: Tensor) -> Array:
    """The magnitude of ``input`` with the sign of ``other``."""
    return np.copysign(input, other)


def _inverse_square(input: Any, other: Any) -> Any:
    """One over the squared distance from the origin, where torch takes the derivatives of the angle to be zero."""
    square = input * input + other * other
    return ops.masked_fill(ops.reciprocal(square), square == 0, 0)


@op(
    promotion="float",
    check=only("f", "atan2_cpu"),
    aliases=("arctan2",),
    vjp=dict(
        input=lambda g, input, other: g * (other * _inverse_square(input, other)),
        other=lambda g, input, other: g * (-input * _inverse_square(input, other)),
    ),
)
def atan2(input: Tensor, other: Tensor) -> Array:
    """The angle of the point with height ``input`` and width ``other``, in radians."""
    return np.arctan2(input, other)


@op(
    check=only("f", "hypot_cpu"),
    vjp=dict(input=lambda g, input, out: g * (input / out), other=lambda g, other, out: g * (other / out)),
)
def hypot(input: Tensor, other: Tensor) -> Array:
    """The hypotenuse of the right triangle with legs ``input`` and ``other``."""
    return np.hypot(input, other)
