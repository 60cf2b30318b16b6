"""Norms of vectors and matrices, and distances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType, dtype_of, promote, result_type, to_real
from ..errors import TensorNotImplementedError, TensorRuntimeError
from ..meta import Meta, Shape, broadcast, dense, wrap_dim, wrap_dims
from ..op import op, ops
from ..opmath import HALF, SINGLE
from ..params import Dims, Dtype, Scalar, Size, Tensor
from ..shapes import reduced_shape
from .reduce import as_dtype, restore
from .supported import require_tensor


def _refuse(message: str) -> TensorRuntimeError:
    return TensorRuntimeError(message, code="dtype_mismatch")


def _check_dtype(name: str, have: NumpyDType, wanted: NumpyDType | None) -> None:
    shown = dtype_of(have).torch_name
    if have.kind not in "fc":
        raise _refuse(f"{name}: Expected a floating point or complex tensor as input. Got {shown}")
    if wanted is None:
        return
    asked = dtype_of(wanted).torch_name
    if wanted.kind not in "fc":
        raise _refuse(f"{name}: dtype should be floating point or complex, but got {asked}")
    if (have.kind == "c") != (wanted.kind == "c"):
        kind = "complex" if have.kind == "c" else "real"
        raise _refuse(f"{name}: dtype should be {kind} for {kind} inputs, but got {asked}")
    if promote(have, wanted) != wanted:
        raise _refuse(f"{name}: the dtype of the input ({shown}) should be convertible without narrowing to the specified dtype ({asked})")


def _check_vector_norm(input: Any, order: Any, dim: Any, dtype: NumpyDType | None) -> None:
    name = "linalg.vector_norm"
    if isinstance(order, complex):
        raise TensorRuntimeError(f"{name}: Expected a non-complex scalar as the order of norm.")
    _check_dtype(name, input.dtype, dtype)
    axes = wrap_dims(dim, len(input.shape))
    if 0 in input.shape and (order < 0 or order == math.inf):
        if dim is None or dim == ():
            raise TensorRuntimeError(
                f"{name} cannot compute the {order:g} norm on an empty tensor because the operation does not have an identity",
                code="empty_reduction",
            )
        for axis in axes:
            if input.shape[axis] == 0:
                # The missing space is torch's.
                raise TensorRuntimeError(
                    f"{name} cannot compute the {order:g} norm on the dimension {axis}because this dimension is empty and the operation "
                    "does not have an identity",
                    code="empty_reduction",
                )


def _vector_norm_meta(input: Meta, ord: Any, dim: Any, keepdim: bool, dtype: NumpyDType | None) -> Meta:
    _check_vector_norm(input, ord, dim, dtype)
    return dense(reduced_shape(input.shape, dim, keepdim), to_real(dtype or input.dtype))


def _norm(values: Array, order: float, axes: Shape, keepdim: bool) -> Any:
    if order != 0 and math.prod(values.shape[a] for a in axes) == 1:
        # One element is its own norm, also where its powers would be too small.
        return np.sum(np.abs(values), axis=axes, keepdims=keepdim)
    if order == 2 and values.dtype.kind == "f":
        return np.sqrt(np.sum(values * values, axis=axes, keepdims=keepdim))
    sizes = np.abs(values)
    if order == math.inf:
        return np.max(sizes, axis=axes, keepdims=keepdim)
    if order == -math.inf:
        return np.min(sizes, axis=axes, keepdims=keepdim)
    if order == 0:
        return np.sum(sizes != 0, axis=axes, keepdims=keepdim, dtype=sizes.dtype)
    if order == 1:
        return np.sum(sizes, axis=axes, keepdims=keepdim)
    return np.sum(sizes**order, axis=axes, keepdims=keepdim) ** (1 / order)


def norm_gradient(g: Any, x: Any, norm: Any, order: Any, dim: Any, keepdim: bool, dtype: NumpyDType) -> Any:
    """The gradient of a vector norm, 0 where the norm itself is 0.

    Args:
        g: The cotangent of the norm.
        x: The vector.
        norm: Its norm.
        order: The order of the norm.
        dim: The dimensions that it was taken over.
        keepdim: Whether ``g`` and ``norm`` still have them.
        dtype: The real dtype to count in.

    Returns:
        The gradient; ``None`` for order 0, which counts and has none.
    """
    g, norm = restore(g, x, dim, keepdim), restore(norm, x, dim, keepdim)
    if order == 0:
        return None
    if order == 1:
        return g * ops.sgn(x)
    if 0 in x.shape:
        return g * x
    if order == 2:
        return g * ops.masked_fill(x / norm, norm == 0, 0)
    size = ops.abs(x)
    if math.isinf(order):
        extreme = (size == norm) | ((size != size) & (norm != norm))
        return g / ops.sum(extreme, dim, True, dtype=dtype) * extreme * ops.sgn(x)
    if order < 1:
        return ops.masked_fill(ops.sgn(x) * size ** (order - 1), x == 0, 0) * (g * norm ** (1 - order))
    slope = ops.sgn(x) * size ** (order - 1) if order < 2 else x * size ** (order - 2)
    return slope * ops.masked_fill(g / norm ** (order - 1), norm == 0, 0)


def _vector_norm_vjp(g: Any, input: Any, out: Any, input_meta: Meta, ord: Any, dim: Any, keepdim: bool) -> Any:
    return norm_gradient(g, input, out, ord, dim, keepdim, to_real(input_meta.dtype))


@op("linalg.vector_norm", grad_fn="LinalgVectorNormBackward0", meta=_vector_norm_meta, holomorphic=False, vjp=dict(input=_vector_norm_vjp))
def vector_norm(input: Tensor, ord: Scalar = 2, dim: Dims | None = None, keepdim: bool = False, *, dtype: Dtype | None = None) -> Array:
    """The vector norm of order ``ord`` over the dimensions ``dim``: (sum of abs(x)^ord)^(1/ord), with the limits at 0 and inf."""
    _check_vector_norm(input, ord, dim, dtype)
    wanted = to_real(dtype or input.dtype)
    values = input if dtype is None else as_dtype(input, dtype)
    if values.dtype == HALF:
        values = values.astype(SINGLE)
    assert not isinstance(ord, complex)
    return as_dtype(np.asarray(_norm(values, float(ord), wrap_dims(dim, input.ndim), keepdim)), wanted)


def _matrix_dims(input: Any, dim: Sequence[int]) -> tuple[int, int]:
    name = "linalg.matrix_norm"
    shape = tuple(input.shape)
    _check_dtype(name, dtype_of(input.dtype).numpy, None)
    if len(shape) < 2:
        raise TensorRuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.", code="shape_mismatch")
    if len(dim) != 2:
        raise TensorRuntimeError(f"{name}: dim must be a 2-tuple. Got {', '.join(map(str, dim))}")
    rows, columns = wrap_dim(dim[0], len(shape)), wrap_dim(dim[1], len(shape))
    if rows == columns:
        raise TensorRuntimeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    return rows, columns


def _needs_singular_values(order: Any) -> TensorNotImplementedError:
    return TensorNotImplementedError(
        f"linalg.matrix_norm: Order {order} needs singular values, which are not available; expected 'fro', 1, -1, inf or -inf."
    )


@op("linalg.matrix_norm", overload="str_ord", composite=True)
def matrix_norm_named(input: Tensor, ord: str = "fro", dim: Size = (-2, -1), keepdim: bool = False, *, dtype: Dtype | None = None) -> Any:
    """The Frobenius norm of matrices (``ord="fro"``)."""
    _matrix_dims(input, dim)
    if ord == "nuc":
        raise _needs_singular_values(ord)
    if ord != "fro":
        raise TensorRuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    return ops.linalg.vector_norm(input, 2, dim, keepdim, dtype=dtype)


@op("linalg.matrix_norm", overload="default", composite=True)
def matrix_norm(input: Tensor, ord: Scalar, dim: Size = (-2, -1), keepdim: bool = False, *, dtype: Dtype | None = None) -> Any:
    """The largest (smallest for a negative ``ord``) sum of absolute values in a column (order 1) or in a row (order inf)."""
    rows, columns = _matrix_dims(input, dim)
    if isinstance(ord, complex) or abs(ord) not in (1, 2, math.inf):
        raise TensorRuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    _check_dtype("linalg.matrix_norm", dtype_of(input.dtype).numpy, dtype)
    if abs(ord) == 2:
        raise _needs_singular_values(ord)
    if math.isinf(ord):
        rows, columns = columns, rows
    sums = ops.linalg.vector_norm(input, 1, (rows,), keepdim, dtype=dtype)
    left = columns - 1 if rows < columns and not keepdim else columns
    if ord > 0 and sums.shape[left] == 0:
        # A matrix without columns has norm 0, though a maximum over nothing has no value.
        return ops.zeros_like(ops.sum(sums, (left,), keepdim))
    return (ops.amax if ord > 0 else ops.amin)(sums, (left,), keepdim)


@op("linalg.norm", overload="ord_str", composite=True)
def linalg_norm_named(input: Tensor, ord: str, dim: Dims | None = None, keepdim: bool = False, *, dtype: Dtype | None = None) -> Any:
    """The matrix norm that ``ord`` names."""
    dims = (-2, -1) if dim is None else (dim,) if isinstance(dim, int) else dim
    return ops.linalg.matrix_norm(input, ord, dims, keepdim, dtype=dtype)


@op("linalg.norm", overload="default", composite=True)
def linalg_norm(
    input: Tensor, ord: Scalar | None = None, dim: Dims | None = None, keepdim: bool = False, *, dtype: Dtype | None = None
) -> Any:
    """The vector norm, or with ``ord`` and two dimensions the matrix norm; without ``ord`` that of the flattened tensor."""
    dims = (dim,) if isinstance(dim, int) else dim
    ndim = len(input.shape)
    if dims is not None and len(dims) not in (1, 2):
        raise TensorRuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got [{', '.join(map(str, dims))}]")
    if dims is None and ord is not None and ndim not in (1, 2):
        raise TensorRuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D.")
    if ord is not None and (ndim if dims is None else len(dims)) == 2:
        return ops.linalg.matrix_norm(input, ord, (0, 1) if dims is None else dims, keepdim, dtype=dtype)
    return ops.linalg.vector_norm(input, 2 if ord is None else ord, dims, keepdim, dtype=dtype)


@op("norm", overload="str", composite=True, inplace=False)
def norm_named(input: Tensor, p: str = "fro", dim: Dims | None = None, keepdim: bool = False, *, dtype: Dtype | None = None) -> Any:
    """The norm that ``p`` names: ``"fro"``, the square root of the sum of squares."""
    if p == "fro":
        return ops.linalg.vector_norm(input, 2, dim, keepdim, dtype=dtype)
    dims = tuple(range(len(input.shape))) if dim is None else (dim,) if isinstance(dim, int) else dim
    return ops.linalg.matrix_norm(input, p, dims, keepdim, dtype=dtype)


@op("norm", overload="Scalar", composite=True, inplace=False)
def norm(input: Tensor, p: Scalar | None, dim: Dims | None = None, keepdim: bool = False, *, dtype: Dtype | None = None) -> Any:
    """The vector norm of order ``p`` over the dimensions ``dim`` (all when left out)."""
    return ops.linalg.vector_norm(input, 2 if p is None else p, dim, keepdim, dtype=dtype)


def _dist_meta(input: Any, other: Any) -> Meta:
    tensors = (input, other)
    for position, name in enumerate(("input", "other")):
        require_tensor("dist", name, position + 1, tensors[position])
    dtype = result_type([x.dtype for x in tensors if x.shape], [x.dtype for x in tensors if not x.shape], [])
    if dtype.kind not in "fc":
        raise _refuse(f"norm(): input dtype should be either floating point or complex. Got {dtype_of(dtype).torch_name} instead.")
    broadcast(*[x.shape for x in tensors])
    return dense((), to_real(dtype))


def _dist_vjp(g: Any, input: Any, other: Any, out: Any, input_meta: Meta, p: Any, needs: tuple[bool, bool]) -> Any:
    slope = norm_gradient(g, input - other, out, p, None, False, to_real(input_meta.dtype))
    return (None, None) if slope is None else (slope, -slope)


@op(promotion="same", promoted=("input", "other"), meta=_dist_meta, holomorphic=False, vjp={("input", "other"): _dist_vjp})
def dist(input: Tensor, other: Tensor, p: Scalar = 2) -> Array:
    """The norm of order ``p`` of the difference."""
    dtype = _dist_meta(input, other).dtype
    difference = np.subtract(input, other)
    if difference.dtype == HALF:
        difference = difference.astype(SINGLE)
    if isinstance(p, complex):
        raise TensorRuntimeError("dist: Expected a non-complex scalar as the order of norm.")
    if difference.size == 0:
        return np.zeros((), dtype)
    return as_dtype(np.asarray(_norm(difference, float(p), tuple(range(difference.ndim)), False)), dtype)
