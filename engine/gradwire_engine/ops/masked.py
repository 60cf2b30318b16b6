"""Selecting and replacing elements by a mask."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorRuntimeError
from ..meta import Meta, Shape, broadcast, dense
from ..op import op, ops
from ..params import Size, Tensor
from .positions import torch_name


def _check_select(mask: Any) -> None:
    if mask.dtype.kind != "b":
        raise TensorRuntimeError("masked_select: expected BoolTensor for mask", code="dtype_mismatch")


def _select_meta(input: Meta, mask: Meta) -> Meta:
    _check_select(mask)
    return dense((math.prod(broadcast(mask.shape, input.shape)),), input.dtype)


@op(
    meta=_select_meta,
    data_dependent=True,
    vjp=dict(input=lambda g, input, mask: ops._masked_select_backward(g, tuple(broadcast(tuple(input.shape), tuple(mask.shape))), mask)),
)
def masked_select(input: Tensor, mask: Tensor) -> Any:
    """The elements where ``mask`` is true, in a vector; the two are broadcast against each other."""
    _check_select(mask)
    shape = broadcast(mask.shape, input.shape)
    return np.broadcast_to(input, shape)[np.broadcast_to(mask, shape)]


@op(
    "_masked_select_backward",
    method=False,
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(grad_output=lambda g, mask: ops.masked_select(g, mask)),
)
def masked_select_backward(grad_output: Tensor, shape: Size, mask: Tensor) -> Array:
    """Zeros with ``grad_output`` where ``mask`` is true."""
    out = np.zeros(shape, grad_output.dtype)
    out[np.broadcast_to(mask, shape)] = grad_output
    return out


def _check_scatter(input: Any, mask: Any, source: Any) -> Shape:
    if source.dtype != input.dtype:
        raise TensorRuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{torch_name(input.dtype)} and {torch_name(source.dtype)}",
            code="dtype_mismatch",
        )
    if mask.dtype.kind != "b":
        raise TensorRuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {torch_name(mask.dtype)}", code="dtype_mismatch"
        )
    return broadcast(mask.shape, input.shape)


@op(
    inplace=True,
    meta=lambda input, mask, source: dense(_check_scatter(input, mask, source), input.dtype),
    vjp=dict(
        input=lambda g, mask: ops.masked_fill(g, mask, 0),
        source=lambda g, mask, source_meta: ops._masked_scatter_backward(g, mask, source_meta.shape),
    ),
)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Array:
    """``input`` with the first elements of ``source``, in order, where ``mask`` is true."""
    shape = _check_scatter(input, mask, source)
    out = np.array(np.broadcast_to(input, shape), order="C")
    where = np.broadcast_to(mask, shape)
    count = int(np.count_nonzero(where))
    if source.size < count:
        raise TensorRuntimeError("Number of elements of source < number of ones in mask", code="shape_mismatch")
    out[where] = source.reshape(-1)[:count]
    return out


@op(
    "_masked_scatter_backward",
    method=False,
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(
        grad_output=lambda g, grad_output_meta, mask: ops.masked_scatter(
            ops.expand(ops.zeros_like(ops.sum(g)), grad_output_meta.shape), mask, g
        )
    ),
)
def masked_scatter_backward(grad_output: Tensor, mask: Tensor, shape: Size) -> Array:
    """The elements of ``grad_output`` where ``mask`` is true, followed by zeros, in ``shape``."""
    out = np.zeros(math.prod(shape), grad_output.dtype)
    found = grad_output[np.broadcast_to(mask, grad_output.shape)]
    out[: found.size] = found
    return out.reshape(shape)
