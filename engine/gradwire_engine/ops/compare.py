"""Comparisons, tests of single elements, logic and bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, dtype_of
from ..errors import TensorRuntimeError
from ..op import op, ops
from ..params import Scalar, Tensor
from .supported import only


def _flat(g: Any) -> Any:
    """What a truth value written over a number passes on (as in ``x.eq_(y)``)."""
    return ops.zeros_like(g)


def _declare(name: str, alias: str | None, function: Callable[..., Any], doc: str, ordered: bool) -> None:
    """Declares a comparison with its two overloads."""
    check = only("biuf", f"{name}_cpu") if ordered else None
    aliases = (alias,) if alias else ()
    camel = name.capitalize()

    def scalar(input: Tensor, other: Scalar) -> Array:
        return function(input, other)

    def tensor(input: Tensor, other: Tensor) -> Array:
        return function(input, other)

    scalar.__doc__ = tensor.__doc__ = doc
    facts: dict[str, Any] = dict(result="bool", inplace=True, check=check, aliases=aliases)
    op(name, overload="Scalar", promoted=("input", "other"), grad_fn=f"{camel}Backward0", vjp=dict(input=_flat), **facts)(scalar)
    op(name, overload="Tensor", grad_fn=f"{camel}Backward1", vjp=dict(input=_flat, other=_flat), **facts)(tensor)


_declare("eq", None, np.equal, "Whether the elements are equal.", ordered=False)
_declare("ne", "not_equal", np.not_equal, "Whether the elements differ.", ordered=False)
_declare("lt", "less", np.less, "Whether each element of ``input`` is smaller than that of ``other``.", ordered=True)
_declare("le", "less_equal", np.less_equal, "Whether each element of ``input`` is not greater than that of ``other``.", ordered=True)
_declare("gt", "greater", np.greater, "Whether each element of ``input`` is greater than that of ``other``.", ordered=True)
_declare("ge", "greater_equal", np.greater_equal, "Whether each element of ``input`` is not smaller than that of ``other``.", ordered=True)


@op(result="bool")
def isnan(input: Tensor) -> Array:
    """Whether each element is not a number."""
    return np.isnan(input)


@op(result="bool")
def isinf(input: Tensor) -> Array:
    """Whether each element is infinite."""
    return np.isinf(input)


@op(result="bool")
def isfinite(input: Tensor) -> Array:
    """Whether each element is neither infinite nor not a number."""
    return np.isfinite(input)


def _check_isclose(input: Any, other: Any, rtol: float, atol: float) -> None:
    dtypes = [v.dtype for v in (input, other) if hasattr(v, "dtype")]
    if dtypes[0] != dtypes[-1]:
        raise TensorRuntimeError(f"{dtype_of(dtypes[0]).torch_name} did not match {dtype_of(dtypes[-1]).torch_name}", code="dtype_mismatch")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise TensorRuntimeError(f"{name} must be greater than or equal to zero, but got {value:g}", code="invalid_tolerance")


@op(result="bool", check=_check_isclose)
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Array:
    """Whether ``|input - other| <= atol + rtol * |other|``; infinities are close to their like only."""
    close = np.equal(input, other)
    if equal_nan:
        close = close | (np.isnan(input) & np.isnan(other))
    # Differences of truth values and of unsigned integers are taken as floating point numbers.
    a, b = (np.asarray(v) if np.asarray(v).dtype.kind in "fc" else np.asarray(v, np.float64) for v in (input, other))
    distance = np.abs(a - b)
    return close | (np.isfinite(distance) & (distance <= atol + np.abs(rtol * b)))


@op(result="bool", inplace=True)
def logical_and(input: Tensor, other: Tensor) -> Array:
    """Whether both elements are other than zero."""
    return np.logical_and(input, other)


@op(result="bool", inplace=True)
def logical_or(input: Tensor, other: Tensor) -> Array:
    """Whether one of the elements is other than zero."""
    return np.logical_or(input, other)


@op(result="bool", inplace=True)
def logical_xor(input: Tensor, other: Tensor) -> Array:
    """Whether exactly one of the elements is other than zero."""
    return np.logical_xor(input, other)


@op(result="bool", inplace=True)
def logical_not(input: Tensor) -> Array:
    """Whether each element is zero."""
    return np.logical_not(input)


def _whole(kernel: str) -> Callable[[NumpyDType], None]:
    return only("biu", kernel)


@op(check=_whole("bitwise_and_cpu"))
def bitwise_and(input: Tensor, other: Tensor) -> Array:
    """The bits that are set in both elements."""
    return np.bitwise_and(input, other)


@op(check=_whole("bitwise_or_cpu"))
def bitwise_or(input: Tensor, other: Tensor) -> Array:
    """The bits that are set in one of the elements."""
    return np.bitwise_or(input, other)


@op(check=_whole("bitwise_xor_cpu"))
def bitwise_xor(input: Tensor, other: Tensor) -> Array:
    """The bits that are set in exactly one of the elements."""
    return np.bitwise_xor(input, other)


@op(check=_whole("bitwise_not_cpu"))
def bitwise_not(input: Tensor) -> Array:
    """The bits that are not set; for truth values, not."""
    return np.invert(input)
