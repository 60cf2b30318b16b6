"""Indexing with Python's expressions and with index tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorIndexError, TensorRuntimeError
from ..indexing import read
from ..meta import Meta, Shape, broadcast, dense
from ..op import op, ops
from ..params import Index, Size, Tensor
from .positions import INT, LONG, add_at, first_outside, shape_text, torch_name


@op(composite=True, method=False)
def getitem(input: Tensor, index: Index) -> Any:
    """``input[index]``, for every kind of index that torch takes.

    In JSON the index is a list with one item per dimension: an integer, ``null`` (a new axis), ``"..."``, ``true`` or ``false``,
    ``{"slice": [start, stop, step]}`` with ``null`` for what is left out, or a tensor (a name, or a list of integers or booleans).
    """
    return read(input, index)


def _is_mask(index: Any) -> bool:
    return bool(index.dtype.kind == "b" or index.dtype == np.uint8)


def _broadcast(shapes: Sequence[Shape]) -> Shape:
    try:
        return broadcast(*shapes)
    except TensorRuntimeError:
        raise TensorIndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {', '.join(shape_text(s) for s in shapes)}",
            code="shape_mismatch",
        ) from None


def indexed_shape(shape: Shape, indices: Sequence[Any], counts: Sequence[int | None]) -> Shape:
    """The shape that indexing reads.

    Args:
        shape: The shape of the tensor.
        indices: Arrays or metas, ``None`` for a dimension that is read whole.
        counts: For every mask the number of its elements that are true.

    Raises:
        TensorIndexError: The indices do not fit the tensor or each other.
    """
    used: list[Shape | None] = []
    for index, count in zip(indices, counts, strict=True):
        if index is None:
            used.append(None)
        elif _is_mask(index):
            _check_mask(index.shape, shape, len(used))
            used += [(count or 0,)] * len(index.shape)
        elif index.dtype in (LONG, INT):
            used.append(index.shape)
        else:
            raise TensorIndexError("tensors used as indices must be long, int, byte or bool tensors", code="index_type")
    if len(used) > len(shape):
        raise TensorIndexError(f"too many indices for tensor of dimension {len(shape)} (got {len(used)})", code="too_many_indices")
    used += [None] * (len(shape) - len(used))
    places = [i for i, u in enumerate(used) if u is not None]
    if not places:
        return shape
    common = _broadcast([u for u in used if u is not None])
    rest = [s for s, u in zip(shape, used, strict=True) if u is None]
    # Index tensors side by side leave their dimensions where they are; apart, in front.
    at = places[0] if places[-1] - places[0] == len(places) - 1 else 0
    return (*rest[:at], *common, *rest[at:])


def _check_mask(mask: Shape, shape: Shape, first: int) -> None:
    for i, size in enumerate(mask):
        if first + i >= len(shape) or shape[first + i] != size:
            raise TensorIndexError(
                f"The shape of the mask {shape_text(mask)} at index {i} does not match the shape of the indexed tensor "
                f"{shape_text(shape)} at index {first + i}",
                code="shape_mismatch",
            )


def _where(indices: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(slice(None) if i is None else i.astype(bool) if i.dtype == np.uint8 else i for i in indices)


def _counts(indices: Sequence[Any]) -> list[int | None]:
    return [int(np.count_nonzero(i)) if i is not None and _is_mask(i) else None for i in indices]


def _most(indices: Sequence[Any]) -> list[int | None]:
    """The most elements that masks can pick, known from their metas."""
    masks = [i for i in indices if i is not None and _is_mask(i)]
    beside = _broadcast([i.shape for i in indices if i is not None and not _is_mask(i)])
    # Beside tensors of several positions a mask must pick as many, or one.
    most = 1 if beside and beside[-1] > 1 else min([m.numel for m in masks], default=0)
    return [most if i is not None and _is_mask(i) else None for i in indices]


def _check_positions(shape: Shape, indices: Sequence[Any]) -> None:
    positions: list[tuple[Array, int]] = []
    dim = masked = 0
    for index in indices:
        if index is None:
            dim += 1
        elif _is_mask(index):
            dim, masked = dim + index.ndim, masked + index.ndim
        else:
            positions.append((index, shape[dim]))
            dim += 1
    if not any(first_outside(index, -size, size) is not None for index, size in positions):
        return
    # torch goes through the positions one by one, and counts the indexed dimensions only.
    spread = np.broadcast_arrays(*[index for index, _ in positions])
    for place in range(spread[0].size):
        for number, (index, (_, size)) in enumerate(zip(spread, positions, strict=True)):
            value = int(index.flat[place])
            if not -size <= value < size:
                raise TensorIndexError(
                    f"index {value} is out of bounds for dimension {masked + number} with size {size}", code="index_out_of_range"
                )


def _indexed(input: Array, indices: Sequence[Any]) -> Any:
    indexed_shape(input.shape, indices, _counts(indices))
    _check_positions(input.shape, indices)
    return input[_where(indices)]


def _index_meta(input: Meta, indices: Sequence[Meta | None]) -> Meta:
    return dense(indexed_shape(input.shape, indices, _most(indices)), input.dtype)


def _read_at(g: Any, indices: Sequence[Any]) -> Any:
    """What stands in a cotangent at the positions; how much that is depends on the elements only where there are masks."""
    masked = any(i is not None and dtype_of(i.dtype).name in ("bool", "uint8") for i in indices)
    return ops._index_masked(g, indices) if masked else ops._index(g, indices)


@op(
    "_index",
    method=False,
    batch="indexed",
    meta=_index_meta,
    vjp=dict(input=lambda g, input_meta, indices: ops._index_backward(g, indices, input_meta.shape)),
)
def index(input: Tensor, indices: list[Tensor | None]) -> Any:
    """The elements at the positions in ``indices``, one tensor of integers per dimension, ``None`` for a whole one."""
    return _indexed(input, indices)


@op(
    "_index_masked",
    method=False,
    data_dependent=True,
    grad_fn="IndexBackward0",
    batch="indexed",
    meta=_index_meta,
    vjp=dict(input=lambda g, input_meta, indices: ops._index_backward(g, indices, input_meta.shape)),
)
def index_masked(input: Tensor, indices: list[Tensor | None]) -> Any:
    """The same with masks among the indices; a mask stands for as many dimensions as it has."""
    return _indexed(input, indices)


@op(
    "_index_backward",
    method=False,
    batch="put_or_transposed",
    meta=lambda grad_output, shape: dense(shape, grad_output.dtype),
    vjp=dict(grad_output=lambda g, indices: _read_at(g, indices)),
)
def index_backward(grad_output: Tensor, indices: list[Tensor | None], shape: Size) -> Array:
    """Zeros with ``grad_output`` added at the positions that indexing read."""
    out = np.zeros(shape, grad_output.dtype)
    add_at(out, _where(indices), grad_output)
    return out


def _check_put(input: Any, values: Any, region: Shape | None) -> None:
    if values.dtype != input.dtype:
        raise TensorRuntimeError(
            f"Index put requires the source and destination dtypes match, got {torch_name(input.dtype)} for the destination "
            f"and {torch_name(values.dtype)} for the source.",
            code="dtype_mismatch",
        )
    if region is None:
        return
    lead = len(region) - len(values.shape)
    if lead < 0 or any(v not in (1, r) for v, r in zip(values.shape, region[lead:], strict=True)):
        raise TensorRuntimeError(
            f"shape mismatch: value tensor of shape {shape_text(values.shape)} cannot be broadcast to indexing result of "
            f"shape {shape_text(region)}",
            code="shape_mismatch",
        )


def _put_meta(input: Meta, indices: Sequence[Meta | None], values: Meta) -> Meta:
    region = indexed_shape(input.shape, indices, _most(indices))
    _check_put(input, values, None if any(i is not None and _is_mask(i) for i in indices) else region)
    return dense(input.shape, input.dtype)


def _put(input: Array, indices: Sequence[Any], values: Array, accumulate: bool) -> Array:
    region = indexed_shape(input.shape, indices, _counts(indices))
    _check_put(input, values, region)
    _check_positions(input.shape, indices)
    out = np.array(input, order="C")
    if accumulate:
        add_at(out, _where(indices), values)
    else:
        out[_where(indices)] = values
    return out


@op(
    "_index_zero",
    method=False,
    batch="put_or_transposed",
    meta=lambda input: dense(input.shape, input.dtype),
    vjp=dict(input=lambda g, indices: ops._index_zero(g, indices)),
)
def index_zero(input: Tensor, indices: list[Tensor | None]) -> Array:
    """``input`` with zeros at the positions in ``indices``: the gradient that an overwrite leaves."""
    out = np.array(input, order="C")
    out[_where(indices)] = 0
    return out


def _put_values_rule(g: Any, indices: Sequence[Any], values_meta: Meta) -> Any:
    """What stands at the positions; behind a single mask in a form whose shape does not depend on the mask, as far as there is one."""
    place = next((i for i, index in enumerate(indices) if index is not None), 0)
    mask = indices[place]
    is_mask = mask is not None and mask.shape and dtype_of(mask.dtype).name in ("bool", "uint8")
    if not is_mask or any(i is not None for i in indices[place + 1 :]):
        return _read_at(g, indices)
    shape, given = tuple(g.shape), values_meta.shape
    before, rest = shape[:place], shape[place + len(mask.shape) :]
    chosen = ops.reshape(mask != 0, (*(1,) * place, *mask.shape, *(1,) * len(rest)))
    if len(given) <= len(rest) or given[-len(rest) - 1] == 1:
        # The same for all positions.
        dims = tuple(range(place, place + len(mask.shape)))
        return ops.reshape(ops.sum(ops.where(chosen, g, 0), dims), (*before, 1, *rest))
    if not place and len(given) == len(rest) + 1:
        # One value for each position, alike along the axes behind.
        return ops._masked_scatter_backward(g, ops.expand(chosen, shape), (given[0], *rest))
    return _read_at(g, indices)


@op(
    inplace=True,
    batch="put_or_transposed",
    meta=_put_meta,
    vjp=dict(
        input=lambda g, indices, accumulate: g if accumulate else ops._index_zero(g, indices),
        values=_put_values_rule,
    ),
)
def index_put(input: Tensor, indices: list[Tensor | None], values: Tensor, accumulate: bool = False) -> Array:
    """``input`` with ``values`` at the positions in ``indices``, or added to what is there."""
    return _put(input, indices, values, accumulate)


@op("_nonzero", method=False, data_dependent=True, meta=lambda input: dense((input.numel, input.ndim), LONG))
def nonzero_rows(input: Tensor) -> Array:
    """The positions of the elements that are not zero, one row each."""
    return np.argwhere(input)


@op("_nonzero_columns", method=False, data_dependent=True, meta=lambda input: dense((input.ndim, input.numel), LONG))
def nonzero_columns(input: Tensor) -> Array:
    """The positions of the elements that are not zero, one column each."""
    return np.stack(np.nonzero(input))


@op(composite=True, data_dependent=True)
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The positions of the elements that are not zero: a row each, or with ``as_tuple`` one tensor per dimension."""
    if not as_tuple:
        return ops._nonzero(input)
    return ops.unbind(ops._nonzero_columns(input if input.ndim else ops.unsqueeze(input, 0)), 0)


@op(composite=True, data_dependent=True)
def argwhere(input: Tensor) -> Any:
    """The positions of the elements that are not zero, one row each."""
    return ops._nonzero(input)
