"""Batch normalisation, with the statistics of the batch or with running ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorIndexError, TensorRuntimeError, TensorValueError
from ..meta import Meta, Shape, dense
from ..modes import PURE, no_grad
from ..op import op, ops
from ..params import Tensor
from ..value import Value
from .losses import size_text
from .normalise import affine, affine_gradients, check_batch, check_dtypes, other_than_channels, per_channel, standard


def _meta(input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any) -> Meta:
    if input.ndim < 2:
        span = max(input.ndim, 1)
        raise TensorIndexError(
            f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got 1)", code="dim_out_of_range"
        )
    channels = input.shape[1]
    named = (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias))
    for name, parameter in named:
        if parameter is not None and math.prod(parameter.shape) != channels:
            raise TensorRuntimeError(f"{name} should contain {channels} elements not {math.prod(parameter.shape)}", code="shape_mismatch")
        if parameter is not None and len(parameter.shape) != 1 and name != "bias":
            raise TensorRuntimeError(f"TensorAccessor expected 1 dims but tensor has {len(parameter.shape)}", code="shape_mismatch")
    check_dtypes(input, tuple(parameter for _, parameter in named), "batch_norm")
    return dense(input.shape, input.dtype)


def _shaped(parameter: Any, shape: Shape) -> Any:
    return None if parameter is None else ops.reshape(parameter, per_channel(shape))


def _rule(g: Any, input: Any, weight: Any, running_mean: Any, running_var: Any, training: bool, eps: float, needs: Any) -> tuple[Any, ...]:
    shape = tuple(input.shape)
    others = other_than_channels(len(shape))
    if training:
        dims: Shape | None = others
        xhat, scale = ops._standardize(input, others, eps)
    else:
        dims = None
        scale = ops.rsqrt(_shaped(running_var, shape) + eps)
        xhat = (input - _shaped(running_mean, shape)) * scale
    return affine_gradients(g, xhat, _shaped(weight, shape), dims, others, (shape[1],), needs, scale)


@op("_batch_norm", method=False, opmath=True, grad_fn="NativeBatchNormBackward0", meta=_meta, vjp={("input", "weight", "bias"): _rule})
def standardized_batch(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    eps: float,
) -> Array:
    """Standardises each channel, with the statistics of the batch when training, then scales and shifts it."""
    _meta(input, weight, bias, running_mean, running_var)
    weight, bias, mean, var = (
        None if p is None else p.reshape(per_channel(input.shape)) for p in (weight, bias, running_mean, running_var)
    )
    if training:
        out = standard(input, other_than_channels(input.ndim), eps)[0]
    elif mean is not None and var is not None:
        out = (input - mean) / np.sqrt(var + input.dtype.type(eps))
    return affine(out, weight, bias)


def standardized_batch_of_batch(
    input: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    training: bool,
    eps: float,
) -> Array:
    """The kernel of ``_batch_norm`` for many items at once: every operand has a leading axis."""
    shape = per_channel(input.shape[1:])
    weight, bias, mean, var = (None if p is None else p.reshape(len(p), *shape) for p in (weight, bias, running_mean, running_var))
    if training:
        out = standard(input, tuple(1 + d for d in other_than_channels(len(shape))), eps)[0]
    elif mean is not None and var is not None:
        out = (input - mean) / np.sqrt(var + input.dtype.type(eps))
    return affine(out, weight, bias)


def _follow(input: Any, running_mean: Any, running_var: Any, momentum: float) -> None:
    """Moves the running statistics of eager tensors towards those of the batch; torch counts no version for it either."""
    dims = other_than_channels(len(input.shape))
    with no_grad():
        for running, batch in ((running_mean, ops.mean(input, dims)), (running_var, ops.var(input, dims))):
            running._overwrite((running * (1 - momentum) + batch * momentum)._data)


@op("nn.functional.batch_norm", composite=True, method=False)
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Standardises each channel, with the statistics of the batch when training and the running ones otherwise (Ioffe and Szegedy, 2015).

    When training, running statistics that are eager tensors are updated in place; a program leaves them as they are.
    """
    if training:
        if input.shape:
            check_batch(tuple(input.shape), size_text(input.shape))
        if eps <= 0:
            raise TensorValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0:
        raise TensorValueError(f"batch_norm eps must be non-negative, but got {eps}")
    statistics = (("running_mean", running_mean), ("running_var", running_var))
    for name, statistic in statistics:
        if statistic is None and not training:
            raise TensorRuntimeError(f"{name} must be defined in evaluation mode")
    if (running_mean is None) != (running_var is None):
        raise TensorValueError("running_mean and running_var must either both be None or neither be None")
    for name, statistic in statistics:
        if isinstance(statistic, Value) and statistic.requires_grad:
            raise TensorRuntimeError(
                f"The function 'native_batch_norm' is not differentiable with respect to argument '{name}'. "
                "This input cannot have requires_grad True."
            )
    out = ops._batch_norm(input, weight, bias, running_mean, running_var, training, eps)
    if training and isinstance(running_mean, Value) and isinstance(running_var, Value) and running_mean.announces:
        for statistic in (running_mean, running_var):
            statistic._written()  # they are updated where their elements are
    elif training and not PURE.get() and isinstance(running_mean, Value) and running_mean.computes_on_arrays:
        _follow(input, running_mean, running_var, momentum)
    return out
