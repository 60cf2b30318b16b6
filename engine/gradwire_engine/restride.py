"""In-place changes of shape: ``x.t_()`` and its like give the same handle other strides and move no element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .node import OpNode
from .op import Op
from .record import call_bound

if TYPE_CHECKING:
    from .value import Value


def restride(op: Op, target: Value, values: Sequence[Any]) -> Value:
    """Makes ``target`` what the view op gives.

    Args:
        op: A view op with one output.
        target: The tensor, which may be a view itself.
        values: One per parameter of the op; the first is ``target``.

    Returns:
        ``target``, whose history now ends in the new node.
    """
    result = call_bound(op, [target, *values[1:]])
    chain = result._view.chain
    target._data = result._data
    target._version_counter.bump()
    of = target._view
    if of is not None:
        of.chain, of.version = chain, target._version_counter.count
    node = result._node
    if node is not None:
        if isinstance(node, OpNode) and op.inplace_grad_fn is not None:
            node.title = op.inplace_grad_fn
        target._move_to(node, result._index)
    return target
