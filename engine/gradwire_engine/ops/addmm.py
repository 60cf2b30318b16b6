"""A tensor plus a product of matrices or vectors, both scaled."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import TensorRuntimeError
from ..meta import Meta, dense
from ..op import op, ops
from ..params import Scalar, Tensor
from ..work import product_work
from .matmul import batches_work, check_batches, check_matrices, check_vector, refuse_bool, spread, torch_name, turned
from .matrix_product import product
from .supported import converted, cpp_name, require_tensor
from .views import expanded_size


def _check_factors(dtype: np.dtype[Any], beta: Scalar, alpha: Scalar) -> None:
    for factor in (beta, alpha):
        converted(factor, dtype)


def _total(input: Array, added: Array, beta: Scalar, alpha: Scalar) -> Array:
    """``beta * input + alpha * added``; a ``beta`` of 0 leaves ``input`` out, whatever is in it."""
    if alpha != 1:
        added = added * converted(alpha, added.dtype)
    if beta == 0:
        return added
    return added + (input if beta == 1 else input * converted(beta, added.dtype))


def scaled(x: Any, factor: Scalar) -> Any:
    """``x`` times a number, itself where that is 1."""
    return x if factor == 1 else x * factor


def _addmm(input: Any, mat1: Any, mat2: Any, beta: Scalar, alpha: Scalar) -> Meta:
    for what, matrix in (("mat1", mat1), ("mat2", mat2)):
        if len(matrix.shape) != 2:
            raise TensorRuntimeError(f"{what} must be a matrix, got {len(matrix.shape)}-D tensor", code="shape_mismatch")
    shape = check_matrices(mat1, mat2)
    for what, operand in (("self", input), ("mat1", mat1)):
        if operand.dtype != mat2.dtype:
            names = f"{torch_name(operand)} and {torch_name(mat2)}"
            raise TensorRuntimeError(f"{what} and mat2 must have the same dtype, but got {names}", code="dtype_mismatch")
    expanded_size(input, shape)
    refuse_bool(mat1, "addmm_impl_cpu_")
    _check_factors(mat1.dtype, beta, alpha)
    return dense(shape, mat1.dtype)


@op(
    batch="added_product",
    meta=_addmm,
    work=lambda mat1, mat2: product_work(mat1.shape[0], mat1.shape[1], mat2.shape[1], mat1.dtype),
    inplace=True,
    vjp=dict(
        input=lambda g, beta: scaled(g, beta),
        mat1=lambda g, mat2, alpha: scaled(ops.mm(g, ops.t(mat2)), alpha),
        mat2=lambda g, mat1, alpha: scaled(ops.mm(ops.t(mat1), g), alpha),
    ),
)
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Scalar = 1, alpha: Scalar = 1) -> Array:
    """``beta * input + alpha * (mat1 @ mat2)``."""
    meta = _addmm(input, mat1, mat2, beta, alpha)
    return _total(np.broadcast_to(input, meta.shape), product(mat1, mat2), beta, alpha)


def _addmv(input: Any, mat: Any, vec: Any, beta: Scalar, alpha: Scalar) -> Meta:
    shape = check_vector(input, mat, vec)
    expanded_size(input, shape)
    _check_factors(mat.dtype, beta, alpha)
    return dense(shape, mat.dtype)


@op(
    batch="added_product",
    meta=_addmv,
    inplace=True,
    vjp=dict(
        input=lambda g, beta: scaled(g, beta),
        mat=lambda g, vec, alpha: scaled(spread(g, vec), alpha),
        vec=lambda g, mat, alpha: scaled(ops.mv(ops.t(mat), g), alpha),
    ),
)
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Scalar = 1, alpha: Scalar = 1) -> Array:
    """``beta * input + alpha * (mat @ vec)``."""
    meta = _addmv(input, mat, vec, beta, alpha)
    return _total(np.broadcast_to(input, meta.shape), product(mat, vec), beta, alpha)


def _baddbmm(input: Any, batch1: Any, batch2: Any, beta: Scalar, alpha: Scalar) -> Meta:
    shape = check_batches(batch1, batch2)
    expanded_size(input, shape)
    if not input.dtype == batch1.dtype == batch2.dtype:
        names = f"input {cpp_name(input.dtype)}, batch1: {cpp_name(batch1.dtype)}, batch2: {cpp_name(batch2.dtype)}"
        raise TensorRuntimeError(f"Input dtypes must be the same, got: {names}", code="dtype_mismatch")
    refuse_bool(batch1, "baddbmm")
    _check_factors(batch1.dtype, beta, alpha)
    return dense(shape, batch1.dtype)


@op(
    batch="added_product",
    meta=_baddbmm,
    work=lambda batch1, batch2: batches_work(batch1, batch2),
    inplace=True,
    vjp=dict(
        input=lambda g, beta: scaled(g, beta),
        batch1=lambda g, batch2, alpha: scaled(ops.bmm(g, turned(batch2)), alpha),
        batch2=lambda g, batch1, alpha: scaled(ops.bmm(turned(batch1), g), alpha),
    ),
)
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Scalar = 1, alpha: Scalar = 1) -> Array:
    """``beta * input + alpha * (batch1 @ batch2)`` for batches of matrices."""
    meta = _baddbmm(input, batch1, batch2, beta, alpha)
    return _total(np.broadcast_to(input, meta.shape), product(batch1, batch2), beta, alpha)


def _addbmm(input: Any, batch1: Any, batch2: Any, beta: Scalar, alpha: Scalar) -> Meta:
    for what, batch in (("batch1", batch1), ("batch2", batch2)):
        if len(batch.shape) != 3:
            raise TensorRuntimeError(f"{what} must be a 3D tensor", code="shape_mismatch")
    expanded_size(input, (batch1.shape[1], batch2.shape[2]))
    if batch1.shape[0] != batch2.shape[0]:
        counts = f"{batch1.shape[0]} and {batch2.shape[0]}"
        raise TensorRuntimeError(f"batch1 and batch2 must have same number of batches, got {counts}", code="shape_mismatch")
    if batch1.shape[2] != batch2.shape[1]:
        sizes = "{}x{} and {}x{}".format(*batch1.shape[1:], *batch2.shape[1:])
        raise TensorRuntimeError(f"Incompatible matrix sizes for bmm ({sizes})", code="shape_mismatch")
    for operand in (input, batch2):
        if operand.dtype != batch1.dtype:
            names = f"{torch_name(batch1)} but found {torch_name(operand)}"
            raise TensorRuntimeError(f"expected scalar type {names}", code="dtype_mismatch")
    refuse_bool(batch1, "addbmm")
    _check_factors(batch1.dtype, beta, alpha)
    return dense((batch1.shape[1], batch2.shape[2]), batch1.dtype)


def _for_each(g: Any, meta: Any) -> Any:
    """The cotangent of a sum over a batch, for each matrix of the batch."""
    return ops.expand(ops.unsqueeze(g, 0), (meta.shape[0], *g.shape))


@op(
    batch="added_product",
    meta=_addbmm,
    work=lambda batch1, batch2: batches_work(batch1, batch2),
    inplace=True,
    vjp=dict(
        input=lambda g, beta: scaled(g, beta),
        batch1=lambda g, batch2, batch1_meta, alpha: scaled(ops.bmm(_for_each(g, batch1_meta), turned(batch2)), alpha),
        batch2=lambda g, batch1, batch2_meta, alpha: scaled(ops.bmm(turned(batch1), _for_each(g, batch2_meta)), alpha),
    ),
)
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Scalar = 1, alpha: Scalar = 1) -> Array:
    """``beta * input`` plus ``alpha`` times the sum of the products ``batch1 @ batch2``."""
    meta = _addbmm(input, batch1, batch2, beta, alpha)
    added = product(batch1, batch2).sum(axis=0, dtype=batch1.dtype)
    return _total(np.broadcast_to(input, meta.shape), added, beta, alpha)


def _addr(input: Any, vec1: Any, vec2: Any, beta: Scalar, alpha: Scalar) -> Meta:
    for position, (what, vector) in enumerate((("input", input), ("vec1", vec1), ("vec2", vec2)), 1):
        require_tensor("addr", what, position, vector)
        if what != "input" and len(vector.shape) != 1:
            raise TensorRuntimeError(f"addr: Expected 1-D argument {what}, but got {len(vector.shape)}-D", code="shape_mismatch")
    shape = (vec1.shape[0], vec2.shape[0])
    expanded_size(input, shape)
    for what, factor in (("beta", beta), ("alpha", alpha)):
        if input.dtype.kind in "biu" and isinstance(factor, (float, complex)):
            raise TensorRuntimeError(
                f"For integral input tensors, argument {what} must not be a floating point number.", code="dtype_mismatch"
            )
    _check_factors(input.dtype, beta, alpha)
    return dense(shape, input.dtype)


@op(
    promotion="same",
    batch="outer_sum",
    meta=_addr,
    inplace=True,
    vjp=dict(
        input=lambda g, beta: scaled(g, beta),
        vec1=lambda g, vec2, alpha: scaled(ops.mv(g, vec2), alpha),
        vec2=lambda g, vec1, alpha: scaled(ops.mv(ops.t(g), vec1), alpha),
    ),
)
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Scalar = 1, alpha: Scalar = 1) -> Array:
    """``beta * input + alpha * outer(vec1, vec2)``."""
    meta = _addr(input, vec1, vec2, beta, alpha)
    return _total(np.broadcast_to(input, meta.shape), np.multiply.outer(vec1, vec2), beta, alpha)
