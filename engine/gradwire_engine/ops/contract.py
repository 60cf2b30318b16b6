"""Sums of products over chosen dimensions, and chains of products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ..dtypes import dtype_of
from ..errors import LimitError, TensorRuntimeError, TensorTypeError
from ..meta import wrap_dims
from ..op import op, ops
from ..params import Data, Tensor, Tensors
from ..stopping import check
from .matmul import require_tensors
from .supported import cpp_name
from .views import check_has_dims


def _dims(dims: Any, a: Any, b: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The dimensions of both tensors that are summed over."""
    if isinstance(dims, int) and not isinstance(dims, bool):
        if dims < 0:
            raise TensorRuntimeError(f"tensordot expects dims >= 0, but got dims={dims}", code="bad_dims", pointer="/dims")
        if dims > min(a.ndim, b.ndim):
            raise TensorRuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}", code="bad_dims", pointer="/dims")
        return tuple(range(a.ndim - dims, a.ndim)), tuple(range(dims))
    if isinstance(dims, str) or not isinstance(dims, Sequence) or len(dims) != 2:
        raise TensorRuntimeError(
            f"tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, but got dims={dims}",
            code="argument_type",
            pointer="/dims",
        )
    return _ints("'dims_self' (position 3)", dims[0]), _ints("'dims_other' (position 4)", dims[1])


def _ints(what: str, given: Any) -> tuple[int, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        wrong = f"not {type(given).__name__}"
    elif bad := [(position, type(dim).__name__) for position, dim in enumerate(given) if type(dim) is not int]:
        wrong = f"but found element of type {bad[0][1]} at pos {bad[0][0]}"
    else:
        return tuple(given)
    raise TensorTypeError(f"tensordot(): argument {what} must be tuple of ints, {wrong}", code="argument_type", pointer="/dims")


@op(composite=True, method=False)
def tensordot(a: Tensor, b: Tensor, dims: Data = 2) -> Any:
    """The sums of products over ``dims``: a number of dimensions, or the dimensions of ``a`` and those of ``b``."""
    require_tensors("tensordot", a=a, b=b)
    given = _dims(dims.tolist() if hasattr(dims, "tolist") else dims, a, b)
    if len(given[0]) != len(given[1]):
        raise TensorRuntimeError("both dimension lists should have same length", code="bad_dims", pointer="/dims")
    if a.dtype != b.dtype:
        raise TensorRuntimeError("both inputs should have same dtype", code="dtype_mismatch")
    if given[0]:
        check_has_dims(a, given[0][0])
        check_has_dims(b, given[1][0])
    summed = [wrap_dims(dims_of, tensor.ndim, empty_means_all=False) for tensor, dims_of in zip((a, b), given, strict=True)]
    for i, j, d1, d2 in zip(*given, *summed, strict=True):
        sizes = a.shape[d1], b.shape[d2]
        # A dimension of size 1 broadcasts, and is summed over beforehand.
        if sizes[1] == 1 and sizes[0] != 1:
            a = ops.sum(a, (d1,), True)
        elif sizes[0] == 1 and sizes[1] != 1:
            b = ops.sum(b, (d2,), True)
        elif sizes[0] != sizes[1]:
            raise TensorRuntimeError(
                f"contracted dimensions need to match, but first has size {sizes[0]} in dim {i} and second has size {sizes[1]} in dim {j}",
                code="shape_mismatch",
            )
    free = [d for d in range(a.ndim) if d not in summed[0]], [d for d in range(b.ndim) if d not in summed[1]]
    shape = (*(a.shape[d] for d in free[0]), *(b.shape[d] for d in free[1]))
    size = math.prod(a.shape[d] for d in summed[0])
    if not shape:
        flat = [ops.flatten(ops.permute(t, tuple(d))) for t, d in zip((a, b), summed, strict=True)]
        return ops.view(ops.dot(*flat), ())
    left = ops.reshape(ops.permute(a, (*free[0], *summed[0])), (math.prod(a.shape[d] for d in free[0]), size))
    right = ops.reshape(ops.permute(b, (*summed[1], *free[1])), (size, math.prod(b.shape[d] for d in free[1])))
    return ops.view(ops.mm(left, right), shape)


@op(composite=True)
def kron(input: Tensor, other: Tensor) -> Any:
    """The Kronecker product: each element of ``input`` times the whole of ``other``."""
    require_tensors("kron", input=input, other=other)
    ndim = max(input.ndim, other.ndim)
    first = (1,) * (ndim - input.ndim) + tuple(input.shape)
    second = (1,) * (ndim - other.ndim) + tuple(other.shape)
    spaced = tuple(size for s in first for size in (s, 1)), tuple(size for s in second for size in (1, s))
    result = ops._unsafe_view(input, spaced[0]) * ops._unsafe_view(other, spaced[1])
    return ops._unsafe_view(result, tuple(f * s for f, s in zip(first, second, strict=True)))


_MOST_OPERANDS = 256
"""Up to how many tensors one product may take: planning its order takes more than proportional time."""


def refuse_many(name: str, tensors: Sequence[Any], argument: str) -> None:
    """Refuses a product of too many tensors.

    Raises:
        LimitError: There are more than 256 of them.
    """
    if len(tensors) > _MOST_OPERANDS:
        raise LimitError(
            f"{name}(): expected at most {_MOST_OPERANDS} tensors but got {len(tensors):,}. Multiply some of them first.",
            code="too_many_operands",
            pointer=f"/{argument}",
        )


def _best_split(sizes: Sequence[int]) -> list[list[int]]:
    """Where to split each run of a chain of products so that the fewest numbers are multiplied.

    The dynamic programme of Cormen et al., "Introduction to Algorithms", section 15.2: ``sizes`` are the rows of the first
    matrix and the columns of each; entry (i, j) is the last matrix of the left half of the run from i to j.
    """
    count = len(sizes) - 1
    cost = [[0] * count for _ in range(count)]
    split = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for i in range(count - length):
            check()
            j = i + length
            choices = [cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)]
            cost[i][j] = min(choices)
            split[i][j] = i + choices.index(cost[i][j])
    return split


def _chain(matrices: Sequence[Any]) -> Any:
    if len(matrices) == 2:
        return ops.mm(matrices[0], matrices[1])
    if len(matrices) == 3:
        a, b, c = matrices
        # The cheaper of the two orders, without the table.
        left = a.shape[0] * b.shape[1] * (a.shape[1] + c.shape[1])
        right = b.shape[0] * c.shape[1] * (b.shape[1] + a.shape[0])
        return ops.mm(ops.mm(a, b), c) if left < right else ops.mm(a, ops.mm(b, c))
    split = _best_split([matrices[0].shape[0], *(m.shape[1] for m in matrices)])

    def run(i: int, j: int) -> Any:
        if i == j:
            return matrices[i]
        return ops.mm(run(i, split[i][j]), run(split[i][j] + 1, j))

    return run(0, len(matrices) - 1)


@op("linalg.multi_dot", composite=True)
def multi_dot(tensors: Tensors) -> Any:
    """The product of a chain of matrices, in the order that takes the fewest multiplications.

    The first and the last may be vectors.
    """
    count = len(tensors)
    if count < 2:
        raise TensorRuntimeError(f"multi_dot(): expected at least 2 tensors but got {count}", code="arity", pointer="/tensors")
    refuse_many("multi_dot", tensors, "tensors")
    first, last = tensors[0], tensors[-1]
    for which, tensor in (("first", first), ("last", last)):
        if tensor.ndim not in (1, 2):
            raise TensorRuntimeError(f"multi_dot(): the {which} tensor must be 1D or 2D but got {tensor.ndim}D", code="shape_mismatch")
    shape = (*first.shape[: first.ndim - 1], *last.shape[1:])
    matrices = [ops.unsqueeze(first, 0) if first.ndim == 1 else first]
    for i, tensor in enumerate(tensors[1:-1], 1):
        if tensor.ndim != 2:
            raise TensorRuntimeError(f"multi_dot(): tensor {i} must be 2D but got {tensor.ndim}D", code="shape_mismatch")
        matrices.append(tensor)
    matrices.append(ops.unsqueeze(last, -1) if last.ndim == 1 else last)
    for i, (a, b) in enumerate(pairwise(matrices)):
        if a.dtype != b.dtype:
            names = f"tensor {i} is {cpp_name(dtype_of(a.dtype).numpy)} and tensor {i + 1} {cpp_name(dtype_of(b.dtype).numpy)}"
            raise TensorRuntimeError(f"multi_dot(): all tensors must have be the same dtype but {names}", code="dtype_mismatch")
        if a.shape[-1] != b.shape[0]:
            shapes = f"{list(tensors[i].shape)} and {list(tensors[i + 1].shape)}"
            raise TensorRuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {shapes} cannot be multiplied", code="shape_mismatch"
            )
    return ops.view(_chain(matrices), shape)
