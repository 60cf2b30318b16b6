"""Rounding, and the other functions that are constant almost everywhere or identical but for a constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..op import op, ops
from ..params import Tensor
from .supported import duplicate, every, not_complex, only


def _flat(g: Any) -> Any:
    return ops.zeros_like(g)


def _rounded(input: Array, function: Any) -> Array:
    """Integers are round already, and some of NumPy's functions would make floating point numbers of them."""
    return function(input) if input.dtype.kind == "f" else duplicate(input)


@op(check=every(not_complex("floor is not supported for complex inputs"), only("iuf", "floor_vml_cpu")), vjp=dict(input=_flat))
def floor(input: Tensor) -> Array:
    """The largest whole number that is not above each element."""
    return _rounded(input, np.floor)


@op(check=every(not_complex("ceil is not supported for complex inputs"), only("iuf", "ceil_vml_cpu")), vjp=dict(input=_flat))
def ceil(input: Tensor) -> Array:
    """The smallest whole number that is not below each element."""
    return _rounded(input, np.ceil)


@op(
    aliases=("fix",),
    check=every(not_complex("trunc is not supported for complex inputs"), only("iuf", "trunc_vml_cpu")),
    vjp=dict(input=_flat),
)
def trunc(input: Tensor) -> Array:
    """Each element without its fraction."""
    return _rounded(input, np.trunc)


@op(check=only("f", "frac_cpu"), vjp=dict(input=lambda g: g))
def frac(input: Tensor) -> Array:
    """The fraction of each element, with the element's sign."""
    return np.subtract(input, np.trunc(input))


@op("round", overload="default", check=only("iuf", "round_vml_cpu"), vjp=dict(input=_flat))
def round_default(input: Tensor) -> Array:
    """The nearest whole number, the even one of two (IEEE 754)."""
    return _rounded(input, np.rint)


def _check_decimals(decimals: int, dtype: Any) -> None:
    only("f", "round_vml_cpu" if decimals == 0 else "round_cpu")(dtype)


@op("round", overload="decimals", grad_fn="RoundBackward1", aliases=("special.round",), check=_check_decimals, vjp=dict(input=_flat))
def round_decimals(input: Tensor, *, decimals: int) -> Array:
    """The nearest number with ``decimals`` digits after the point (or, if negative, zeros before it)."""
    if decimals == 0:
        return np.rint(input)
    scale = input.dtype.type(10.0 ** abs(decimals))
    rounded: Array = np.rint(input * scale) / scale if decimals > 0 else np.rint(input / scale) * scale
    return rounded


def signs(input: Array) -> Array:
    """-1, 0 or 1 for real numbers, 0 for NaN (where NumPy has NaN)."""
    return np.subtract(input > 0, input < 0, dtype=input.dtype) if input.dtype.kind != "b" else duplicate(input)


_NO_SIGN = "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."


@op(check=not_complex(_NO_SIGN), vjp=dict(input=_flat))
def sign(input: Tensor) -> Array:
    """-1, 0 or 1, as each element is negative, zero or positive."""
    return signs(input)
