"""What ops that make tensors share: the meta of what they make, checked, and memory for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..dtypes import Array, NumpyDType, is_differentiable
from ..errors import TensorRuntimeError
from ..meta import Meta, dense


def made(size: Sequence[int], dtype: NumpyDType, requires_grad: bool = False) -> Meta:
    """The meta of a new row-major tensor.

    Raises:
        TensorRuntimeError: A size is negative, the bytes cannot be counted, or the dtype cannot require gradients.
    """
    if any(s < 0 for s in size):
        wrong = next(s for s in size if s < 0)
        raise TensorRuntimeError(
            f"Trying to create tensor with negative dimension {wrong}: {list(size)}", code="negative_size", pointer="/size"
        )
    if math.prod(max(s, 1) for s in size) * dtype.itemsize >= 2**63:
        raise TensorRuntimeError(f"Storage size calculation overflowed with sizes={list(size)}", code="out_of_memory", pointer="/size")
    return may_require_grad(dense(size, dtype), requires_grad)


def may_require_grad(meta: Meta, requires_grad: bool) -> Meta:
    """``meta``, if a tensor of its dtype may require gradients where it is asked to.

    Raises:
        TensorRuntimeError: It may not.
    """
    if requires_grad and not is_differentiable(meta.dtype):
        raise TensorRuntimeError(
            "Only Tensors of floating point and complex dtype can require gradients", code="requires_grad", pointer="/requires_grad"
        )
    return meta


def memory(meta: Meta, allocate: Callable[..., Array]) -> Array:
    """The array that ``allocate(shape, dtype)`` makes.

    Raises:
        TensorRuntimeError: There is not so much memory.
    """
    try:
        return allocate(meta.shape, meta.dtype)
    except MemoryError:
        raise TensorRuntimeError(f"can't allocate memory: you tried to allocate {meta.nbytes} bytes.", code="out_of_memory") from None
