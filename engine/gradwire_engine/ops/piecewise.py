"""Activation functions of pieces: straight lines and parabolas.

What a rule compares, and whether with ``<`` or ``<=``, is torch's choice of the gradient at a kink.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import as_array
from ..dtypes import Array, NumpyDType, dtype_of
from ..errors import TensorRuntimeError
from ..op import op, ops
from ..params import Real, Tensor
from .supported import every, not_complex, only

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


_WHOLE = {2: np.int16, 4: np.int32, 8: np.int64}


@op(
    "_threshold_backward",
    method=False,
    inplace=False,
    vjp=dict(grad_output=lambda g, input, threshold: ops._threshold_backward(g, input, threshold)),
)
def threshold_backward(grad_output: Tensor, input: Tensor, threshold: Real) -> Array:
    """``grad_output`` where ``input`` is above ``threshold`` (or NaN), zero elsewhere."""
    # numpy.where branches on every element, which costs seven times as much where the signs are random. Masking the bits does
    # not, and unlike a product with the mask it leaves no NaN behind infinities and no negative zeros.
    whole = _WHOLE[grad_output.dtype.itemsize]
    kept = np.subtract(0, as_array(~(input <= threshold)).view(np.int8), dtype=whole)
    return as_array(kept & grad_output.view(whole)).view(grad_output.dtype)


def _not_bool(message: str) -> Callable[[NumpyDType], None]:
    def check(dtype: NumpyDType) -> None:
        if dtype.kind == "b":
            raise TensorRuntimeError(message, code="dtype_not_implemented")

    return every(check, not_complex("clamp is not supported for complex types"))


@op(
    "nn.functional.relu",
    aliases=("relu",),
    method=True,
    check=_not_bool("Boolean inputs not supported for relu"),
    vjp=dict(input=lambda g, out: ops._threshold_backward(g, out, 0)),
)
def relu(input: Tensor) -> Array:
    """Each element where it is positive, zero elsewhere."""
    return np.maximum(input, 0)


@op(
    "nn.functional.threshold",
    aliases=("threshold",),
    method=False,
    check=only("iuf", "threshold_cpu"),
    vjp=dict(input=lambda g, input, threshold: ops._threshold_backward(g, input, threshold)),
)
def threshold(input: Tensor, threshold: Real, value: Real) -> Array:
    """Each element where it is above ``threshold``, ``value`` elsewhere."""
    limit, replacement = (np.asarray(v).astype(input.dtype) for v in (threshold, value))
    return np.where(input <= limit, replacement, input)


@op(
    "nn.functional.hardtanh",
    method=False,
    check=_not_bool("Bool inputs not supported for hardtanh"),
    vjp=dict(input=lambda g, input, min_val, max_val: ops.where((input <= min_val) | (input >= max_val), 0, g)),
)
def hardtanh(input: Tensor, min_val: Real = -1.0, max_val: Real = 1.0) -> Array:
    """Each element limited to the range from ``min_val`` to ``max_val``."""
    low, high = (np.asarray(v).astype(input.dtype) for v in (min_val, max_val))
    return np.minimum(np.maximum(input, low), high)


@op("nn.functional.relu6", composite=True, method=False)
def relu6(input: Tensor) -> Any:
    """Each element limited to the range from 0 to 6."""
    return ops.nn.functional.hardtanh(input, 0.0, 6.0)


@op(
    "nn.functional.leaky_relu",
    method=False,
    opmath=True,
    vjp=dict(input=lambda g, input, negative_slope: ops.where(input > 0, g, g * negative_slope)),
    check=only("f", "leaky_relu_cpu"),
)
def leaky_relu(input: Tensor, negative_slope: Real = 0.01) -> Array:
    """Each element where it is positive, ``negative_slope`` times it elsewhere."""
    return np.where(input > 0, input, input * negative_slope)


@op(
    "nn.functional.hardsigmoid",
    method=False,
    opmath=True,
    check=only("f", "hardsigmoid_cpu"),
    vjp=dict(input=lambda g, input: ops.where((input > -3) & (input < 3), g * (1 / 6), 0)),
)
def hardsigmoid(input: Tensor) -> Array:
    """``x / 6 + 1 / 2`` limited to the range from 0 to 1."""
    return np.minimum(np.maximum(input + 3, 0), 6) / 6


def _hardswish_rule(g: Any, input: Any) -> Any:
    return ops.where(input <= -3, 0, ops.where(input < 3, g * (input / 3 + 0.5), g))


@op("nn.functional.hardswish", method=False, opmath=True, vjp=dict(input=_hardswish_rule), check=only("f", "hardswish_cpu"))
def hardswish(input: Tensor) -> Array:
    """Each element times its ``hardsigmoid`` (Howard et al., 2019)."""
    return input * np.minimum(np.maximum(input + 3, 0), 6) / 6


def _outside(g: Any, input: Any, lambd: Any) -> Any:
    return ops.where((input >= -lambd) & (input <= lambd), 0, g)


@op(
    "nn.functional.hardshrink",
    aliases=("hardshrink",),
    method=True,
    inplace=False,
    check=only("f", "hardshrink_cpu"),
    vjp=dict(input=_outside),
)
def hardshrink(input: Tensor, lambd: Real = 0.5) -> Array:
    """Each element, but zero between ``-lambd`` and ``lambd``."""
    return np.where((input >= -lambd) & (input <= lambd), np.zeros((), input.dtype), input)


def _softshrink_check(lambd: Real, dtype: NumpyDType) -> None:
    only("f", "softshrink_check")(dtype)
    largest = np.finfo(dtype).max
    if not 0 <= lambd <= largest:
        raise TensorRuntimeError(
            f"lambda must be in range [0, {largest:g}] for input dtype {dtype_of(dtype).torch_name}, but found {lambd:g}"
        )


@op("nn.functional.softshrink", method=False, check=_softshrink_check, vjp=dict(input=_outside))
def softshrink(input: Tensor, lambd: Real = 0.5) -> Array:
    """Each element moved towards zero by ``lambd``, and zero where it would pass it."""
    # Subtracting what is within lambd keeps NaN, and lambd never has to be compared twice.
    return input - np.minimum(np.maximum(input, -lambd), lambd)


def _prelu_rule(g: Any, input: Any, weight: Any, needs: Any) -> tuple[Any, Any]:
    positive = input > 0
    return ops.where(positive, g, g * weight) if needs[0] else None, ops.where(positive, 0, g * input) if needs[1] else None


@op("_prelu_kernel", method=False, opmath=True, inplace=False, check=only("f", "prelu_cpu"), vjp={("input", "weight"): _prelu_rule})
def prelu_kernel(input: Tensor, weight: Tensor) -> Array:
    """Each element where it is positive, ``weight`` times it elsewhere."""
    return np.where(input > 0, input, weight * input)
