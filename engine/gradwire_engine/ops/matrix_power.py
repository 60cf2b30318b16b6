"""Powers of matrices, and the cross product."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError, TensorValueError
from ..meta import Meta, broadcast, dense, wrap_dim
from ..op import op, ops
from ..params import Tensor
from .matmul import require_tensors
from .matrices import check_square, identity_like
from .reduce import not_implemented


@op("linalg.matrix_power", composite=True)
def linalg_matrix_power(A: Tensor, n: int) -> Any:
    """Each matrix times itself ``n`` times; the inverse's power where ``n`` is negative."""
    check_square("linalg.matrix_power", A)
    if not -(2**63) <= n < 2**63:
        raise TensorValueError("Overflow when unpacking long long", code="integer_out_of_range", pointer="/n")
    if n == 0:
        return identity_like(ops.zeros_like(A))
    if n == 1:
        return ops.clone(A)
    if n == -1:
        return ops.linalg.inv(A)
    base = ops.linalg.inv(A) if n < 0 else A
    n = abs(n)
    if n == 2:
        return ops.matmul(base, base)
    if n == 3:
        return ops.matmul(ops.matmul(base, base), base)
    # Squares, multiplied where the exponent has a 1: Knuth, "The Art of Computer Programming", volume 2, section 4.6.3.
    square, result = base, None
    while True:
        if n & 1:
            result = square if result is None else ops.matmul(result, square)
        n >>= 1
        if not n:
            return result
        square = ops.matmul(square, square)


@op(composite=True)
def matrix_power(input: Tensor, n: int) -> Any:
    """Each matrix times itself ``n`` times; the inverse's power where ``n`` is negative."""
    return ops.linalg.matrix_power(input, n)


def _cross(input: Any, other: Any, dim: int) -> Meta:
    if len(input.shape) != len(other.shape):
        raise TensorRuntimeError("linalg.cross: inputs must have the same number of dimensions.", code="shape_mismatch")
    axis = wrap_dim(dim, len(input.shape))
    sizes = [x.shape[axis] if x.shape else 1 for x in (input, other)]
    if sizes != [3, 3]:
        raise TensorRuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {sizes[0]} and {sizes[1]}", code="shape_mismatch"
        )
    shape = broadcast(input.shape, other.shape)
    if input.dtype != other.dtype:
        names = f"{dtype_of(input.dtype).torch_name} but found {dtype_of(other.dtype).torch_name}"
        raise TensorRuntimeError(f"expected scalar type {names}", code="dtype_mismatch")
    if input.dtype.kind == "b":
        raise not_implemented(input, "cross")
    return dense(shape, input.dtype)


@op(
    "linalg.cross",
    meta=_cross,
    grad_fn="LinalgCrossBackward0",
    vjp=dict(
        input=lambda g, other, dim: ops.linalg.cross(other, g, dim=dim),
        other=lambda g, input, dim: ops.linalg.cross(g, input, dim=dim),
    ),
)
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Array:
    """The cross product of the vectors of three elements along ``dim``."""
    _cross(input, other, dim)
    return np.cross(input, other, axis=dim)


@op(composite=True)
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Any:
    """The cross product of the vectors of three elements along ``dim``, by default the first dimension of that size."""
    require_tensors("cross", input=input, other=other)
    if dim is None:
        if 3 not in input.shape:
            raise TensorRuntimeError("no dimension of size 3 in input", code="shape_mismatch")
        dim = tuple(input.shape).index(3)
    return ops.linalg.cross(input, other, dim=dim)
