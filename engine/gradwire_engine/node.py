"""The backward graph: nodes, the edges between them, and what they save."""

from __future__ import annotations

import itertools
import re
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .dtypes import NumpyDType, dtype_of, is_differentiable
from .errors import TensorNotImplementedError, TensorRuntimeError, TensorTypeError
from .hooks import RemovableHandle, SuspendingHook

if TYPE_CHECKING:
    from .rules import Spec
    from .value import Value
    from .walk_arithmetic import Arithmetic

Edge = tuple["Node", int, tuple[int, ...], NumpyDType]
"""A node, the number of its output, and the shape and dtype of the tensor that the edge stands for."""

next_sequence = itertools.count().__next__

NUMBERED = re.compile(r"Backward0?(?=\d*$)")

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). "
    "Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
    "Specify retain_graph=True if you need to backward through the graph a "
    "second time or if you need to access saved tensors after calling backward."
)


class Version:
    """How often a storage was written in place; shared by all of its views.

    Attributes:
        count: The number of writes.
        writer: What torch's messages call the node of the last recorded write, if there was one.
    """

    # On the class, because one is made for every tensor and most are never written.
    count = 0
    writer = ""

    def bump(self) -> None:
        """Counts a write, which whatever saved a tensor of this storage notices."""
        self.count += 1


class Node:
    """A node of the backward graph, ``torch.autograd.graph.Node``.

    The operation, the edges and the metadata of a node never change. Its saved tensors are given up after backward unless
    the graph is retained.

    Attributes:
        edges: One per differentiable-tensor argument, ``None`` where an argument needs no gradient.
        outs: Shape and dtype of each output of the forward operation.
        sequence: The order of creation; the walk goes from the latest to the earliest.
        suspends: The walk waits for an answer from outside at this node.
        is_leaf: This is the end of a path.
        single: The forward operation had one output.
        simple: A plain call of the rules on arrays is all that the walk has to do.
    """

    # Instances set only what differs from these, which keeps recording cheap.
    edges: tuple[Edge | None, ...] = ()
    outs: tuple[tuple[tuple[int, ...], NumpyDType], ...] = ()
    sequence = 0
    hooks: list[Callable[..., Any]] | None = None
    prehooks: list[Callable[..., Any]] | None = None
    tensor_hooks: dict[int, list[Callable[..., Any]]] | None = None
    retained: dict[int, weakref.ref[Value]] | None = None
    suspends = False
    # Takes a user's hook in our place, where the walk runs somewhere else: hooking(node, kind, hook).
    hooking: Callable[[Node, str, Callable[..., Any]], Any] | None = None
    is_leaf = False
    single = True
    simple = False
    _metadata: dict[str, Any] | None = None

    def name(self) -> str:
        """torch's name, such as ``MulBackward0``."""
        raise NotImplementedError

    @property
    def short_name(self) -> str:
        """The name without a namespace, which stands in the text of a tensor: ``CopySlices`` for ``torch::autograd::CopySlices``."""
        return self.name().rpartition("::")[2]

    @property
    def makes_views(self) -> bool:
        """Whether its outputs are views, whose ``grad_fn`` is rebuilt when their storage is written."""
        return False

    def message_name(self) -> str:
        """The name as torch's error messages have it: ``Mul`` for ``MulBackward0``."""
        return NUMBERED.sub("", self.name())

    def apply(self, grads: list[Any], arithmetic: Arithmetic) -> Sequence[Any]:
        """Maps the gradients of the outputs to those of the edges, ``None`` for none.

        Args:
            grads: One per output, ``None`` where nothing arrived.
            arithmetic: How to compute: on arrays, or on tensors that record.
        """
        raise NotImplementedError

    def release(self) -> None:
        """Gives up what was saved for backward."""

    def kept(self) -> Iterator[Any]:
        """The payloads (and Python numbers) that are saved for backward at present."""
        return iter(())

    def receives(self, grads: list[Any], arithmetic: Arithmetic) -> list[Any]:
        """What a node that suspends hands outside, from the gradients of its outputs."""
        return grads

    def answers(self, response: Any) -> Sequence[Any]:
        """What came back from outside as one value per edge, ``None`` for no gradient."""
        return response or (None,) * len(self.edges)

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes that this one hands gradients to, with the number of their output."""
        return tuple((None, 0) if e is None else (as_seen(e[0]), e[1]) for e in self.edges)

    @property
    def metadata(self) -> dict[str, Any]:
        """A dictionary for the user's own notes on this node."""
        if self._metadata is None:
            self._metadata = {}
        return self._metadata

    def register_hook(self, hook: Callable[..., Any]) -> Any:
        """Calls ``hook(grad_inputs, grad_outputs)`` after the node ran; a tuple it returns replaces ``grad_inputs``."""
        if self.hooking is not None and type(hook) is not SuspendingHook:
            return self.hooking(self, "node", hook)
        self.simple = False
        if self.hooks is None:
            self.hooks = []
        self.hooks.append(hook)
        return RemovableHandle(self.hooks, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Any:
        """Calls ``hook(grad_outputs)`` before the node runs; a tuple it returns replaces ``grad_outputs``."""
        if self.hooking is not None and type(hook) is not SuspendingHook:
            return self.hooking(self, "node_pre", hook)
        self.simple = False
        if self.prehooks is None:
            self.prehooks = []
        self.prehooks.append(hook)
        return RemovableHandle(self.prehooks, hook)

    def add_tensor_hook(self, index: int, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(grad)`` with the gradient of output ``index``; what it returns replaces the gradient."""
        self.simple = False
        if self.tensor_hooks is None:
            self.tensor_hooks = {}
        hooks = self.tensor_hooks.setdefault(index, [])
        hooks.append(hook)
        return RemovableHandle(hooks, hook)

    def __call__(self, *grads: Any) -> Any:
        """Maps gradients of the outputs to those of the inputs, without what else the walk does: hooks, sums, the shapes of the inputs.

        Returns:
            One gradient (``None`` for none), or a tuple of several.

        Raises:
            TensorTypeError: The number of gradients is wrong, or one is no tensor.
            TensorNotImplementedError: The node's tensors are somewhere else.
        """
        from .value import Value
        from .walk_arithmetic import RecordedArithmetic

        if len(grads) != len(self.outs):
            raise TensorTypeError(f"expected {len(self.outs)} arguments, got {len(grads)} instead", code="arity")
        for i, g in enumerate(grads):
            if g is not None and not isinstance(g, Value):
                raise TensorTypeError(f"argument {i} is not a Variable", code="argument_type")
        kind = next((type(g)._recorder for g in grads if g is not None), None)
        if kind is None:
            results: Sequence[Any] = (None,) * len(self.edges)
        elif kind.announces or self.suspends:
            raise TensorNotImplementedError(
                f"{self.short_name} can only be called where its tensors are, and they are not in this process. Use autograd.grad."
            )
        else:
            results = self.apply(list(grads), RecordedArithmetic(kind))
        return results[0] if len(results) == 1 else tuple(results)

    def __repr__(self) -> str:
        return f"<{self.short_name} object at {id(self):#x}>"


class OpNode(Node):
    """The backward of one recorded op.

    Attributes:
        spec: Which arguments need gradients, what is saved for their rules, and how to call them.
        saved: The saved payloads (arrays, or tuples of them for a list of tensors); ``None`` once released.
        versions: For every saved tensor its version counter, the version at the time of saving, and where it is from: the number
            of its edge, ``~k`` for output ``k``, or the payload itself where there is no edge.
        static: The values of all parameters, for rules that name static ones.
        metas: The metas that rules name.
        compute: The dtype that operands were cast to, where that differs from their own.
        title: The name, where it is not the op's.
        conjugate: The output is complex and the op holomorphic: the walk conjugates around the rule.
    """

    simple = True
    spec: Spec
    saved: tuple[Any, ...] | None = ()
    versions: tuple[Any, ...] = ()
    static: Sequence[Any] = ()
    metas: tuple[Any, ...] = ()
    compute: NumpyDType | None = None
    conjugate = False
    title: str | None = None

    def name(self) -> str:
        """torch's name of the node."""
        return self.title or self.spec.op.grad_fn

    @property
    def makes_views(self) -> bool:
        """Whether the op is a view op."""
        return self.spec.op.view

    def release(self) -> None:
        """Gives up the saved tensors; a node that saved none can be walked again."""
        if self.saved:
            self.saved = None
            self.versions = ()

    def kept(self) -> Iterator[Any]:
        """The payloads (and Python numbers) that are saved for backward at present."""
        for item in self.saved or ():
            if type(item) is tuple:
                yield from item
            else:
                yield item

    def apply(self, grads: list[Any], arithmetic: Arithmetic) -> Sequence[Any]:
        """Calls the rules of the op."""
        spec = self.spec
        saved = self.saved
        if saved is None:
            raise TensorRuntimeError(FREED, code="graph_freed")
        if self.versions:
            self.check_versions()
        saved = arithmetic.unpack(self, saved)
        if self.compute is not None:
            saved = spec.cast(saved, self.compute, arithmetic)
        g: Any
        if spec.single:
            g = grads[0]
        else:
            g = tuple(arithmetic.zeros(*self.outs[i]) if x is None else x for i, x in enumerate(grads))
        if not self.conjugate:
            return spec.apply(g, saved, self.static, self.metas)
        conj = arithmetic.conj
        g = conj(g) if spec.single else tuple(conj(x) for x in g)
        return [None if r is None else conj(r) for r in spec.apply(g, saved, self.static, self.metas)]

    def check_versions(self) -> None:
        """Refuses to go on when a saved tensor was overwritten since it was saved (torch's message)."""
        versions = self.versions
        for i in range(0, len(versions), 3):
            counter, version, origin = versions[i], versions[i + 1], versions[i + 2]
            if counter.count != version:
                raise TensorRuntimeError(overwritten(counter, version, self, origin), code="saved_tensor_modified")


_seen: dict[str, type[OpNode]] = {}


def as_seen(node: Node) -> Node:
    """The node, made one of a class with its name: what users print is ``type(y.grad_fn).__name__``.

    Nodes are recorded as plain ones, which is faster, and most are never looked at.
    """
    if type(node) is OpNode:
        name = node.short_name
        if name not in _seen:
            _seen[name] = type(name, (OpNode,), {"__module__": "builtins", "__doc__": f"A node called {name}."})
        node.__class__ = _seen[name]
    return node


def tensor_type_name(dtype: NumpyDType) -> str:
    """What torch's messages call a tensor of ``dtype``, such as ``torch.FloatTensor``."""
    name = dtype_of(dtype).torch_name
    return f"CPU{name}Type" if dtype.kind in "bc" else f"torch.{name}Tensor"


def overwritten(counter: Version, then: int, node: Node, origin: Any) -> str:
    """torch's message; ``origin`` is as in ``OpNode.versions``, or an edge itself."""
    # What a tensor is called is its grad_fn of now, which a recorded in-place operation has left in the counter.
    source = f"0 of {counter.writer}" if counter.writer else ""
    if not isinstance(origin, (int, tuple)):
        shape, dtype = origin.shape, origin.dtype
    elif isinstance(origin, int) and origin < 0:
        shape, dtype = node.outs[~origin]
        source = f"{~origin} of {node.message_name()}" if is_differentiable(dtype) else ""
    else:
        edge = node.edges[origin] if isinstance(origin, int) else origin
        assert edge is not None  # otherwise the origin is the payload
        shape, dtype = edge[2], edge[3]
        if edge[0].makes_views:
            source = "0 of AsStrided"
        elif not source and not edge[0].is_leaf:
            source = f"{edge[1]} of {edge[0].message_name()}"
    if source:
        source = f", which is output {source},"
    kind = tensor_type_name(dtype)
    return (
        f"one of the variables needed for gradient computation has been modified by an inplace operation: [{kind} {list(shape)}]{source}"
        f" is at version {counter.count}; expected version {then} instead. "
        "Hint: enable anomaly detection to find the operation that failed "
        "to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


class AccumulateGrad(Node):
    """The end of every path: adds what arrives to the ``grad`` of a leaf.

    Attributes:
        variable: The leaf.
    """

    is_leaf = True

    def __init__(self, variable: Value) -> None:
        self.variable = variable
        self.sequence = -1
        if variable.announces:
            self.hooking = variable._hooking(variable._data)
        self.outs = ((variable._data.shape, variable._data.dtype),)

    def name(self) -> str:
        """torch's name of the node."""
        return "torch::autograd::AccumulateGrad"

    def apply(self, grads: list[Any], arithmetic: Arithmetic) -> Sequence[Any]:
        """Accumulates, where users call the node; the walk does so itself."""
        self.variable._accumulate(grads[0])
        return ()


def accumulator(leaf: Value) -> AccumulateGrad:
    """The one ``AccumulateGrad`` of a leaf, alive as long as a graph refers to it."""
    present = leaf._accumulator() if leaf._accumulator is not None else None
    if present is None:
        present = AccumulateGrad(leaf)
        # The node holds the leaf; a strong reference back would be a cycle, and memory would wait for the collector.
        leaf._accumulator = weakref.ref(present)
    return present


def edge_of(value: Value) -> Edge:
    """The edge that leads to the node that made ``value`` (its ``AccumulateGrad`` if it is a leaf)."""
    if value._view is not None:
        value._refresh_view()
    data = value._data
    return (value._node or accumulator(value), value._index, data.shape, data.dtype)
