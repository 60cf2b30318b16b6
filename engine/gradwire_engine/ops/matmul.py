"""Products of matrices and vectors, in every combination of ranks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorNotImplementedError, TensorRuntimeError, TensorTypeError
from ..meta import Meta, broadcast, dense, meta_of_array
from ..op import op, ops
from ..params import Tensor, type_name
from ..value import Value
from ..work import product_work
from .matrix_product import product
from .supported import cpp_name


def require_tensors(op_name: str, **operands: Any) -> None:
    """Refuses Python numbers, which stand for tensors only where operands are promoted.

    Raises:
        TensorTypeError: An operand is a number (torch's message).
    """
    for position, (name, operand) in enumerate(operands.items(), 1):
        if not hasattr(operand, "shape"):
            raise TensorTypeError.of_argument(op_name, name, position, "Tensor", type_name(operand))


def refuse_bool(input: Any, kernel: str) -> None:
    """Refuses booleans, which torch does not multiply as matrices.

    Raises:
        TensorNotImplementedError: The dtype is bool.
    """
    if input.dtype.kind == "b":
        raise TensorNotImplementedError(f"\"{kernel}\" not implemented for 'Bool'", code="dtype_not_implemented")


def torch_name(input: Any) -> str:
    """The dtype of ``input`` as torch's messages name it."""
    return dtype_of(input.dtype).torch_name


def check_matrices(a: Any, b: Any) -> tuple[int, int]:
    """The shape of the product of two matrices.

    Raises:
        TensorRuntimeError: The sizes do not fit (torch's message).
    """
    if a.shape[1] != b.shape[0]:
        shapes = f"{a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]}"
        raise TensorRuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({shapes})", code="shape_mismatch")
    return a.shape[0], b.shape[1]


def _mm(input: Any, mat2: Any) -> Meta:
    for what, matrix in (("self", input), ("mat2", mat2)):
        if len(matrix.shape) != 2:
            raise TensorRuntimeError(f"{what} must be a matrix", code="shape_mismatch")
    shape = check_matrices(input, mat2)
    if input.dtype != mat2.dtype:
        names = f"{cpp_name(input.dtype)} != {cpp_name(mat2.dtype)}"
        raise TensorRuntimeError(f"expected m1 and m2 to have the same dtype, but got: {names}", code="dtype_mismatch")
    refuse_bool(input, "addmm_impl_cpu_")
    return dense(shape, input.dtype)


@op(
    batch="matrix_product",
    meta=_mm,
    work=lambda input, mat2: product_work(input.shape[0], input.shape[1], mat2.shape[1], input.dtype),
    vjp=dict(input=lambda g, mat2: ops.mm(g, ops.t(mat2)), mat2=lambda g, input: ops.mm(ops.t(input), g)),
)
def mm(input: Tensor, mat2: Tensor) -> Array:
    """The product of two matrices, of the shapes (n, m) and (m, p)."""
    _mm(input, mat2)
    return product(input, mat2)


def check_batches(batch1: Any, batch2: Any) -> tuple[int, int, int]:
    """The shape of the products of two batches of matrices.

    Raises:
        TensorRuntimeError: The ranks or sizes do not fit (torch's messages).
    """
    for what, batch in (("batch1", batch1), ("batch2", batch2)):
        if len(batch.shape) != 3:
            raise TensorRuntimeError(f"{what} must be a 3D tensor", code="shape_mismatch")
    wanted = [batch1.shape[0], batch1.shape[2]]
    if wanted != list(batch2.shape[:2]):
        raise TensorRuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {wanted} but got: {list(batch2.shape[:2])}.",
            code="shape_mismatch",
        )
    return batch1.shape[0], batch1.shape[1], batch2.shape[2]


def _bmm(input: Any, mat2: Any) -> Meta:
    shape = check_batches(input, mat2)
    if input.dtype != mat2.dtype:
        raise TensorRuntimeError(f"expected scalar type {torch_name(input)} but found {torch_name(mat2)}", code="dtype_mismatch")
    refuse_bool(input, "bmm")
    return dense(shape, input.dtype)


def turned(batch: Any) -> Any:
    """Each matrix of a batch transposed."""
    return ops.transpose(batch, 1, 2)


def batches_work(batch1: Any, batch2: Any) -> int:
    """The work of the products of two batches."""
    count, rows, inner = batch1.shape
    return product_work(count * rows, inner, batch2.shape[2], batch1.dtype)


@op(
    batch="batched_product",
    meta=_bmm,
    work=lambda input, mat2: batches_work(input, mat2),
    vjp=dict(input=lambda g, mat2: ops.bmm(g, turned(mat2)), mat2=lambda g, input: ops.bmm(turned(input), g)),
)
def bmm(input: Tensor, mat2: Tensor) -> Array:
    """The products of the matrices of two batches, of the shapes (b, n, m) and (b, m, p)."""
    _bmm(input, mat2)
    return product(input, mat2)


def check_vector(start: Any, mat: Any, vec: Any) -> tuple[int]:
    """The shape of a matrix times a vector.

    Args:
        start: What the product is added to; the vector itself where there is nothing.
        mat: The matrix.
        vec: The vector.

    Raises:
        TensorRuntimeError: Ranks, sizes or dtypes do not fit (torch's messages).
    """
    ranks = min(len(start.shape), 1) if start is not vec else 1, len(mat.shape), len(vec.shape)
    if ranks[1:] != (2, 1):
        raise TensorRuntimeError(f"vector + matrix @ vector expected, got {ranks[0]}, {ranks[1]}, {ranks[2]}", code="shape_mismatch")
    rows, columns = mat.shape
    have = rows if start is vec or start.shape in ((), (1,)) else start.shape[0]
    if columns != vec.shape[0] or rows != have:
        raise TensorRuntimeError(f"size mismatch, got input ({have}), mat ({rows}x{columns}), vec ({vec.shape[0]})", code="shape_mismatch")
    if not start.dtype == mat.dtype == vec.dtype:
        names = f"{torch_name(start)}, {torch_name(mat)}, and {torch_name(vec)}"
        raise TensorRuntimeError(f"addmv input tensors must have the same dtype, but got {names}", code="dtype_mismatch")
    refuse_bool(mat, "addmv_impl_cpu")
    return (rows,)


def _mv(input: Any, vec: Any) -> Meta:
    return dense(check_vector(vec, input, vec), input.dtype)


def spread(g: Any, vec: Any) -> Any:
    """The outer product of two vectors."""
    return ops.unsqueeze(g, 1) * ops.unsqueeze(vec, 0)


@op(meta=_mv, vjp=dict(input=lambda g, vec: spread(g, vec), vec=lambda g, input: ops.mv(ops.t(input), g)), batch="matrix_vector")
def mv(input: Tensor, vec: Tensor) -> Array:
    """A matrix of the shape (n, m) times a vector of m elements."""
    _mv(input, vec)
    return product(input, vec)


def _dot(input: Any, other: Any) -> Meta:
    if len(input.shape) != 1 or len(other.shape) != 1:
        ranks = f"{len(input.shape)}D and {len(other.shape)}D"
        raise TensorRuntimeError(f"1D tensors expected, but got {ranks} tensors", code="shape_mismatch")
    if input.dtype != other.dtype:
        names = f"{torch_name(input)} and {torch_name(other)}"
        raise TensorRuntimeError(f"dot : expected both vectors to have same dtype, but found {names}", code="dtype_mismatch")
    if input.shape != other.shape:
        raise TensorRuntimeError(
            f"inconsistent tensor size, expected tensor {list(input.shape)} and src {list(other.shape)} "
            f"to have the same number of elements, but got {input.shape[0]} and {other.shape[0]} elements respectively",
            code="shape_mismatch",
        )
    refuse_bool(input, "dot")
    return dense((), input.dtype)


@op(
    "dot",
    meta=lambda input, tensor: _dot(input, tensor),
    vjp=dict(input=lambda g, tensor: g * tensor, tensor=lambda g, input: g * input),
    batch="dot",
)
def dot(input: Tensor, tensor: Tensor) -> Array:
    """The sum of the products of the elements of two vectors."""
    _dot(input, tensor)
    return product(input, tensor)


@op(
    batch="dot",
    meta=lambda input, other: _dot(input, other),
    holomorphic=False,
    vjp=dict(input=lambda g, other: ops.conj(g) * other, other=lambda g, input: g * input),
)
def vdot(input: Tensor, other: Tensor) -> Array:
    """The sum of the products of the elements of two vectors, those of the first conjugated."""
    _dot(input, other)
    return product(np.conjugate(input), other)


# The squeeze of a result that is nobody's view, which torch does in place.
@op(
    "_drop_first",
    method=False,
    batch="reshaped",
    meta=lambda input: dense(input.shape[1:], input.dtype),
    grad_fn="SqueezeBackward4",
    vjp=dict(input=lambda g: ops.unsqueeze(g, 0)),
)
def drop_first(input: Tensor) -> Array:
    """The only row of a matrix."""
    return np.reshape(input, input.shape[1:])


def _strides(input: Any) -> tuple[int, ...]:
    meta = input._meta_of(input._data) if isinstance(input, Value) else meta_of_array(np.asarray(input))
    return tuple(meta.strides)


def _needs_gradient(input: Any) -> bool:
    return isinstance(input, Value) and input.requires_grad


def _folds(a: Any, b: Any) -> bool:
    """Whether a batch of matrices times a matrix (or vector) is done as one product of matrices, as torch decides it."""
    first = a.ndim >= b.ndim
    larger, smaller = (a, b) if first else (b, a)
    if not (larger.ndim >= 3 and smaller.ndim <= 2):
        return False
    if _needs_gradient(smaller):
        return True
    if a.ndim == 2:
        return False
    if 0 in larger.shape:
        return True
    shape, strides = list(larger.shape), list(_strides(larger))
    if not first:
        shape[-2:], strides[-2:] = shape[:-3:-1], strides[:-3:-1]
    return all(strides[i] == strides[i + 1] * shape[i + 1] for i in range(len(shape) - 2))


def _folded(a: Any, b: Any) -> Any:
    first = a.ndim >= b.ndim
    larger = a if first else ops.mT(b)
    smaller = b if first else (ops.t(a) if a.ndim == 2 else a)
    shape = tuple(larger.shape)
    flat = ops.reshape(larger, (math.prod(shape[:-1]), shape[-1]))
    if smaller.ndim == 1:
        return ops._unsafe_view(ops.mv(flat, smaller), shape[:-1])
    result = ops._unsafe_view(ops.mm(flat, smaller), (*shape[:-1], smaller.shape[1]))
    return result if first else ops.contiguous(ops.mT(result))


def _batched(a: Any, b: Any) -> Any:
    vector = b.ndim == 1
    n, m1 = a.shape[-2] if a.ndim > 1 else 1, a.shape[-1]
    m2, p = (b.shape[-1], 1) if vector else tuple(b.shape[-2:])
    batches = tuple(a.shape[:-2]), tuple(b.shape[:-2])
    if a.ndim == b.ndim == 3 and batches[0] != batches[1]:
        # A batch of one is a matrix: its gradient then needs no batch of copies.
        if batches[0] == (1,) and _needs_gradient(a):
            return matmul(ops.squeeze(a, 0), b)
        if batches[1] == (1,) and _needs_gradient(b):
            return matmul(a, ops.squeeze(b, 0))
    batch = broadcast(*batches)
    count = math.prod(batch)
    left = ops.reshape(ops.expand(a, (*batch, n, m1)), (count, n, m1))
    if vector:
        right = ops.unsqueeze(ops.reshape(ops.expand(b, (*batch, m2)), (count, m2)), 2)
        return ops._unsafe_view(ops.squeeze(ops.bmm(left, right), -1), (*batch, n) if a.ndim > 1 else batch)
    right = ops.reshape(ops.expand(b, (*batch, m2, p)), (count, m2, p))
    return ops._unsafe_view(ops.bmm(left, right), (*batch, n, p) if a.ndim > 1 else (*batch, p))


@op(composite=True, aliases=("linalg.matmul",))
def matmul(input: Tensor, other: Tensor) -> Any:
    """The matrix product: vectors are rows or columns, and further dimensions are batches that broadcast."""
    require_tensors("matmul", input=input, other=other)
    ranks = input.ndim, other.ndim
    if 0 in ranks:
        raise TensorRuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {ranks[0]}D and {ranks[1]}D", code="shape_mismatch"
        )
    if ranks == (1, 1):
        return ops.dot(input, other)
    if ranks == (2, 1):
        return ops.mv(input, other)
    if ranks == (1, 2):
        return ops._drop_first(ops.mm(ops.unsqueeze(input, 0), other))
    if ranks == (2, 2):
        return ops.mm(input, other)
    return _folded(input, other) if _folds(input, other) else _batched(input, other)


@op(composite=True, aliases=("ger",))
def outer(input: Tensor, vec2: Tensor) -> Any:
    """The product of each element of one vector with each of another."""
    require_tensors("outer", input=input, vec2=vec2)
    for what, vector in (("self", input), ("vec2", vec2)):
        if vector.ndim != 1:
            raise TensorRuntimeError(f"outer: Expected 1-D argument {what}, but got {vector.ndim}-D", code="shape_mismatch")
    return ops.reshape(input, (input.shape[0], 1)) * vec2


@op(composite=True)
def inner(input: Tensor, other: Tensor) -> Any:
    """The sums of products over the last dimensions."""
    require_tensors("inner", input=input, other=other)
    if input.ndim == 0 or other.ndim == 0:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise TensorRuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(input.shape)} and {list(other.shape)}",
            code="shape_mismatch",
        )
    return ops.tensordot(input, other, ((-1,), (-1,)))
