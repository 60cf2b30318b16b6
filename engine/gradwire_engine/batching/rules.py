"""How the operations on items are carried out on a whole batch, by the class of the op.

Most classes follow from the declaration: elementwise ops align the ranks of their operands, and an op that counts dimensions gets them
counted past the batch's. What an op says of itself (``@op(batch=...)``) is the name of one of these rules; an op without any runs
its kernel item after item (``looped``). A rule gives the results, which have the leading axis, or ``None`` where it has no form for
this call. No rule depends on the elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from ..meta import wrap_dim
from ..op import REGISTRY, Op, Overloads, ops
from .apply import MappedCall, inner
from .axes import DIMENSIONS, aligned, elementwise, leading, literal, past
from .batch import Batch
from .indexed import indexed, put_or_transposed, vector
from .layers import convolution, convolution_weight, folded, loss
from .products import added_product, batched_product, dot, matrix_product, matrix_vector, outer_sum, solve

RuleOf = Callable[[MappedCall], Any]


def rule_of(op: Op) -> RuleOf:
    """The rule of an op that is no composite one and not random."""
    if op.batch is not None:
        return RULES[op.batch]
    if op.elementwise:
        return elementwise
    return leading if any(name in DIMENSIONS for name in op.names) else item_by_item


def item_by_item(call: MappedCall) -> None:
    """No form for a batch: the kernel runs item after item."""


def filled(call: MappedCall) -> Any:
    """An elementwise op whose last operand is a single number, which it may not be for a batch."""
    value = call["value"]
    return None if isinstance(value, Batch) and value.mapped else elementwise(call)


def decomposed(call: MappedCall) -> Any:
    """``linalg.qr``; where only the triangle is asked for, the other result has no axis for a batch."""
    return None if call["mode"] == "r" else leading(call)


def joined(call: MappedCall) -> Any:
    """A concatenation; vectors without elements among tensors of other ranks, which it drops, need the kernel."""
    return leading(call) if len({len(b.shape) for b in call.batches}) == 1 else None


def reshaped(call: MappedCall) -> Any:
    """The same elements in another shape."""
    return ops.reshape(call.stacked(call.values[0]), (call.size, *call.outs[0].shape))


def expanded(call: MappedCall) -> Any:
    """Elements repeated along dimensions of size 1, of which there may be more in front."""
    shape = call.outs[0].shape
    return ops.expand(aligned(call.stacked(call.values[0]), len(shape)), (call.size, *shape))


def repeated(call: MappedCall) -> Any:
    """Copies side by side, in dimensions of which there may be more in front."""
    return ops.repeat(aligned(call.stacked(call.values[0]), len(call["repeats"])), (1, *call["repeats"]))


def permuted(call: MappedCall) -> Any:
    """The dimensions in another order."""
    rank = len(call.outs[0].shape)
    return ops.permute(call.stacked(call.values[0]), (0, *(1 + wrap_dim(d, rank) for d in call["dims"])))


def turned(call: MappedCall) -> Any:
    """The transpose of a matrix; vectors and numbers as they are."""
    value = call.stacked(call.values[0])
    return ops.transpose(value, 1, 2) if len(call.outs[0].shape) == 2 else ops._alias(value)


def rolled(call: MappedCall) -> Any:
    """Elements shifted along dimensions, or in the vector of all."""
    value, shifts, dims = call.stacked(call.values[0]), call["shifts"], call["dims"]
    shape = call.outs[0].shape
    if not shape:
        return ops.clone(value)
    if dims != ():
        return ops.roll(value, shifts, past(dims))
    flat = ops.reshape(value, (call.size, math.prod(shape)))
    return ops.reshape(ops.roll(flat, shifts, 1), (call.size, *shape))


def total(call: MappedCall) -> Any:
    """A reduction over everything: the overload with a dimension, over the vector of an item's elements."""
    value = call.stacked(call.values[0])
    call.outs  # noqa: B018 - some refuse an item without elements, or its dtype
    count = math.prod(call.batches[0].shape)
    found = REGISTRY[call.op.name]
    assert isinstance(found, Overloads)
    along = next(o for o in found.overloads if "dim" in o.names)
    flat = ops.reshape(value, (call.size, count))
    return along(flat, 1, **dict(zip(call.op.names[1:], call.values[1:], strict=True)))


def constant(call: MappedCall) -> Batch:
    """A tensor made in the shape of another, with elements that are the same for all items."""
    made = call.values.copy()
    batch = made[0]
    slot = next((i for i, p in enumerate(call.op.params) if p.name == "size"), None)
    if slot is not None:
        made[0] = inner(batch)
        return Batch(call.run(made), False)
    name = call.op.name.replace("_like", "")
    dtype = call["dtype"] or batch.dtype
    more = (call["fill_value"],) if name == "full" else ()
    return Batch(getattr(ops, f"new_{name}")(batch.value, batch.shape, *more, dtype=dtype), False)


def looked_up(call: MappedCall) -> Any:
    """Elements of a table at positions; those of one table for all items are a single lookup."""
    table, places = call.values[0], call["indices" if "indices" in call.op.names else "index"]
    scaled = "scale_grad_by_freq" in call.op.names and call["scale_grad_by_freq"]
    if table.mapped or not isinstance(places, Batch) or scaled:
        return None
    return call.run([inner(v) for v in call.values])


def first_only(call: MappedCall) -> Any:
    """An op that works on the last dimensions of its first operand, with others that are the same for all items."""
    if any(isinstance(b, Batch) and b.mapped for b in call.values[1:]):
        return None
    return call.run([inner(v) for v in call.values])


RULES: Final[dict[str, RuleOf]] = {
    "added_product": added_product,
    "batched_product": batched_product,
    "constant": constant,
    "convolution": convolution,
    "convolution_weight": convolution_weight,
    "decomposed": decomposed,
    "dot": dot,
    "expanded": expanded,
    "filled": filled,
    "first_only": first_only,
    "folded": folded,
    "indexed": indexed,
    "item_by_item": item_by_item,
    "joined": joined,
    "leading": leading,
    "literal": literal,
    "looked_up": looked_up,
    "loss": loss,
    "matrix_product": matrix_product,
    "matrix_vector": matrix_vector,
    "outer_sum": outer_sum,
    "permuted": permuted,
    "put_or_transposed": put_or_transposed,
    "repeated": repeated,
    "reshaped": reshaped,
    "rolled": rolled,
    "solve": solve,
    "total": total,
    "turned": turned,
    "vector": vector,
}
"""The rules by the names that declarations use."""
