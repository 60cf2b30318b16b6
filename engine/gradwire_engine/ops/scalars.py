"""Arithmetic with a number, as torch's own composites do it: the same values, but overloads with other ``grad_fn`` names."""

from __future__ import annotations

import numpy as np

from ..dtypes import Array
from ..op import op
from ..params import Scalar, Tensor


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
    return np.multiply(input, other)


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
    return np.true_divide(input, other)
