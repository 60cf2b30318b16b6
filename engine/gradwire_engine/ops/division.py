"""Division and its remainders."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ..dtypes import Array, NumpyDType
from ..errors import TensorRuntimeError
from ..op import op, ops
from ..params import Scalar, Tensor
from ..stopping import in_blocks
from .scalars import in_single, is_rounded
from .supported import only


def _other_gradient(g: Any, input: Any, other: Any) -> Any:
    return -g * ((input / other) / other)


@op(
    "div",
    overload="Tensor",
    promotion="float",
    numbers_alone=True,
    aliases=("divide", "true_divide"),
    vjp=dict(input=lambda g, other: g / other, other=_other_gradient),
)
def div_tensor(input: Tensor, other: Tensor) -> Array:
    """Elementwise quotient; integers give floating point results."""
    return in_single(np.true_divide, input, other) if is_rounded(input, other) else np.true_divide(input, other)


def _check_mode(rounding_mode: str, dtype: NumpyDType) -> None:
    if rounding_mode not in ("trunc", "floor"):
        raise TensorRuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'", code="invalid_mode"
        )
    only("iuf", f"div_{rounding_mode}_cpu")(dtype)


@op(
    "div",
    overload="Tensor_mode",
    grad_fn="DivBackward2",
    numbers_alone=True,
    aliases=("divide",),
    check=_check_mode,
    # The rules name what torch saves, although a rounded quotient has derivative zero.
    vjp=dict(input=lambda g, other: ops.zeros_like(g), other=lambda g, input, other: ops.zeros_like(g)),
)
def div_mode(input: Tensor, other: Tensor, *, rounding_mode: str) -> Any:
    """Elementwise quotient, rounded towards zero (``"trunc"``) or down (``"floor"``)."""
    return floor_quotient(input, other) if rounding_mode == "floor" else _trunc_quotient(input, other)


@op(
    "div",
    overload="Tensor_mode_none",
    promotion="float",
    grad_fn="DivBackward2",
    numbers_alone=True,
    aliases=("divide",),
    vjp=dict(input=lambda g, other: g / other, other=_other_gradient),
)
def div_mode_none(input: Tensor, other: Tensor, *, rounding_mode: str | None) -> Array:
    """Elementwise quotient, with ``rounding_mode`` given as ``None``."""
    return in_single(np.true_divide, input, other) if is_rounded(input, other) else np.true_divide(input, other)


def _refuse_zero(divisor: Any, quotient_of: Any) -> bool:
    """Whether the operands are integers, whose division by zero is refused."""
    integers = all(isinstance(v, int) or getattr(v, "dtype", np.dtype(float)).kind in "iu" for v in (divisor, quotient_of))
    if integers and np.size(quotient_of) and not np.all(divisor):
        raise TensorRuntimeError("ZeroDivisionError", code="division_by_zero")
    return integers


def floor_quotient(input: Any, other: Any) -> Any:
    """The quotient rounded down.

    Raises:
        TensorRuntimeError: An integer is divided by zero.
    """
    _refuse_zero(other, input)
    # The remainder of floats takes a step for every few bits of the quotient, and so up to a microsecond.
    return in_blocks(np.floor_divide, input, other)


def _trunc_quotient(input: Any, other: Any) -> Any:
    if not _refuse_zero(other, input):
        return np.trunc(np.true_divide(input, other))
    # np.fmod has the sign of the dividend, so the difference divides without rest.
    return np.floor_divide(np.subtract(input, np.fmod(input, other)), other)


def _not_implemented(name: str) -> NoReturn:
    raise TensorRuntimeError(f"derivative for aten::{name} is not implemented", code="no_derivative")


@op(
    check=only("iuf", "div_floor_cpu"),
    grad_fn="NotImplemented",
    numbers_alone=True,
    vjp=dict(input=lambda g: _not_implemented("floor_divide"), other=lambda g: _not_implemented("floor_divide")),
)
def floor_divide(input: Tensor, other: Tensor) -> Any:
    """Elementwise quotient rounded down; torch has no derivative of it."""
    return floor_quotient(input, other)


def _remainder(input: Any, other: Any) -> Any:
    _refuse_zero(other, input)
    # np.remainder turns -0.0 into 0.0; torch keeps the sign that fmod gives.
    rest = in_blocks(np.fmod, input, other)
    return np.where((rest != 0) & (np.less(other, 0) != (rest < 0)), np.add(rest, other), rest)


@op("remainder", overload="Scalar", promoted=("input", "other"), check=only("iuf", "remainder_cpu"), vjp=dict(input=lambda g: g))
def remainder_scalar(input: Tensor, other: Scalar) -> Any:
    """The remainder of the quotient rounded down; it has the sign of ``other``."""
    return _remainder(input, other)


@op(
    "remainder",
    overload="Scalar_Tensor",
    promoted=("input", "other"),
    check=only("iuf", "remainder_cpu"),
    grad_fn="NotImplemented",
    vjp=dict(other=lambda g: _not_implemented("remainder")),
)
def remainder_scalar_tensor(input: Scalar, other: Tensor) -> Any:
    """The remainder of the quotient rounded down; it has the sign of ``other``."""
    return _remainder(input, other)


@op(
    "remainder",
    overload="Tensor",
    grad_fn="RemainderBackward1",
    check=only("iuf", "remainder_cpu"),
    vjp=dict(input=lambda g: g, other=lambda g, input, other: -g * ops.div(input, other, rounding_mode="floor")),
)
def remainder_tensor(input: Tensor, other: Tensor) -> Any:
    """The remainder of the quotient rounded down; it has the sign of ``other``."""
    return _remainder(input, other)


def _fmod(input: Any, other: Any) -> Any:
    _refuse_zero(other, input)
    return in_blocks(np.fmod, input, other)


@op("fmod", overload="Scalar", promoted=("input", "other"), check=only("iuf", "fmod_cpu"), vjp=dict(input=lambda g: g))
def fmod_scalar(input: Tensor, other: Scalar) -> Any:
    """The remainder of the quotient rounded towards zero; it has the sign of ``input``."""
    return _fmod(input, other)


@op(
    "fmod",
    overload="Tensor",
    grad_fn="FmodBackward1",
    check=only("iuf", "fmod_cpu"),
    vjp=dict(input=lambda g: g, other=lambda g, input, other: -g * ops.div(input, other, rounding_mode="trunc")),
)
def fmod_tensor(input: Tensor, other: Tensor) -> Any:
    """The remainder of the quotient rounded towards zero; it has the sign of ``input``."""
    return _fmod(input, other)
