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
    target._version_counter.count += 1
    of = target._view
    if of is not None:
        of.chain, of.version = chain, target._version_counter.count
    node = result._node
    if node is not None:
        retained = target.retains_grad
        if isinstance(node, OpNode) and op.inplace_grad_fn is not None:
            node.title = op.inplace_grad_fn
        if retained and target._node is not None and target._node.retained is not None:
            # The gradient that is kept is that of the new shape.
            del target._node.retained[target._index]
        target._node, target._index, target._requires_grad = node, result._index, True
        if retained:
            target.retain_grad()
    return target
