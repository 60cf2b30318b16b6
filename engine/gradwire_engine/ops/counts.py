"""How often whole numbers occur."""

from __future__ import annotations

from typing import Any

from ..dtypes import dtype_of
from ..errors import TensorRuntimeError
from ..op import op, ops
from ..params import Tensor
from .reduce import not_implemented

_NOT_COUNTABLE = "bincount only supports 1-d non-negative integral inputs."


@op(composite=True, promotion="none", data_dependent=True)
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Any:
    """How often each number from 0 up to the largest occurs, or the sums of their ``weights``; ``minlength`` counts at the least."""
    if dtype_of(input.dtype).numpy.kind not in "iu":
        raise not_implemented(input, "bincount_cpu")
    if minlength < 0:
        raise TensorRuntimeError("minlength should be >= 0", code="bad_range", pointer="/minlength")
    shape = tuple(input.shape)
    if shape == (0,):
        return ops.zeros(minlength, dtype="int64")
    if len(shape) != 1:
        raise TensorRuntimeError(_NOT_COUNTABLE, code="shape_mismatch")
    if weights is not None and tuple(weights.shape) != shape:
        raise TensorRuntimeError("weights should be 1-d and have the same length as input", code="shape_mismatch")
    if int(ops.amin(input)) < 0:
        raise TensorRuntimeError(_NOT_COUNTABLE, code="bad_range")
    dtype = "int64" if weights is None else "float32" if dtype_of(weights.dtype).name == "float32" else "float64"
    summands = ops.ones_like(input, dtype=dtype) if weights is None else ops.to(ops.real(weights), dtype)
    sums = ops.new_zeros(summands, max(minlength, int(ops.amax(input)) + 1))
    return ops.index_add(sums, 0, ops.to(input, "int64"), summands)
