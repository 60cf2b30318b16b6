"""Layers and losses over a batch."""

from __future__ import annotations

from typing import Any

from ..op import ops
from ..value import Value
from .apply import MappedCall, inner, listed, merged
from .axes import aligned
from .batch import Batch


def folded(call: MappedCall) -> Any:
    """An op that treats each slice along its first dimension alike: the batch's axis and that one become one."""
    call.outs  # noqa: B018 - what does not fit is refused in the items' words
    if any(len(b.shape) < 2 for b in call.batches):
        return None
    values = [_folded(call, v) if p.is_tensor else v for p, v in zip(call.op.params, call.values, strict=True)]
    if "size" in call.op.names:
        shape = call["size"]
        values[call.op.names.index("size")] = (call.size * shape[0], *shape[1:])
    result = call.run(values)
    return [ops.reshape(r, (call.size, *out.shape)) for r, out in zip(listed(result), call.outs, strict=True)]


def _folded(call: MappedCall, value: Any) -> Any:
    return merged(call.stacked(value)) if isinstance(value, Batch) else value


def convolution(call: MappedCall) -> Any:
    """A convolution: the items are more images or, where the filters differ from item to item, more groups of channels."""
    call.outs  # noqa: B018 - likewise
    images, weight, bias = call.values[:3]
    groups = call["groups"]
    if not weight.mapped and not (isinstance(bias, Batch) and bias.mapped):
        result = call.run([merged(images.value), *[inner(v) for v in call.values[1:]]])
        return ops.reshape(result, (call.size, *call.outs[0].shape))
    filters = merged(call.stacked(weight))
    offsets = None if bias is None else merged(call.stacked(bias))
    shared = not images.mapped and groups == 1 and not call["transposed"]
    channels = images.value if shared else beside(call.stacked(images))
    result = call.run([channels, filters, offsets, *call.values[3:-1], 1 if shared else call.size * groups])
    return apart(result, call.size)


def convolution_weight(call: MappedCall) -> Any:
    """The gradient of the filters of a convolution: again, the items are more groups of channels."""
    call.outs  # noqa: B018 - likewise
    g, images, *static, groups = call.values
    shared = not images.mapped and groups == 1
    channels = images.value if shared else beside(call.stacked(images))
    result = call.run([beside(call.stacked(g)), channels, *static, 1 if shared else call.size * groups])
    return ops.reshape(result, (call.size, *call.outs[0].shape))


def beside(images: Value) -> Any:
    """Batches of images as one batch, with the channels of all side by side."""
    size, count, channels, *plane = images._data.shape
    return ops.reshape(ops.transpose(images, 0, 1), (count, size * channels, *plane))


def apart(images: Value, size: int) -> Any:
    """The opposite of ``beside``."""
    count, channels, *plane = images._data.shape
    return ops.transpose(ops.reshape(images, (count, size, channels // size, *plane)), 0, 1)


def loss(call: MappedCall) -> Any:
    """A loss of which the elements are computed for the whole batch, and then reduced for each item."""
    reduction = call["reduction"]
    items = max([len(b.shape) for b in call.batches])
    call.outs  # noqa: B018 - likewise
    # With the axis on all of them, since the shape of one operand may stand for that of the result.
    each: Value = call.run(
        [_aligned(call, v, items) if n != "reduction" else "none" for n, v in zip(call.op.names, call.values, strict=True)]
    )
    rank = len(each._data.shape) - 1
    if reduction == "none" or not rank:
        return each
    return (ops.mean if reduction == "mean" else ops.sum)(each, tuple(range(1, rank + 1)))


def _aligned(call: MappedCall, value: Any, rank: int) -> Any:
    return aligned(call.stacked(value), rank) if isinstance(value, Batch) else value
