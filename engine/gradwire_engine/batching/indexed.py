"""Indexing with tensors over a batch: an index of the batch's own in front of the items' indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..op import ops
from ..tensor import Tensor
from ..value import Value
from .apply import MappedCall, inner, is_mask
from .axes import aligned, leading
from .batch import Batch


class _Places:
    """The indices of a call, for the whole batch.

    Args:
        indices: Those of one item, ``None`` for a dimension that is read whole.
        size: How many items there are.

    Attributes:
        indices: Those of the batch.
        count: How many dimensions the positions have.
        at: Where these stand among the dimensions of what an item reads.
        moved: Whether they stand elsewhere in what the batch reads: right behind the batch's axis.
    """

    def __init__(self, indices: Sequence[Any], size: int) -> None:
        given = [(i, b) for i, b in enumerate(indices) if b is not None]
        self.count = max(len(b.shape) for _, b in given)
        side_by_side = given[-1][0] - given[0][0] == len(given) - 1
        self.at = given[0][0] if side_by_side else 0
        if side_by_side and not any(b.mapped for _, b in given):
            self.moved = False
            self.indices: tuple[Any, ...] = (None, *[inner(b) for b in indices])
            return
        self.moved = self.at > 0
        own = Tensor._lift(np.arange(size).reshape(size, *(1,) * self.count))
        self.indices = (own, *[None if b is None else self._spread(b) for b in indices])

    def _spread(self, index: Batch) -> Value:
        return aligned(index.value, self.count) if index.mapped else index.value

    def to_item(self, read: Value) -> Any:
        """What was read, with the positions where an item has them."""
        return ops.movedim(read, self._behind, self._there) if self.moved else read

    def from_item(self, values: Value) -> Any:
        """Values laid out as an item has them, as the batch reads them."""
        return ops.movedim(values, self._there, self._behind) if self.moved else values

    @property
    def _behind(self) -> tuple[int, ...]:
        return tuple(range(1, 1 + self.count))

    @property
    def _there(self) -> tuple[int, ...]:
        return tuple(range(1 + self.at, 1 + self.at + self.count))


def indexed(call: MappedCall) -> Any:
    """Reading at positions, among them those of masks that are the same for all items."""
    call.outs  # noqa: B018 - what does not fit is refused in the items' words
    indices: list[Any] = []
    for index in call["indices"]:
        if is_mask(index):
            indices += [Batch(Tensor._lift(p), False) for p in np.nonzero(index.value._data)]
        else:
            indices.append(index)
    places = _Places(indices, call.size)
    return places.to_item(ops._index(call.stacked(call.values[0]), places.indices))


def put_or_transposed(call: MappedCall) -> Any:
    """Writing at positions, and the gradients of that and of reading."""
    indices = call["indices"]
    if any(is_mask(i) for i in indices):
        return None
    call.outs  # noqa: B018 - likewise
    places = _Places(indices, call.size)
    if call.op.name == "_index_zero":
        return ops._index_zero(call.stacked(call.values[0]), places.indices)
    if call.op.name == "_index_backward":
        return ops._index_backward(places.from_item(call.stacked(call.values[0])), places.indices, (call.size, *call["shape"]))
    from ..ops.indexing import indexed_shape

    target = call.values[0]
    region = indexed_shape(target.shape, [None if i is None else i.meta for i in indices], [None] * len(indices))
    values = ops.expand(aligned(call.stacked(call["values"]), len(region)), (call.size, *region))
    return ops.index_put(call.stacked(target), places.indices, places.from_item(values), call["accumulate"])


def vector(call: MappedCall) -> Any:
    """Slices at positions that are the same for all items."""
    index = call["index"]
    others = [b for b in call.batches if b is not index]
    value = call["value"] if "value" in call.op.names else None
    if index.mapped or not all(b.shape for b in others if b is not value) or (isinstance(value, Batch) and value.mapped):
        return None
    return leading(call, ("index", "value"))
