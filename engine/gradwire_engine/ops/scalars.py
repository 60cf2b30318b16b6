"""Arithmetic with a number, as torch's own composites do it: the same values, but overloads with other ``grad_fn`` names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array
from ..op import op
from ..params import Scalar, Tensor
from .reduce import HALF, SINGLE


def beside_number(function: Callable[..., Array], input: Any, other: Any) -> Array:
    """An elementwise function of two operands, of which the second may be a number.

    To half precision torch does not round such a number, but computes with it in single precision: zero times 1e9 is zero.
    """
    if type(other) in (float, int) and isinstance(getattr(input, "dtype", None), np.dtype) and input.dtype == HALF:
        return function(input.astype(SINGLE), other).astype(HALF)
    return function(input, other)


@op("_add_scalar", promoted=("input", "other"), method=False, inplace=False, grad_fn="AddBackward1", vjp=dict(input=lambda g: g))
def add_scalar(input: Tensor, other: Scalar) -> Array:
    """``input + other``."""
    return np.add(input, other)


@op("_sub_scalar", promoted=("input", "other"), method=False, inplace=False, grad_fn="SubBackward1", vjp=dict(input=lambda g: g))
def sub_scalar(input: Tensor, other: Scalar) -> Array:
    """``input - other``."""
    return np.subtract(input, other)


@op(
    "_mul_scalar",
    promoted=("input", "other"),
    method=False,
    inplace=False,
    grad_fn="MulBackward1",
    vjp=dict(input=lambda g, other: g * other),
)
def mul_scalar(input: Tensor, other: Scalar) -> Array:
    """``input * other``."""
    return beside_number(np.multiply, input, other)


@op(
    "_div_scalar",
    promotion="float",
    promoted=("input", "other"),
    method=False,
    inplace=False,
    grad_fn="DivBackward1",
    vjp=dict(input=lambda g, other: g / other),
)
def div_scalar(input: Tensor, other: Scalar) -> Array:
    """``input / other``."""
    return beside_number(np.true_divide, input, other)
