"""In-place operations: computing out of place, writing over the target, and moving it to the new node.

What torch refuses is refused with its messages; see "In-place operations with autograd" in torch's notes on autograd mechanics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .dtypes import castable, dtype_of
from .errors import TensorRuntimeError
from .meta import is_without_gaps
from .modes import GRAD_MODE
from .node import OpNode
from .op import Op, Overloads
from .record import attach, call_bound, is_tensor, payload_of
from .value import Value
from .views import CopySlices, check_creation

_OVERLAP = "unsupported operation: {} a single memory location. Please clone() the tensor before performing the operation."
_WITH_ITSELF = _OVERLAP.format("more than one element of the written-to tensor refers to")
_WITH_ANOTHER = _OVERLAP.format("some elements of the input tensor and the written-to tensor refer to")


def check_inplace(target: Value, recorded: bool) -> None:
    """Refuses in-place writes that torch refuses.

    Args:
        target: The tensor to be written.
        recorded: Whether the write would be recorded.

    Raises:
        TensorRuntimeError: The tensor is a leaf that requires grad, a view of one, a view whose history would become
            ambiguous, or has elements that share memory (torch's messages).
    """
    if recorded:
        of = target._view
        if of is not None:
            check_creation(target, of, "is being")
            if target.requires_grad and of.base.is_leaf:
                raise TensorRuntimeError(
                    "a view of a leaf Variable that requires grad is being used in an in-place operation.", code="inplace_on_leaf"
                )
        if target.requires_grad and target.is_leaf:
            raise TensorRuntimeError("a leaf Variable that requires grad is being used in an in-place operation.", code="inplace_on_leaf")
    meta = target._meta_of(target._data)
    if any(size > 1 and stride == 0 for size, stride in zip(meta.shape, meta.strides, strict=True)):
        raise TensorRuntimeError(_WITH_ITSELF, code="overlapping_memory")


def _check_apart(target: Value, others: Sequence[Value]) -> None:
    """Refuses to write over a part of what is read, as torch does where both are without gaps; the whole may be written."""
    for other in others:
        if other is target or other._version_counter is not target._version_counter:
            continue
        mine, theirs = target._meta_of(target._data), other._meta_of(other._data)
        if not (mine.numel and theirs.numel and is_without_gaps(mine) and is_without_gaps(theirs)):
            continue
        start, begin = target.data_ptr(), other.data_ptr()
        same_range = start == begin and mine.numel == theirs.numel
        if same_range and mine.strides == theirs.strides:
            continue
        itemsize = mine.dtype.itemsize
        if start < begin + theirs.numel * itemsize and begin < start + mine.numel * itemsize:
            raise TensorRuntimeError(_WITH_ANOTHER, code="overlapping_memory")


def call_inplace(op: Op | Overloads, target: Value, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Value:
    """Runs ``op`` on ``target`` and writes the result over it: what ``target.op_(...)`` does.

    Returns:
        ``target``, whose history now ends in the new node.
    """
    if isinstance(op, Overloads):
        chosen, values = op.resolve((target, *args), kwargs, is_tensor)
    else:
        chosen, values = op, op.bind((target, *args), kwargs, is_tensor)
    if target.announces:
        return target._announce_inplace(chosen, target, values)  # type: ignore[no-any-return]
    return run_inplace(chosen, target, values)


def run_inplace(chosen: Op, target: Value, values: list[Any]) -> Value:
    """``call_inplace`` with its arguments bound, one per parameter; the same for every recorder, whoever is told of it."""
    from .restride import restride

    tensors = [
        v for i in chosen.tensor_slots for v in (values[i] if isinstance(values[i], tuple) else (values[i],)) if isinstance(v, Value)
    ]
    recorded = GRAD_MODE.get() and any(v.requires_grad for v in tensors)
    check_inplace(target, recorded)
    if chosen.elementwise:
        _check_apart(target, tensors)
    if chosen.inplace_check is not None:
        chosen.inplace_check(target._data.dtype, recorded)
    if chosen.view:
        return restride(chosen, target, values)
    before = target._recorder._wrap(target._data)
    if recorded:
        # The rules may need the elements that are about to be overwritten.
        before._data = target._snapshot() if chosen.saves_first else target._data
        before._requires_grad = target.requires_grad
        before._node, before._index = target._made_by(), target._index
        before._accumulator = target._accumulator
    result = call_bound(chosen, [before, *values[1:]])
    _check_result(target, result, chosen)
    if recorded and chosen.result == "bool":
        # Truth values have no history, but written over numbers they do: one that passes zeros on.
        result = before._wrap(before._promote(result._data, target._data.dtype))
        inputs = [before, *values[1:]]
        attach(chosen, inputs, [payload_of(v) for v in inputs], [result], None)
    if chosen.inplace_grad_fn is not None and result is not before and isinstance(result._node, OpNode):
        result._node.title = chosen.inplace_grad_fn
    target._overwrite(result._data)
    target._version_counter.bump()
    if result._node is not None:
        _rehistory(target, result, chosen)
    return target


def _check_result(target: Value, result: Value, op: Op) -> None:
    have, want = list(result._data.shape), list(target._data.shape)
    if have != want:
        message = f"output with shape {want} doesn't match the broadcast shape {have}"
        if not (op.elementwise or op.composite):
            message = f"Bad in-place call: input tensor size {want} and output tensor size {have} should match"
        raise TensorRuntimeError(message, code="shape_mismatch")
    _check_result_dtype(target, result)


def _check_result_dtype(target: Value, result: Value) -> None:
    have, want = result._data.dtype, target._data.dtype
    if not castable(have, want):
        raise TensorRuntimeError(
            f"result type {dtype_of(have).torch_name} can't be cast to the desired output type {dtype_of(want).torch_name}",
            code="dtype_mismatch",
        )


def _rehistory(target: Value, result: Value, op: Op) -> None:
    """Moves ``target`` (or the base it is a view of) to the node that made ``result``."""
    node = result._node
    assert node is not None
    if isinstance(node, OpNode) and node.saved:
        # A saved output is now the target itself: a later write to it must be noticed.
        saved, versions = list(node.saved), list(node.versions)
        for i, code in enumerate(node.spec.saves):
            if code < 0:
                saved[i] = target._data
        for i in range(0, len(versions), 3):
            if isinstance(versions[i + 2], int) and versions[i + 2] < 0:
                versions[i], versions[i + 1] = target._version_counter, target._version_counter.count
        node.saved, node.versions = tuple(saved), tuple(versions)
    of = target._view
    counter = target._version_counter
    if of is None:
        target._move_to(node, result._index)
        counter.writer = node.message_name()
        return
    base = of.base
    fused = isinstance(node, OpNode) and node.spec.op is op and op.ruled_slots[0][1]
    written = CopySlices(base, of.chain, result, fused)
    base._move_to(written, 0)
    counter.writer = written.message_name()
