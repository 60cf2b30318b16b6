"""Special functions. SciPy computes them; it is imported where it is used, so that nothing else depends on it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorRuntimeError
from ..op import op, ops
from ..params import Scalar, Tensor
from ..stopping import in_blocks
from ..work import per_element
from .supported import only

_SQRT_PI = math.sqrt(math.pi)


def scipy_function(name: str, used_by: str) -> Any:
    """The function of that name in ``scipy.special``.

    Raises:
        TensorRuntimeError: SciPy is not installed.
    """
    try:
        import scipy.special
    except ImportError:
        raise TensorRuntimeError(
            f'{used_by}() needs SciPy, which is not installed. Install it with: pip install "gradwire[special]"', code="missing_extra"
        ) from None
    return getattr(scipy.special, name)


def _apply(name: str, used_by: str, input: Array) -> Array:
    # SciPy has no half precision; its results come back in single.
    function = scipy_function(name, used_by)
    return np.asarray(in_blocks(lambda x: function(x).astype(x.dtype, copy=False), input))


@op(
    promotion="float",
    check=only("f", "erf_vml_cpu"),
    work=per_element(1_000),
    aliases=("special.erf",),
    vjp=dict(input=lambda g, input: 2 / _SQRT_PI * ops.exp(-(input * input)) * g),
)
def erf(input: Tensor) -> Array:
    """The error function."""
    function: Any
    try:
        from scipy.special import erf as function
    except ImportError:
        function = np.frompyfunc(math.erf, 1, 1)
    return np.asarray(in_blocks(lambda x: np.asarray(function(x)).astype(x.dtype, copy=False), input))


@op(
    promotion="float",
    check=only("f", "erfc_vml_cpu"),
    work=per_element(1_000),
    aliases=("special.erfc",),
    vjp=dict(input=lambda g, input: -2 / _SQRT_PI * ops.exp(-(input * input)) * g),
)
def erfc(input: Tensor) -> Array:
    """One less the error function, exact for large elements."""
    return _apply("erfc", "erfc", input)


def _erfinv_gradient(g: Any, input: Any) -> Any:
    inverse = ops.erfinv(input)
    return 0.5 * _SQRT_PI * ops.exp(inverse * inverse) * g


@op(
    promotion="float",
    check=only("f", "erfinv_vml_cpu"),
    work=per_element(1_000),
    aliases=("special.erfinv",),
    vjp=dict(input=_erfinv_gradient),
)
def erfinv(input: Tensor) -> Array:
    """The inverse of the error function."""
    return _apply("erfinv", "erfinv", input)


@op(
    promotion="float",
    check=only("f", "lgamma_vml_cpu"),
    work=per_element(4_000),
    aliases=("special.gammaln",),
    vjp=dict(input=lambda g, input: g * ops.digamma(input)),
)
def lgamma(input: Tensor) -> Array:
    """The logarithm of the absolute value of the gamma function."""
    found = _apply("gammaln", "lgamma", input)
    return np.where(np.isinf(input), np.asarray(math.inf, input.dtype), found)


@op(
    promotion="float",
    check=only("f", "digamma"),
    work=per_element(8_000),
    aliases=("special.digamma", "special.psi"),
    vjp=dict(input=lambda g, input: g * ops.polygamma(1, input)),
)
def digamma(input: Tensor) -> Array:
    """The derivative of ``lgamma``."""
    found = _apply("psi", "digamma", input)
    return np.where(input == 0, np.copysign(np.asarray(math.inf, input.dtype), -input), found)


def _check_polygamma(n: int, dtype: Any) -> None:
    if n < 0:
        raise TensorRuntimeError("polygamma(n, x) does not support negative n.", code="invalid_order")
    only("f", "digamma" if n == 0 else "trigamma" if n == 1 else "polygamma")(dtype)


@op(
    "special.polygamma",
    promotion="float",
    method=True,
    inplace=False,
    aliases=("polygamma",),
    check=_check_polygamma,
    work=per_element(8_000),
    vjp=dict(input=lambda g, n, input: g * ops.polygamma(n + 1, input)),
)
def polygamma(n: int, input: Tensor) -> Array:
    """The derivative of order ``n`` of ``digamma``."""
    if n == 0:
        return _apply("psi", "polygamma", input)
    zeta = scipy_function("zeta", "polygamma")
    power = np.float64(n + 1)
    factor = (-1.0) ** (n + 1) * scipy_function("gamma", "polygamma")(power)
    return np.asarray(in_blocks(lambda x: (factor * _zeta(zeta, power, x.astype(np.float64))).astype(x.dtype), input))


def _zeta(zeta: Any, power: Any, x: Array) -> Array:
    """The sum of ``1 / (x + k) ** power`` over k >= 0, for whole powers.

    SciPy adds up the terms with x + k < 0 one by one, as many as ``-x``. Seen from the other side they are a part of the same sum.
    """
    below = (x < -16) & (x != np.floor(x))
    if not np.any(below):
        return np.asarray(zeta(power, x))
    rest = x - np.floor(x)
    terms = zeta(power, 1 - rest) - zeta(power, np.where(below, 1 - x, 1))
    return np.where(below, zeta(power, rest) + (-1.0) ** power * terms, zeta(power, np.where(below, 1, x)))


def _xlogy_gradient(g: Any, input: Any, other: Any) -> Any:
    return ops.where((input == 0) & (other <= 0), 0, g * ops.log(other))


def _xlogy_number_gradient(g: Any, input: Any, other: float) -> Any:
    if other > 0:
        return g * math.log(other)
    return ops.where(input == 0, 0, g * (-math.inf if other == 0 else math.nan))


def _xlogy(input: Any, other: Any) -> Array:
    product = np.multiply(input, np.log(other))
    return np.where(np.isnan(other), other, np.where(np.equal(input, 0), np.zeros((), product.dtype), product))


@op(
    "xlogy",
    overload="Scalar_Self",
    promotion="float",
    promoted=("input", "other"),
    grad_fn="XlogyBackward1",
    aliases=("special.xlogy",),
    check=only("f", "xlogy_cpu"),
    vjp=dict(other=lambda g, input, other: g * input / other),
)
def xlogy_scalar_self(input: Scalar, other: Tensor) -> Array:
    """``input * log(other)``, and 0 where ``input`` is 0."""
    return _xlogy(input, other)


@op(
    "xlogy",
    overload="Scalar_Other",
    promotion="float",
    promoted=("input", "other"),
    grad_fn="XlogyBackward2",
    aliases=("special.xlogy",),
    check=only("f", "xlogy_cpu"),
    vjp=dict(input=_xlogy_number_gradient),
)
def xlogy_scalar_other(input: Tensor, other: Scalar) -> Array:
    """``input * log(other)``, and 0 where ``input`` is 0."""
    return _xlogy(input, np.asarray(other, input.dtype))


@op(
    "xlogy",
    overload="Tensor",
    promotion="float",
    aliases=("special.xlogy",),
    check=only("f", "xlogy_cpu"),
    vjp=dict(input=_xlogy_gradient, other=lambda g, input, other: g * input / other),
)
def xlogy_tensor(input: Tensor, other: Tensor) -> Array:
    """``input * log(other)``, and 0 where ``input`` is 0."""
    return _xlogy(input, other)
