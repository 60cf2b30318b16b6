"""Shape rules shared by many ops: from the metas of the arguments to the meta of the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .dtypes import NumpyDType, to_complex, to_real
from .meta import Meta, Shape, broadcast, check_extent, dense, dummy, meta_of_array, ordered_like, wrap_dims
from .op import Op
from .promotion import compute_dtype, settled_dtype


def infer(op: Op, values: Sequence[Any]) -> tuple[Meta, ...]:
    """The metas of an op's outputs.

    Args:
        op: The op; not a composite one.
        values: One per parameter, a ``Meta`` (or a tuple of them, or a Python number) for every tensor slot.

    Raises:
        GradwireError: The arguments do not fit, with torch's message.
        LimitError: A result would have more dimensions than an array can.
    """
    if op.meta_rule is not None:
        result = op.meta_rule(*[values[i] for i in op.meta_positions])
    elif op.view:
        result = _view(op, values)
    else:
        result = _elementwise(op, values)
    metas = (result,) if isinstance(result, Meta) else tuple(result)
    for meta in metas:
        check_extent(meta.shape, meta.dtype.itemsize)
    return metas


def _view(op: Op, values: Sequence[Any]) -> Any:
    source, *rest = values
    # A view kernel reads no element, so it can run on an array without memory: kernel and rule cannot disagree.
    result = op.run([dummy(source), *rest])
    if op.variable_outputs:
        return tuple(meta_of_array(r) for r in result)
    return meta_of_array(result)


def _elementwise(op: Op, values: Sequence[Any]) -> Any:
    tensors = [v for i in op.tensor_slots for v in (values[i] if type(values[i]) is tuple else (values[i],)) if isinstance(v, Meta)]
    first = tensors[0] if tensors else None
    # Recorders have promoted the operands already, and most have one shape.
    alike = first is not None and all(t.shape == first.shape for t in tensors)
    shape = first.shape if first is not None and alike else broadcast(*[t.shape for t in tensors])
    settled = settled_dtype(op, values) if op.promoted else tensors[0].dtype
    dtype = compute_dtype(op, values) if settled is None else settled
    if op.result == "bool":
        dtype = np.dtype(bool)
    elif op.result == "real":
        dtype = to_real(dtype)
    elif op.result == "complex":
        dtype = to_complex(dtype)
    elif op.result == "dtype":
        dtype = values[op.names.index("dtype")]
    return ordered_like(shape, dtype, tensors)


def same(input: Meta) -> Meta:
    """A row-major result of the input's shape and dtype."""
    return dense(input.shape, input.dtype)


def reduced_shape(shape: Shape, dim: int | Sequence[int] | None, keepdim: bool) -> Shape:
    """The shape after reducing over ``dim`` (all dimensions for ``None``)."""
    dims = wrap_dims(dim, len(shape))
    if keepdim:
        return tuple(1 if i in dims else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in dims)


def sum_dtype(dtype: NumpyDType, wanted: NumpyDType | None = None) -> NumpyDType:
    """The dtype of a sum or product: what was asked for; int64 for booleans and integers; otherwise the input's."""
    if wanted is not None:
        return wanted
    return np.dtype(np.int64) if dtype.kind in "bui" else dtype
