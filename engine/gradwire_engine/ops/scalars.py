"""Arithmetic with a number, as torch's own composites do it: the same values, but overloads with other ``grad_fn`` names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array
from ..op import op
from ..opmath import HALF, SINGLE
from ..params import Scalar, Tensor


def is_rounded(input: Any, other: Any) -> bool:
    """Whether NumPy would round a number to half precision, in which ``input`` is.

    torch does not, but computes with it in single precision: zero times 1e9 is zero.
    """
    return (type(other) is float or type(other) is int) and getattr(input, "dtype", None) == HALF


def in_single(function: Callable[..., Array], input: Array, other: Any) -> Array:
    """An elementwise function of an array of half precision and a number."""
    return function(input.astype(SINGLE), other).astype(HALF)


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
    return in_single(np.multiply, input, other) if is_rounded(input, other) else np.multiply(input, other)


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
    return in_single(np.true_divide, input, other) if is_rounded(input, other) else np.true_divide(input, other)
