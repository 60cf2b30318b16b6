"""Activation functions that look at more than one element, or take a tensor of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError
from ..meta import Meta, dense, wrap_dim
from ..op import op, ops
from ..params import Dtype, Tensor
from .supported import only


def _glu_meta(input: Any, dim: int) -> Meta:
    if not input.shape:
        raise TensorRuntimeError("glu does not support scalars because halving size must be even")
    axis = wrap_dim(dim, input.ndim)
    size = input.shape[axis]
    if size % 2:
        raise TensorRuntimeError(f"Halving dimension must be even, but dimension {axis} is size {size}", code="shape_mismatch")
    only("f", "glu_cpu")(input.dtype)
    return dense((*input.shape[:axis], size // 2, *input.shape[axis + 1 :]), input.dtype)


def _glu_rule(g: Any, input: Any, dim: int) -> Any:
    half = input.shape[dim] // 2
    gate = ops.sigmoid(ops.narrow(input, dim, half, half))
    through = g * gate
    return ops.cat((through, through * (1 - gate) * ops.narrow(input, dim, 0, half)), dim)


@op("nn.functional.glu", method=False, opmath=True, meta=_glu_meta, vjp=dict(input=_glu_rule))
def glu(input: Tensor, dim: int = -1) -> Array:
    """The first half of ``input`` along ``dim`` times the sigmoid of the second (Dauphin et al., 2016)."""
    _glu_meta(input, dim)
    value, gate = np.split(input, 2, axis=dim)
    return np.asarray(value / (1 + np.exp(-gate)))


@op("nn.functional.prelu", aliases=("prelu",), composite=True, method=True)
def prelu(input: Tensor, weight: Tensor) -> Any:
    """Each element where it is positive, ``weight`` times it elsewhere; one weight, or one per channel (dimension 1)."""
    ndim, count = len(input.shape), 1
    for size in weight.shape:
        count *= size
    have, want = dtype_of(weight.dtype), dtype_of(input.dtype)
    if have is not want:
        raise TensorRuntimeError(f"prelu: Type promoting not supported. Got {want.torch_name} and {have.torch_name}", code="dtype_mismatch")
    if count != 1:
        if not ndim:
            raise TensorRuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if ndim > 1 else 1
        if channels != count:
            raise TensorRuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} and channel size = {channels}.",
                code="shape_mismatch",
            )
    if len(weight.shape) > 1:
        raise TensorRuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {len(weight.shape)}")
    if len(weight.shape) != ndim:
        weight = ops.reshape(weight, tuple(count if axis == 1 else 1 for axis in range(ndim)))
    return ops._prelu_kernel(input, weight)


@op("nn.functional.softmin", composite=True, method=False)
def softmin(input: Tensor, dim: int | None = None, *, dtype: Dtype | None = None) -> Any:
    """``softmax`` of ``-input``; without ``dim``, torch's implicit choice: 0 for 0, 1 or 3 dimensions, otherwise 1."""
    if dim is None:
        dim = 0 if len(input.shape) in (0, 1, 3) else 1
    return ops.softmax(-input, dim, dtype=dtype)
