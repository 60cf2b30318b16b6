"""Affine maps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError
from ..meta import Meta, dense, is_contiguous, meta_of_array
from ..op import op, ops
from ..params import Tensor
from ..value import Value
from ..work import product_work
from .matrix_product import product
from .views import check_has_dims


def _contiguous(tensor: Any) -> bool:
    return is_contiguous(type(tensor)._meta_of(tensor._data) if isinstance(tensor, Value) else meta_of_array(tensor))


@op("nn.functional.linear", composite=True, method=False)
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    """``input @ weight.T + bias`` for ``input`` of shape (..., in), ``weight`` (out, in) or (in), ``bias`` (out)."""
    ndim = len(input.shape)
    turned = ops.t(weight)
    if bias is None:
        return ops.matmul(input, turned)
    if ndim == 2:
        return ops.addmm(bias, input, turned)
    if ndim and len(weight.shape) == 2 and _contiguous(input):
        # One product of two matrices is faster than a batch of them; torch's graph shows the two views.
        flat = ops.view(input, (-1, input.shape[-1])) if 0 not in input.shape else ops.reshape(input, (_rows(input.shape), input.shape[-1]))
        return ops.view(ops.addmm(bias, flat, turned), (*input.shape[:-1], weight.shape[0]))
    return ops.add(ops.matmul(input, turned), bias)


def _rows(shape: Any) -> int:
    rows = 1
    for size in shape[:-1]:
        rows *= size
    return rows


_TILE_BYTES = 64 * 2**20
"""How large the products of rows with every filter may grow before rows are taken piece by piece."""


def _row_bytes(weight: Any) -> int:
    return max(int(weight.shape[0]) * int(weight.shape[2]) * int(weight.dtype.itemsize), 1)


def _trilinear_scratch(input1: Meta, weight: Meta) -> int:
    row = _row_bytes(weight)
    return weight.nbytes + min(input1.shape[0] * row, max(row, _TILE_BYTES))


@op(
    "_trilinear",
    method=False,
    meta=lambda input1, weight: dense((input1.shape[0], weight.shape[0]), input1.dtype),
    scratch=_trilinear_scratch,
    work=lambda input1, weight: product_work(input1.shape[0], math.prod(weight.shape[:2]), weight.shape[2], weight.dtype),
    vjp=dict(
        input1=lambda g, weight, input2: ops.einsum("bo,oij,bj->bi", g, weight, input2),
        weight=lambda g, input1, input2: ops.einsum("bo,bi,bj->oij", g, input1, input2),
        input2=lambda g, input1, weight: ops.einsum("bo,bi,oij->bj", g, input1, weight),
    ),
)
def trilinear(input1: Tensor, weight: Tensor, input2: Tensor) -> Array:
    """``input1[b] @ weight[o] @ input2[b]`` for each row b and output o."""
    rows, size = input1.shape
    outputs, _, other = weight.shape
    filters = weight.transpose(1, 0, 2).reshape(size, outputs * other)
    result = np.empty((rows, outputs), input1.dtype)
    step = max(_TILE_BYTES // _row_bytes(weight), 1)
    for start in range(0, rows, step):
        part = slice(start, start + step)
        # One large product of matrices, then the second input summed away.
        left = product(input1[part], filters).reshape(len(input1[part]), outputs, other)
        result[part] = product(left, input2[part][:, :, None])[:, :, 0]
    return result


@op("nn.functional.bilinear", aliases=("bilinear",), composite=True, method=False)
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    """``input1 @ weight[k] @ input2 + bias[k]`` for each output k; ``weight`` has the shape (out, in1, in2).

    Raises:
        TensorRuntimeError: The shapes do not fit (torch's messages).
    """
    first, second, third = tuple(input1.shape), tuple(input2.shape), tuple(weight.shape)
    if not first or len(third) != 3:
        raise TensorRuntimeError(
            f"bilinear(): expected inputs of at least 1 dimension and a weight of 3, but got shapes {list(first)} and {list(third)}",
            code="shape_mismatch",
        )
    if len(first) != len(second):
        raise TensorRuntimeError(f"bilinear(): input dimensions do not match: got {len(first)} and {len(second)}", code="shape_mismatch")
    for axis, (a, b) in enumerate(zip(first[:-1], second[:-1], strict=True)):
        if a != b:
            raise TensorRuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {axis}: got {a} and {b}", code="shape_mismatch"
            )
    for number, (have, want) in enumerate(((first[-1], third[1]), (second[-1], third[2])), 1):
        if have != want:
            raise TensorRuntimeError(
                f"bilinear(): input{number} size does not match weight size: got {have} but expected {want}", code="shape_mismatch"
            )
    if bias is not None:
        check_has_dims(bias, 0)
    if bias is not None and bias.shape[0] != third[0]:
        raise TensorRuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected {third[0]}", code="shape_mismatch"
        )
    if dtype_of(input1.dtype) is not dtype_of(input2.dtype):
        raise TensorRuntimeError("All tensors must have the same dtype", code="dtype_mismatch")
    rows = _rows(first)
    flat = ops._trilinear(ops.reshape(input1, (rows, first[-1])), weight, ops.reshape(input2, (rows, second[-1])))
    result = ops.reshape(flat, (*first[:-1], third[0]))
    return result if bias is None else ops.add(result, bias)
