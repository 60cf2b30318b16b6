"""Products of matrices and vectors over a batch: one product of larger ones."""

from __future__ import annotations

from typing import Any

from ..op import ops
from ..value import Value
from .apply import MappedCall, inner
from .axes import aligned
from .batch import Batch


def product(a: Batch, b: Batch) -> Value:
    """The products of matrices, or of batches of them; what is the same for all items is not copied where one product will do."""
    return ops.matmul(a.value, b.value)  # type: ignore[no-any-return]


def matrix_product(call: MappedCall) -> Any:
    """``mm``."""
    call.outs  # noqa: B018 - ranks and sizes are refused in the items' words
    return product(call.values[0], call.values[1])


def batched_product(call: MappedCall) -> Any:
    """``bmm``, of items that are batches themselves: their axes become one."""
    call.outs  # noqa: B018 - likewise
    return _of_batches(call, call.values[0], call.values[1])


def _of_batches(call: MappedCall, a: Any, b: Any) -> Any:
    count = a.shape[0]
    left, right = [ops.reshape(call.stacked(x), (call.size * count, *x.shape[1:])) for x in (a, b)]
    return ops.reshape(ops.bmm(left, right), (call.size, count, a.shape[1], b.shape[2]))


def matrix_vector(call: MappedCall) -> Any:
    """``mv``."""
    call.outs  # noqa: B018 - likewise
    return _times_vector(*call.values)


def _times_vector(matrix: Batch, vec: Batch) -> Any:
    if not vec.mapped:
        return ops.matmul(matrix.value, vec.value)
    if not matrix.mapped:
        return ops.mm(vec.value, ops.t(matrix.value))
    return ops.squeeze(ops.bmm(matrix.value, ops.unsqueeze(vec.value, 2)), 2)


def dot(call: MappedCall) -> Any:
    """``dot`` and ``vdot``."""
    call.outs  # noqa: B018 - likewise
    a, b = call.values
    left = ops.conj(a.value) if call.op.name == "vdot" else a.value
    if not b.mapped:
        return ops.mv(left, b.value)
    if not a.mapped:
        return ops.mv(b.value, left)
    return ops.reshape(ops.bmm(ops.unsqueeze(left, 1), ops.unsqueeze(b.value, 2)), (call.size,))


def added_product(call: MappedCall) -> Any:
    """``addmm``, ``addmv``, ``baddbmm`` and ``addbmm``."""
    call.outs  # noqa: B018 - likewise
    if _rounds(call):
        return None
    name = call.op.name
    _, a, b, _, _ = call.values
    if name == "addmm":
        made = product(a, b)
    elif name == "addmv":
        made = _times_vector(a, b)
    else:
        made = _of_batches(call, a, b) if a.mapped or b.mapped else ops.bmm(a.value, b.value)
        if name == "addbmm":
            made = ops.sum(made, (1,) if a.mapped or b.mapped else (0,))
    return _added(call, made, a.mapped or b.mapped)


def outer_sum(call: MappedCall) -> Any:
    """``addr``."""
    call.outs  # noqa: B018 - likewise
    if _rounds(call):
        return None
    _, a, b, _, _ = call.values
    made = ops.unsqueeze(inner(a), -1) * ops.unsqueeze(inner(b), -2)
    return _added(call, made, a.mapped or b.mapped)


def _rounds(call: MappedCall) -> bool:
    """Whether whole numbers are scaled by other ones, which the kernels round in their own way."""
    return call.outs[0].dtype.kind in "bui" and any(not isinstance(call[name], int) for name in ("beta", "alpha"))


def _added(call: MappedCall, made: Any, mapped: bool) -> Any:
    """``beta * input + alpha * made``; a factor of zero leaves no trace of what it is multiplied with."""
    start, beta, alpha = call.values[0], call["beta"], call["alpha"]
    scaled = made if alpha == 1 else made * alpha
    shape = (call.size, *call.outs[0].shape)
    if beta == 0:
        return ops.expand(scaled, shape)
    before = aligned(start.value, len(shape) - 1) if start.mapped else start.value
    return (before if beta == 1 else before * beta) + scaled


def solve(call: MappedCall) -> Any:
    """``linalg.solve``, whose right sides are matrices, or vectors of one dimension less than the matrices."""
    a, b = call.values[0], call.values[1]
    call.outs  # noqa: B018 - likewise
    vectors = len(b.shape) == len(a.shape) - 1 and b.shape == a.shape[:-1]
    if len(b.shape) != len(a.shape) and not vectors:
        return None
    return call.run([call.stacked(a), call.stacked(b), *call.values[2:]])
