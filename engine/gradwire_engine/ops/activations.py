"""Activation functions made of exponentials.

Where a derivative is only needed on one side of a kink its argument is kept to that side, because an infinity on the other side
would turn into NaN in higher derivatives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType
from ..errors import TensorRuntimeError
from ..meta import Meta, dense
from ..op import op, ops
from ..params import Real, Tensor
from .supported import only

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _elu_rule(g: Any, input: Any, alpha: Any, scale: float, input_scale: float) -> Any:
    # Where the slope is one-sided, at zero, torch takes the second derivative to be zero.
    negative = ops.where(input < 0, input, 0)
    return ops.where(input <= 0, g * (ops.exp(negative * input_scale) * (alpha * scale * input_scale)), g * scale)


def _elu(input: Array, alpha: Any, scale: float, input_scale: float) -> Array:
    return np.where(input > 0, input * scale, np.expm1(np.minimum(input, 0) * input_scale) * (alpha * scale))


_elu_check = only("f", "elu_cpu")


@op(
    "nn.functional.elu",
    method=False,
    opmath=True,
    check=_elu_check,
    vjp=dict(input=lambda g, input, alpha: _elu_rule(g, input, alpha, 1.0, 1.0)),
)
def elu(input: Tensor, alpha: Real = 1.0) -> Array:
    """Each element where it is positive, ``alpha * (exp(x) - 1)`` elsewhere (Clevert et al., 2015)."""
    return _elu(input, alpha, 1.0, 1.0)


@op(
    "nn.functional.selu",
    aliases=("selu",),
    method=False,
    opmath=True,
    grad_fn="EluBackward0",
    check=_elu_check,
    vjp=dict(input=lambda g, input: _elu_rule(g, input, _SELU_ALPHA, _SELU_SCALE, 1.0)),
)
def selu(input: Tensor) -> Array:
    """The scaled ``elu`` that keeps mean and variance from layer to layer (Klambauer et al., 2017)."""
    return _elu(input, _SELU_ALPHA, _SELU_SCALE, 1.0)


def _celu_check(alpha: Real, dtype: NumpyDType) -> None:
    if alpha == 0:
        raise TensorRuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    _elu_check(dtype)


@op(
    "nn.functional.celu",
    aliases=("celu",),
    method=False,
    opmath=True,
    check=_celu_check,
    vjp=dict(input=lambda g, input, alpha: _elu_rule(g, input, alpha, 1.0, 1.0 / alpha)),
)
def celu(input: Tensor, alpha: Real = 1.0) -> Array:
    """Each element where it is positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere (Barron, 2017)."""
    return _elu(input, alpha, 1.0, 1.0 / alpha)


_TANH_SCALE = math.sqrt(2 / math.pi)
_TANH_CUBE = 0.044715


def _gelu_check(approximate: str, dtype: NumpyDType) -> None:
    if approximate not in ("none", "tanh"):
        raise TensorRuntimeError("approximate argument must be either none or tanh.")
    only("f", "GeluKernelImpl")(dtype)


def _gelu_rule(g: Any, input: Any, approximate: str) -> Any:
    if approximate == "none":
        density = ops.exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi))
        return g * ((ops.erf(input * math.sqrt(0.5)) + 1) * 0.5 + input * density)
    square = input * input
    t = ops.tanh(input * (square * _TANH_CUBE + 1) * _TANH_SCALE)
    slope = (square * (3 * _TANH_CUBE) + 1) * _TANH_SCALE
    return g * ((t + 1) * 0.5 + input * (1 - t * t) * slope * 0.5)


@op("nn.functional.gelu", method=False, opmath=True, check=_gelu_check, vjp=dict(input=_gelu_rule))
def gelu(input: Tensor, *, approximate: str = "none") -> Array:
    """Each element times the normal distribution function of it (Hendrycks and Gimpel, 2016)."""
    if approximate == "none":
        return input * (0.5 * (1 + ops.erf.kernel(input * math.sqrt(0.5))))
    return 0.5 * input * (1 + np.tanh(_TANH_SCALE * (input + _TANH_CUBE * input * input * input)))


def _silu_rule(g: Any, input: Any) -> Any:
    s = ops.sigmoid(input)
    return g * (s * (input * (1 - s) + 1))


@op("nn.functional.silu", method=False, opmath=True, vjp=dict(input=_silu_rule), check=only("f", "silu_cpu"))
def silu(input: Tensor) -> Array:
    """Each element times its sigmoid, also called swish (Elfwing et al., 2017)."""
    return input / (1 + np.exp(-input))


def _mish_rule(g: Any, input: Any) -> Any:
    t = ops.tanh(ops.nn.functional.softplus(input))
    return g * (t + input * ops.sigmoid(input) * (1 - t * t))


@op("nn.functional.mish", method=False, opmath=True, vjp=dict(input=_mish_rule), check=only("f", "mish_cpu"))
def mish(input: Tensor) -> Array:
    """Each element times the tanh of its softplus (Misra, 2019)."""
    return input * np.tanh(np.logaddexp(input, 0))


def _softplus_rule(g: Any, input: Any, beta: Any, threshold: Any) -> Any:
    scaled = input * beta
    return ops.where(scaled > threshold, g, g * ops.sigmoid(scaled))


@op("nn.functional.softplus", method=False, opmath=True, vjp=dict(input=_softplus_rule), check=only("f", "softplus_cpu"))
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """``log(1 + exp(beta * x)) / beta``; the element itself where ``beta * x`` is above ``threshold``."""
    scaled = input * beta
    return np.where(scaled > threshold, input, np.logaddexp(scaled, 0) / beta)


@op("nn.functional.softsign", composite=True, method=False)
def softsign(input: Tensor) -> Any:
    """``x / (1 + |x|)``."""
    return ops.div(input, ops.abs(input) + 1)


@op("nn.functional.tanhshrink", composite=True, method=False)
def tanhshrink(input: Tensor) -> Any:
    """``x - tanh(x)``."""
    return ops.sub(input, ops.tanh(input))


@op("nn.functional.sigmoid", composite=True, method=False)
def sigmoid(input: Tensor) -> Any:
    """``1 / (1 + exp(-x))``."""
    return ops.sigmoid(input)


@op("nn.functional.tanh", composite=True, method=False)
def tanh(input: Tensor) -> Any:
    """Hyperbolic tangent."""
    return ops.tanh(input)


def _logsigmoid_meta(input: Any) -> Meta:
    only("f", "log_sigmoid_cpu")(input.dtype)
    return dense(input.shape, input.dtype)


# Not declared elementwise: torch's result is row-major whatever the order of the input.
@op(
    "nn.functional.logsigmoid",
    method=False,
    opmath=True,
    grad_fn="LogSigmoidBackward0",
    batch="leading",
    meta=_logsigmoid_meta,
    vjp=dict(input=lambda g, input: g * ops.sigmoid(-input)),
)
def logsigmoid(input: Tensor) -> Array:
    """The logarithm of the sigmoid, without overflow."""
    _logsigmoid_meta(input)
    return -np.logaddexp(-input, 0)
