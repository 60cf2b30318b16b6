"""Filling parameters with their first values (``torch.nn.init``): every function writes in place and returns the tensor.

Numbers are drawn as torch draws them, in the same order, so that a seed gives the same network.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Final

from gradwire_engine.modes import no_grad
from gradwire_engine.op import ops
from gradwire_engine.random import Generator

from .._missing import missing
from ._create import create

_LINEAR: Final = ("linear", *(f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)))
_FEWEST_KEPT: Final = 0.3
"""The share of normal numbers inside the bounds from which on drawing anew until all are inside beats other ways."""


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance through a nonlinearity.

    Args:
        nonlinearity: Its name, such as ``"relu"``.
        param: The slope below zero of ``"leaky_relu"``; 0.01 when left out.

    Raises:
        ValueError: The name is not known, or the slope is no number.
    """
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"negative_slope {param} not a valid number")
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def _calculate_fan_in_and_fan_out(tensor: Any) -> tuple[int, int]:
    """How many inputs an output of the layer has, and how many outputs an input."""
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _fan(tensor: Any, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


@no_grad()
def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Any:
    """Numbers spread evenly over [a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Any:
    """Normally distributed numbers."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def constant_(tensor: Any, val: float) -> Any:
    """``val`` everywhere."""
    return tensor.fill_(val)


def ones_(tensor: Any) -> Any:
    """Ones."""
    return constant_(tensor, 1.0)


@no_grad()
def zeros_(tensor: Any) -> Any:
    """Zeros."""
    return tensor.zero_()


@no_grad()
def eye_(tensor: Any) -> Any:
    """The identity matrix.

    Raises:
        ValueError: The tensor has not two dimensions.
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    tensor.zero_()
    tensor.diagonal().fill_(1)
    return tensor


@no_grad()
def dirac_(tensor: Any, groups: int = 1) -> Any:
    """The weights of a convolution that passes on as many channels as there are.

    Args:
        tensor: The weights, (outputs, inputs / groups, and one to three dimensions of the kernel).
        groups: The groups of channels that have nothing to do with each other.

    Raises:
        ValueError: The tensor has not three to five dimensions, or ``groups`` does not divide the first.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    outputs, inputs, *kernel = tensor.shape
    if outputs % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    tensor.zero_()
    middle = tuple(n // 2 for n in kernel)
    for group in range(groups):
        for channel in range(min(outputs // groups, inputs)):
            tensor[(group * (outputs // groups) + channel, channel, *middle)] = 1
    return tensor


def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Generator | None = None) -> Any:
    """Evenly spread numbers with the variance ``2 * gain ** 2 / (fan_in + fan_out)`` (Glorot and Bengio, 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Generator | None = None) -> Any:
    """Normally distributed numbers with the variance ``2 * gain ** 2 / (fan_in + fan_out)`` (Glorot and Bengio, 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> Any:
    """Evenly spread numbers with the variance ``gain ** 2 / fan`` (He et al., 2015).

    Args:
        tensor: The weights.
        a: The slope below zero of the rectifier that follows.
        mode: ``"fan_in"`` keeps the variance forwards, ``"fan_out"`` backwards.
        nonlinearity: The name of the nonlinearity that follows (see ``calculate_gain``).
        generator: The generator to draw from; the one in force when left out.
    """
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    fan = _fan(tensor, mode)
    std = calculate_gain(nonlinearity, a) / math.sqrt(fan)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> Any:
    """Normally distributed numbers with the variance ``gain ** 2 / fan``; the arguments are those of ``kaiming_uniform_``."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    fan = _fan(tensor, mode)
    return normal_(tensor, 0, calculate_gain(nonlinearity, a) / math.sqrt(fan), generator)


def orthogonal_(tensor: Any, gain: float = 1, generator: Generator | None = None) -> Any:
    """A matrix with orthogonal rows or columns, times ``gain`` (Saxe et al., 2013); later dimensions count as one.

    Raises:
        ValueError: The tensor has fewer than two dimensions.
    """
    if tensor.dim() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    wide = rows < tensor.numel() // rows
    with no_grad():
        drawn = tensor.new_empty((rows, tensor.numel() // rows)).normal_(0, 1, generator=generator)
        q, r = ops.linalg.qr(drawn.t() if wide else drawn)
        # The decomposition with a positive diagonal is the one that makes all orthogonal matrices equally likely (Mezzadri, 2007).
        q = q * r.diagonal().sign()
        tensor.copy_((q.t() if wide else q).reshape(tensor.shape))
        tensor.mul_(gain)
    return tensor


@no_grad()
def sparse_(tensor: Any, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Any:
    """Normally distributed numbers, of which the share ``sparsity`` of each column is zero (Martens, 2010).

    Raises:
        ValueError: The tensor has not two dimensions.
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        tensor[create(ops.randperm, rows)[:zeros], column] = 0
    return tensor


@no_grad()
def trunc_normal_(
    tensor: Any, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Generator | None = None
) -> Any:
    """Normally distributed numbers of which those outside [a, b] are drawn anew; whether there are any has to be looked at."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.",
            stacklevel=3,
        )
    kept = _normal_below((b - mean) / std) - _normal_below((a - mean) / std)
    return _redrawn(tensor, mean, std, a, b, generator) if kept > _FEWEST_KEPT else _accepted(tensor, mean, std, a, b, generator)


def _normal_below(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _redrawn(tensor: Any, mean: float, std: float, a: float, b: float, generator: Generator | None) -> Any:
    low, high = tensor.new_tensor(a), tensor.new_tensor(b)
    result = tensor.normal_(mean, std, generator=generator)
    while True:
        outside = (result < low) | (result > high)
        if not outside.any():
            break
        result = ops.where(outside, ops.empty_like(result).normal_(mean, std, generator=generator), result)
    return tensor if result is tensor else tensor.copy_(result)


def _accepted(tensor: Any, mean: float, std: float, a: float, b: float, generator: Generator | None) -> Any:
    """Evenly spread candidates, each accepted with a probability in proportion to its density."""
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2

    def refused(candidates: Any) -> Any:
        density = candidates.clone().sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(peak)
        return ops.empty_like(tensor).uniform_(generator=generator).log_() > density

    result = tensor.uniform_(a, b, generator=generator)
    pending = refused(result)
    while pending.any():
        candidates = ops.empty_like(tensor).uniform_(a, b, generator=generator)
        result = ops.where(pending, candidates, result)
        pending = pending & refused(candidates)
    return tensor if result is tensor else tensor.copy_(result)


if not TYPE_CHECKING:
    # Type checkers would take it that every name is there.
    __getattr__ = missing(__name__)
