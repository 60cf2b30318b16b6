"""Normalisation over layers and groups, and what batch normalisation shares with it.

All three standardise over some dimensions and then scale and shift. With xhat = (x - mean) * r, r = 1 / sqrt(var + eps) and n
elements to a mean, the gradient is r * (u - mean(u) - xhat * mean(u * xhat)) for the cotangent u of xhat (Ioffe and Szegedy,
2015, section 3). That map of u is symmetric, which the rule of ``_standardize_backward`` uses.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError, TensorValueError
from ..meta import Meta, Shape, check_extent, dense
from ..op import op, ops
from ..params import Size, Tensor
from .supported import only


def _count(shape: Shape, dims: Shape) -> int:
    return math.prod(shape[d] for d in dims)


def _kept(shape: Shape, dims: Shape) -> Shape:
    return tuple(1 if i in dims else s for i, s in enumerate(shape))


def standard(input: Array, dims: Shape, eps: float) -> tuple[Array, Array]:
    """``input`` less its mean, times ``1 / sqrt(variance + eps)``, over ``dims``; and that factor."""
    if not input.size:
        return input.copy(), np.ones(_kept(input.shape, dims), input.dtype)
    centred = input - np.mean(input, axis=dims, keepdims=True)
    scale = 1 / np.sqrt(np.mean(centred * centred, axis=dims, keepdims=True) + input.dtype.type(eps))
    return centred * scale, scale


def _standardize_rule(g: Any, input_meta: Meta, xhat: Any, scale: Any, dims: Shape) -> Any:
    # The second output depends on the input too: d scale / dx = -scale**2 * xhat / n.
    through_scale = g[1] * (scale * scale) * xhat * (-1 / max(_count(input_meta.shape, dims), 1))
    return ops._standardize_backward(g[0], xhat, scale, dims) + through_scale


@op(
    "_standardize",
    outputs=("xhat", "scale"),
    method=False,
    meta=lambda input, dims: (dense(input.shape, input.dtype), dense(_kept(input.shape, dims), input.dtype)),
    vjp=dict(input=_standardize_rule),
)
def standardize(input: Tensor, dims: Size, eps: float) -> tuple[Array, Array]:
    """``input`` less its mean, times ``1 / sqrt(variance + eps)``, over ``dims``; and that factor."""
    return standard(input, dims, eps)


def _backward_xhat(g: Any, grad_output: Any, xhat: Any, scale: Any, dims: Shape) -> Any:
    scaled = g * scale
    return -(scaled * ops.mean(grad_output * xhat, dims, True) + grad_output * ops.mean(scaled * xhat, dims, True))


@op(
    "_standardize_backward",
    method=False,
    meta=lambda xhat: dense(xhat.shape, xhat.dtype),
    vjp=dict(
        grad_output=lambda g, xhat, scale, dims: ops._standardize_backward(g, xhat, scale, dims),
        xhat=_backward_xhat,
        scale=lambda g, out, scale, dims: ops.sum(g * out, dims, True) / scale,
    ),
)
def standardize_backward(grad_output: Tensor, xhat: Tensor, scale: Tensor, dims: Size) -> Array:
    """The gradient of ``_standardize`` for the cotangent ``grad_output`` of its first output."""
    if not xhat.size:
        return np.zeros(xhat.shape, xhat.dtype)
    mean = np.mean(grad_output, axis=dims, keepdims=True)
    return scale * (grad_output - mean - xhat * np.mean(grad_output * xhat, axis=dims, keepdims=True))


def affine_gradients(
    g: Any, xhat: Any, weight: Any, dims: Shape | None, over: Shape, shape: Shape, needs: Any, scale: Any
) -> tuple[Any, ...]:
    """The gradients of ``xhat * weight + bias``: with respect to what was standardised, the weight and the bias.

    Args:
        g: The cotangent, of the shape of ``xhat``.
        xhat: The standardised values.
        weight: The weight in a shape that broadcasts to ``xhat``, or ``None``.
        dims: The dimensions that were standardised over; ``None`` for fixed statistics.
        over: The dimensions that the gradients of weight and bias are summed over.
        shape: The shape of weight and bias.
        needs: Which of the three gradients are needed.
        scale: The factor of the standardisation.
    """
    through = g if weight is None else g * weight
    past = None
    if needs[0]:
        past = through * scale if dims is None else ops._standardize_backward(through, xhat, scale, dims)
    # An empty list of dimensions means all of them.
    totals = [ops.reshape(ops.sum(x, over) if over else x, shape) if need else None for x, need in ((g * xhat, needs[1]), (g, needs[2]))]
    return past, *totals


# Layers.


def _check_layer(input: Any, normalized_shape: Shape, weight: Any, bias: Any) -> None:
    if not normalized_shape:
        raise TensorRuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []"
        )
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.shape != normalized_shape:
            raise TensorRuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(parameter.shape)} "
                f"and normalized_shape = {list(normalized_shape)}",
                code="shape_mismatch",
            )
    if tuple(input.shape[-len(normalized_shape) :]) != normalized_shape or input.ndim < len(normalized_shape):
        sizes = ", ".join(map(str, normalized_shape))
        raise TensorRuntimeError(
            f"Given normalized_shape=[{sizes}], expected input with shape [*, {sizes}], but got input of size{list(input.shape)}",
            code="shape_mismatch",
        )
    check_dtypes(input, (weight, bias), "LayerNormKernelImpl")


def check_dtypes(input: Any, parameters: tuple[Any, ...], kernel: str) -> None:
    """Refuses a dtype that is not floating point, and parameters of another dtype than the input, as torch does on the CPU."""
    only("f", kernel)(input.dtype)
    for parameter in parameters:
        if parameter is not None and parameter.dtype != input.dtype:
            if input.dtype.itemsize < 8 and parameter.dtype.itemsize > input.dtype.itemsize:
                name = dtype_of(np.dtype(np.float32)).torch_name
                raise TensorRuntimeError(f"mixed dtype (CPU): expect parameter to have scalar type of {name}", code="dtype_mismatch")
            if input.dtype.itemsize >= 4:
                raise TensorRuntimeError("mixed dtype (CPU): all inputs must share same datatype.", code="dtype_mismatch")


def _layer_meta(input: Meta, normalized_shape: Shape, weight: Meta | None, bias: Meta | None) -> Meta:
    _check_layer(input, normalized_shape, weight, bias)
    return dense(input.shape, input.dtype)


def _trailing(ndim: int, count: int) -> Shape:
    return tuple(range(ndim - count, ndim))


# torch saves the bias as well, so a bias that is overwritten before backward is refused.
def _layer_rule(g: Any, input: Any, normalized_shape: Shape, weight: Any, bias: Any, eps: float, needs: Any) -> tuple[Any, ...]:
    ndim = len(input.shape)
    dims = _trailing(ndim, len(normalized_shape))
    xhat, scale = ops._standardize(input, dims, eps)
    return affine_gradients(g, xhat, weight, dims, tuple(range(ndim - len(dims))), normalized_shape, needs, scale)


@op(
    "nn.functional.layer_norm",
    aliases=("layer_norm",),
    method=False,
    opmath=True,
    grad_fn="NativeLayerNormBackward0",
    batch="first_only",
    meta=_layer_meta,
    vjp={("input", "weight", "bias"): _layer_rule},
)
def layer_norm(input: Tensor, normalized_shape: Size, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Array:
    """Standardises over the last dimensions, whose sizes are ``normalized_shape``, then scales and shifts (Ba et al., 2016)."""
    _check_layer(input, normalized_shape, weight, bias)
    out = standard(input, _trailing(input.ndim, len(normalized_shape)), eps)[0]
    return affine(out, weight, bias)


def layer_norm_of_batch(input: Array, normalized_shape: Shape, weight: Array | None, bias: Array | None, eps: float) -> Array:
    """The kernel of ``layer_norm`` for many items at once: every operand has a leading axis."""
    out = standard(input, _trailing(input.ndim, len(normalized_shape)), eps)[0]
    between = (1,) * (input.ndim - 1 - len(normalized_shape))
    return affine(out, *[None if p is None else p.reshape(len(p), *between, *normalized_shape) for p in (weight, bias)])


def affine(out: Array, weight: Array | None, bias: Array | None) -> Array:
    """Scales and shifts by parameters that broadcast to ``out``."""
    if weight is not None:
        out = out * weight
    return out if bias is None else out + bias


# Groups.


def _check_group(input: Any, num_groups: int, weight: Any, bias: Any) -> None:
    if input.ndim < 2:
        raise TensorRuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    if num_groups <= 0:
        raise TensorRuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    channels = input.shape[1]
    size = (input.shape[0] * channels // num_groups, num_groups, *input.shape[2:])
    check_batch(size, str(list(size)))
    if channels % num_groups:
        raise TensorRuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, "
            f"but got input of shape {list(input.shape)} and num_groups={num_groups}",
            code="shape_mismatch",
        )
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.shape != (channels,):
            raise TensorRuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, "
                f"but got {name} of shape {list(parameter.shape)} and input of shape {list(input.shape)}",
                code="shape_mismatch",
            )
    check_dtypes(input, (weight, bias), "GroupNormKernelImpl")
    check_extent(_grouped(input.shape, num_groups), input.dtype.itemsize)


def check_batch(size: Shape, text: str) -> None:
    """Refuses a batch with one value per channel, whose variance says nothing."""
    if size[0] * math.prod(size[2:]) == 1:
        raise TensorValueError(f"Expected more than 1 value per channel when training, got input size {text}")


def _group_meta(input: Meta, num_groups: int, weight: Meta | None, bias: Meta | None) -> Meta:
    _check_group(input, num_groups, weight, bias)
    return dense(input.shape, input.dtype)


def _grouped(shape: Shape, num_groups: int) -> Shape:
    return (shape[0], num_groups, math.prod(shape[1:]) // num_groups)


def per_channel(shape: Shape) -> Shape:
    """The shape in which one value per channel broadcasts to ``shape``."""
    return tuple(shape[1] if i == 1 else 1 for i in range(len(shape)))


def other_than_channels(ndim: int) -> Shape:
    """All dimensions but the one of the channels."""
    return (0, *range(2, ndim))


def _group_rule(g: Any, input: Any, num_groups: int, weight: Any, eps: float, needs: Any) -> tuple[Any, ...]:
    shape = tuple(input.shape)
    flat = _grouped(shape, num_groups)
    xhat, scale = ops._standardize(ops.reshape(input, flat), (2,), eps)
    full = ops.reshape(xhat, shape)
    over, channels = other_than_channels(len(shape)), (shape[1],)
    through = g if weight is None else g * ops.reshape(weight, per_channel(shape))
    past = ops.reshape(ops._standardize_backward(ops.reshape(through, flat), xhat, scale, (2,)), shape) if needs[0] else None
    _, for_weight, for_bias = affine_gradients(g, full, None, (), over, channels, (False, *needs[1:]), None)
    return past, for_weight, for_bias


@op(
    "nn.functional.group_norm",
    aliases=("group_norm",),
    method=False,
    opmath=True,
    grad_fn="NativeGroupNormBackward0",
    meta=_group_meta,
    vjp={("input", "weight", "bias"): _group_rule},
)
def group_norm(input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5) -> Array:
    """Standardises each of ``num_groups`` groups of channels, then scales and shifts each channel (Wu and He, 2018)."""
    _check_group(input, num_groups, weight, bias)
    out = standard(input.reshape(_grouped(input.shape, num_groups)), (2,), eps)[0].reshape(input.shape)
    shape = per_channel(input.shape)
    return affine(out, None if weight is None else weight.reshape(shape), None if bias is None else bias.reshape(shape))


def group_norm_of_batch(input: Array, num_groups: int, weight: Array | None, bias: Array | None, eps: float) -> Array:
    """The kernel of ``group_norm`` for many items at once: every operand has a leading axis."""
    shape = input.shape
    count, groups, elements = _grouped(shape[1:], num_groups)
    out = standard(input.reshape(shape[0] * count, groups, elements), (2,), eps)[0].reshape(shape)
    return affine(out, *[None if p is None else p.reshape(len(p), *per_channel(shape[1:])) for p in (weight, bias)])
