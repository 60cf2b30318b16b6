"""Views: tensors that share a storage and its version.

A view remembers the tensor it is a view of (never itself a view) and the chain of view operations that leads to it. After a
write through a view the base's history goes through ``CopySlices``; a view whose storage has since been written rebuilds its
``grad_fn`` when it is next looked at, by replaying its chain. See "Tensor views" and "In-place operations" in torch's notes
on autograd mechanics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import TensorRuntimeError
from .meta import Meta
from .modes import GRAD_MODE
from .node import Node, edge_of, next_sequence
from .op import Op
from .rules import spec_for

if TYPE_CHECKING:
    from .value import Value
    from .walk_arithmetic import Arithmetic

_MULTI = (
    " This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified "
    "inplace. You should replace the inplace operation by an out-of-place one."
)
_NO_GRAD = (
    " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the "
    "inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace "
    "to be tracked)."
)


@dataclass(frozen=True, slots=True)
class Link:
    """One view operation of a chain: the op, its parameters (the tensor left out), its input's meta, and which output."""

    op: Op
    values: tuple[Any, ...]
    source: Meta
    index: int
    outs: tuple[Meta, ...]

    def replay(self, tensor: Any) -> Any:
        """Takes the same view of another tensor of the same shape."""
        from .record import call_bound

        result = call_bound(self.op, [tensor, *self.values])
        return result[self.index] if self.op.variable_outputs else result

    def transpose(self, g: Any, arithmetic: Arithmetic) -> Any:
        """Maps a cotangent of the view to one of the tensor viewed."""
        spec = spec_for(self.op, (True,))
        if self.op.variable_outputs:
            g = tuple(g if i == self.index else arithmetic.zeros(m.shape, m.dtype) for i, m in enumerate(self.outs))
        return spec.apply(g, (), (None, *self.values), (self.source,) * len(spec.metas))[0]


class ViewOf:
    """What a tensor is a view of.

    Attributes:
        base: The tensor that owns the storage; not itself a view.
        chain: The view operations from ``base`` to the view.
        version: The version of the storage for which the view's ``grad_fn`` is right.
        creation: ``"default"``, ``"no_grad"`` (made while nothing was recorded) or ``"multi"`` (one of several outputs).
    """

    __slots__ = ("base", "chain", "creation", "version")

    def __init__(self, base: Value, chain: tuple[Link, ...], version: int, creation: str) -> None:
        self.base = base
        self.chain = chain
        self.version = version
        self.creation = creation


def share(source: Value, results: Sequence[Value], op: Op, values: Sequence[Any]) -> None:
    """Makes the outputs of a view op views of ``source`` (or of what that is a view of)."""
    kind = type(source)
    meta = kind._meta_of(source._data)
    counter = source._version_counter
    outer = source._view
    base = source if outer is None else outer.base
    before = () if outer is None else outer.chain
    creation = "default" if GRAD_MODE.get() else "no_grad"
    if creation == "default" and (op.variable_outputs or outer is not None):
        creation = "multi" if op.variable_outputs else outer.creation  # type: ignore[union-attr]
    outs = tuple(kind._meta_of(r._data) for r in results) if op.variable_outputs else ()
    for index, result in enumerate(results):
        result._version_counter = counter
        result._view = ViewOf(base, (*before, Link(op, tuple(values[1:]), meta, index, outs)), counter.count, creation)


def refresh(view: Value) -> None:
    """Rebuilds the ``grad_fn`` of a view whose storage was written since it was last right.

    Raises:
        TensorRuntimeError: The history of the view would be ambiguous (torch's messages).
    """
    of = view._view
    if of is None or of.version == view._version_counter.count:
        return
    if of.base.requires_grad:
        check_creation(view, of, "its base or another view of its base has been")
        view._move_to(AsStridedBackward0(view, of), 0)
    of.version = view._version_counter.count


def check_creation(view: Value, of: ViewOf, what: str) -> None:
    """Refuses to give a new history to a view that was made under ``no_grad`` or beside others."""
    if of.creation == "default":
        return
    node = view._node
    if of.creation == "no_grad" or node is None:
        made = "A view was" if node is None else f"Output {view._index} of {node.message_name()} is a view of a view which was"
        message = f"{made} created in no_grad mode and {what} modified inplace with grad mode enabled."
    else:
        message = f"Output {view._index} of {node.message_name()} is a view and {what} modified inplace."
    raise TensorRuntimeError(message + (_MULTI if of.creation == "multi" else _NO_GRAD), code="inplace_on_view")


class AsStridedBackward0(Node):
    """The history of a view after its storage was written: back through the chain to the base."""

    def __init__(self, view: Value, of: ViewOf) -> None:
        self.edges = (edge_of(of.base),)
        self.outs = ((view._data.shape, view._data.dtype),)
        self.sequence = next_sequence()
        self._chain = of.chain

    def name(self) -> str:
        """torch's name of the node."""
        return "AsStridedBackward0"

    @property
    def makes_views(self) -> bool:
        """Its output is a view."""
        return True

    def apply(self, grads: list[Any], arithmetic: Arithmetic) -> Sequence[Any]:
        """Transposes the chain of views."""
        return (transpose_chain(self._chain, grads[0], arithmetic),)


class CopySlices(Node):
    """The history of a base that was written through a view.

    Backward hands the written part's gradient to the in-place operation's own node, and the rest on to the base's past. The
    history of a composite operation is several nodes, which lead back to the view by themselves: there it hands the written
    part's gradient to the last of them.

    Args:
        base: The tensor that was written.
        chain: The views that lead to the written part.
        written: What was written there, with its history.
        fused: Whether that history is one node, whose first edge is the view's.
    """

    def __init__(self, base: Value, chain: tuple[Link, ...], written: Value, fused: bool) -> None:
        inner = written._node
        assert inner is not None
        self._inner = inner if fused else None
        after = inner.edges[1:] if fused else (edge_of(written),)
        self.edges = (edge_of(base) if base.requires_grad else None, *after)
        self.outs = ((base._data.shape, base._data.dtype),)
        self.sequence = next_sequence()
        self._chain = chain

    def name(self) -> str:
        """torch's name of the node."""
        return "torch::autograd::CopySlices"

    def release(self) -> None:
        """Gives up what the in-place operation saved."""
        if self._inner is not None:
            self._inner.release()

    def kept(self) -> Iterator[Any]:
        """What the in-place operation saved."""
        return iter(()) if self._inner is None else self._inner.kept()

    def apply(self, grads: list[Any], arithmetic: Arithmetic) -> Sequence[Any]:
        """Splits the gradient between the in-place operation and the base's past."""
        g = grads[0]
        inside = g
        for link in self._chain:
            inside = link.replay(inside)
        first, *others = (None, inside) if self._inner is None else self._inner.apply([inside], arithmetic)
        past = None
        if self.edges[0] is not None:
            past = arithmetic.replace(g, self._chain, first)
        return (past, *others)


def transpose_chain(chain: Sequence[Link], g: Any, arithmetic: Arithmetic) -> Any:
    """Maps a cotangent of the last view of a chain to one of the chain's base."""
    for link in reversed(chain):
        g = link.transpose(g, arithmetic)
    return g
