"""Functions of one element, of real and complex numbers: exponentials, logarithms, trigonometry."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType
from ..errors import TensorNotImplementedError, TensorRuntimeError
from ..op import op, ops
from ..params import Tensor
from .supported import not_complex, only


@op(promotion="float", vjp=dict(input=lambda g, out: g * out))
def exp(input: Tensor) -> Array:
    """e to the power of each element."""
    return np.exp(input)


@op(promotion="float", aliases=("special.exp2",), vjp=dict(input=lambda g, out: g * out * math.log(2)))
def exp2(input: Tensor) -> Array:
    """2 to the power of each element."""
    return np.exp(input * math.log(2)) if input.dtype.kind == "c" else np.exp2(input)


@op(promotion="float", aliases=("special.expm1",), vjp=dict(input=lambda g, out: g * (out + 1)))
def expm1(input: Tensor) -> Array:
    """e to the power of each element, less 1, exact near zero."""
    return np.expm1(input)


@op(promotion="float", vjp=dict(input=lambda g, input: g / input))
def log(input: Tensor) -> Array:
    """Natural logarithm."""
    return np.log(input)


@op(promotion="float", vjp=dict(input=lambda g, input: g / (input * math.log(2))))
def log2(input: Tensor) -> Array:
    """Logarithm to base 2."""
    return np.log2(input)


@op(promotion="float", vjp=dict(input=lambda g, input: g / (input * math.log(10))))
def log10(input: Tensor) -> Array:
    """Logarithm to base 10."""
    return np.log10(input)


@op(promotion="float", grad_fn="Log1PBackward0", aliases=("special.log1p",), vjp=dict(input=lambda g, input: g / (input + 1)))
def log1p(input: Tensor) -> Array:
    """Natural logarithm of 1 plus each element, exact near zero."""
    return np.log1p(input)


@op(promotion="float", vjp=dict(input=lambda g, out: g / (2 * out)))
def sqrt(input: Tensor) -> Array:
    """Square root."""
    return np.sqrt(input)


@op(promotion="float", vjp=dict(input=lambda g, out: -0.5 * g * (out * out * out)))
def rsqrt(input: Tensor) -> Array:
    """One over the square root."""
    return 1 / np.sqrt(input)


@op(promotion="float", vjp=dict(input=lambda g, input: g * ops.cos(input)))
def sin(input: Tensor) -> Array:
    """Sine, in radians."""
    return np.sin(input)


@op(promotion="float", vjp=dict(input=lambda g, input: g * -ops.sin(input)))
def cos(input: Tensor) -> Array:
    """Cosine, in radians."""
    return np.cos(input)


@op(promotion="float", vjp=dict(input=lambda g, out: g * (1 + out * out)))
def tan(input: Tensor) -> Array:
    """Tangent, in radians."""
    return np.tan(input)


@op(promotion="float", aliases=("arcsin",), vjp=dict(input=lambda g, input: g * ops.rsqrt(-input * input + 1)))
def asin(input: Tensor) -> Array:
    """Inverse sine, between -pi/2 and pi/2."""
    return np.arcsin(input)


@op(promotion="float", aliases=("arccos",), vjp=dict(input=lambda g, input: g * -ops.rsqrt(-input * input + 1)))
def acos(input: Tensor) -> Array:
    """Inverse cosine, between 0 and pi."""
    return np.arccos(input)


@op(promotion="float", aliases=("arctan",), vjp=dict(input=lambda g, input: g / (input * input + 1)))
def atan(input: Tensor) -> Array:
    """Inverse tangent, between -pi/2 and pi/2."""
    return np.arctan(input)


@op(promotion="float", vjp=dict(input=lambda g, input: g * ops.cosh(input)))
def sinh(input: Tensor) -> Array:
    """Hyperbolic sine."""
    return np.sinh(input)


@op(promotion="float", vjp=dict(input=lambda g, input: g * ops.sinh(input)))
def cosh(input: Tensor) -> Array:
    """Hyperbolic cosine."""
    return np.cosh(input)


@op(promotion="float", opmath=True, vjp=dict(input=lambda g, out: g * (1 - out * out)))
def tanh(input: Tensor) -> Array:
    """Hyperbolic tangent."""
    return np.tanh(input)


def _no_inplace_gradient(name: str) -> Callable[[NumpyDType, bool], None]:
    def check(dtype: NumpyDType, recorded: bool) -> None:
        if recorded:
            raise TensorNotImplementedError(f"the derivative for 'inplace version of {name}' is not implemented.", code="no_derivative")

    return check


@op(
    promotion="float",
    inplace_check=_no_inplace_gradient("asinh"),
    aliases=("arcsinh",),
    vjp=dict(input=lambda g, input: g * ops.rsqrt(input * input + 1)),
)
def asinh(input: Tensor) -> Array:
    """Inverse hyperbolic sine."""
    return np.arcsinh(input)


def _acosh_gradient(g: Any, input: Any, input_meta: Any) -> Any:
    if input_meta.dtype.kind == "c":
        # The root of a product of complex numbers may be the other one.
        return g * (ops.rsqrt(input + 1) * ops.rsqrt(input - 1))
    return g * ops.rsqrt(input * input - 1)


@op(promotion="float", inplace_check=_no_inplace_gradient("acosh"), aliases=("arccosh",), vjp=dict(input=_acosh_gradient))
def acosh(input: Tensor) -> Array:
    """Inverse hyperbolic cosine."""
    return np.arccosh(input)


@op(
    promotion="float",
    inplace_check=_no_inplace_gradient("atanh"),
    aliases=("arctanh",),
    vjp=dict(input=lambda g, input: g * (1 / (1 - input * input))),
)
def atanh(input: Tensor) -> Array:
    """Inverse hyperbolic tangent."""
    return np.arctanh(input)


@op(promotion="float", opmath=True, aliases=("special.expit",), vjp=dict(input=lambda g, out: g * ((1 - out) * out)))
def sigmoid(input: Tensor) -> Array:
    """The logistic function, ``1 / (1 + exp(-input))``."""
    return 1 / (1 + np.exp(-input))


def _logit_gradient(g: Any, input: Any, eps: float | None) -> Any:
    slope = g / (input * (1 - input))
    if eps is None:
        return ops.where((input >= 0) & (input <= 1), slope, math.nan)
    return ops.where((input >= eps) & (input <= 1 - eps), slope, 0)


@op(promotion="float", check=only("f", "logit_cpu"), aliases=("special.logit",), vjp=dict(input=_logit_gradient))
def logit(input: Tensor, eps: float | None = None) -> Array:
    """The inverse of the logistic function; ``eps`` keeps the elements between ``eps`` and ``1 - eps`` first."""
    inside: Array = input if eps is None else np.minimum(np.maximum(input, eps), 1 - eps)
    odds: Array = inside / (1 - inside)
    return np.log(odds)


def _sinc_gradient(g: Any, input: Any) -> Any:
    # The steps are torch's, and so is what they round to in half precision, to which pi itself is not rounded.
    angle = ops._mul_scalar(input, math.pi)
    area = ops._mul_scalar(input * input, math.pi)
    ratio = (angle * ops.cos(angle) - ops.sin(angle)) / area
    # Masked once for any g, as torch does it, and once as a factor, with which a tangent is multiplied.
    return ops.where(area == 0, 0, g * ops.where(area == 0, 0, ratio))


@op(promotion="float", aliases=("special.sinc",), vjp=dict(input=_sinc_gradient))
def sinc(input: Tensor) -> Array:
    """``sin(pi * input) / (pi * input)``, and 1 at zero."""
    # Half precision is too coarse for the angle.
    angle = math.pi * (input.astype(np.float32) if input.dtype == np.float16 else input)
    return np.where(input == 0, np.ones((), input.dtype), (np.sin(angle) / angle).astype(input.dtype, copy=False))


@op(
    promotion="float",
    grad_fn="Deg2RadBackward0",
    check=not_complex("deg2rad is not supported for complex tensors.", TensorRuntimeError),
    vjp=dict(input=lambda g: g * (math.pi / 180)),
)
def deg2rad(input: Tensor) -> Array:
    """Degrees as radians."""
    return input * (math.pi / 180)


@op(
    promotion="float",
    grad_fn="Rad2DegBackward0",
    check=not_complex("rad2deg is not supported for complex tensors.", TensorRuntimeError),
    vjp=dict(input=lambda g: g * (180 / math.pi)),
)
def rad2deg(input: Tensor) -> Array:
    """Radians as degrees."""
    return input * (180 / math.pi)
