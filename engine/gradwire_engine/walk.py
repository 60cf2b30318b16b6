"""The reverse walk over a backward graph.

The walk, not the rules, undoes broadcasting and promotion: each result of a rule is reduced and cast to the shape and dtype
that its edge records. It is iterative, goes from the latest node to the earliest (torch's order), and is a generator that can
suspend at a node: it holds no lock, and the modes it runs in are set around each step, never across a suspension.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from .dtypes import NumpyDType
from .errors import TensorRuntimeError, TensorTypeError
from .hooks import SuspendingHook
from .modes import GRAD_MODE
from .node import FREED, AccumulateGrad, Node, OpNode, tensor_type_name
from .stopping import CHECK
from .value import Value
from .walk_arithmetic import ARRAYS, Arithmetic, RecordedArithmetic

_sequence = attrgetter("sequence")


class Suspension:
    """A place where the walk waits for an answer from outside.

    Attributes:
        kind: ``"function"`` (the answer is one gradient per input of the function, ``None`` for none), or the kind of a hook, where
            ``None`` leaves everything as it is: ``"tensor"`` (the answer replaces the gradient), ``"node_pre"`` (a tuple replaces the
            gradients of the outputs), ``"node"`` (a tuple replaces those of the inputs), ``"post_accumulate"`` (no answer).
        node: The node.
        hook: The hook that waits, ``None`` for a function.
        grads: The gradients of the node's outputs, for a tensor's hook that of the tensor alone; ``None`` where nothing arrived.
        grad_inputs: For ``"node"`` the gradients of the node's inputs.
    """

    def __init__(self, kind: str, node: Node, hook: SuspendingHook | None, grads: list[Any], grad_inputs: list[Any] | None = None) -> None:
        self.kind = kind
        self.node = node
        self.hook = hook
        self.grads = grads
        self.grad_inputs = grad_inputs


Steps = Generator[Suspension, Any, Any]


class Walk:
    """One backward pass, run by ``run`` or step by step with ``advance``.

    Args:
        roots: Node and output number of each output, with its cotangent (a payload, or a value when recording).
        kind: The recorder whose payloads are walked.
        create_graph: Whether the walk is recorded.
        retain_graph: Whether saved tensors are kept.
        targets: The places whose gradients are captured instead of accumulated; everything reachable when ``None``.
        recorded: Whether the cotangents are values of another recorder, so that each step is an op call though nothing is recorded.

    Attributes:
        captured: The gradients that have come to the targets.
        targets: The targets in the order that was asked for, empty without.
        retain_graph: Whether saved tensors are kept.
    """

    def __init__(
        self,
        roots: Sequence[tuple[Node, int, Any]],
        *,
        kind: type[Value],
        create_graph: bool,
        retain_graph: bool,
        targets: Sequence[tuple[Node, int]] | None = None,
        recorded: bool = False,
    ) -> None:
        self.create_graph = create_graph
        self.retain_graph = retain_graph
        self._kind = kind
        self.arithmetic: Arithmetic = ARRAYS if kind.computes_on_arrays and not (create_graph or recorded) else RecordedArithmetic(kind)
        self.captured: dict[tuple[Node, int], Any] = {}
        self.targets = tuple(targets or ())
        self._targets = None if targets is None else frozenset(targets)
        self._roots = roots
        # The gradients on their way: of a node with one output the gradient itself, otherwise a list.
        self._buffers: dict[Node, Any] = {}
        self._needed: set[Node] | None = None
        self._check: Callable[[], None] | None = None
        self._steps = self._run()

    def run(self) -> dict[tuple[Node, int], Any]:
        """Walks to the end and gives what was captured.

        Raises:
            TensorRuntimeError: A node can only be run elsewhere (it suspends).
        """
        suspension = self.advance(None)
        if suspension is not None:
            self._steps.close()
            raise TensorRuntimeError(
                f"{suspension.node.short_name} waits for an answer from outside, which this walk cannot give.", code="suspended"
            )
        return self.captured

    def advance(self, response: Any) -> Suspension | None:
        """Goes on to the next suspension (``None`` at the end), with the answer to the last one."""
        token = GRAD_MODE.set(self.create_graph)
        self._check = CHECK.get()
        try:
            with np.errstate(all="ignore"):
                return self._steps.send(response)
        except StopIteration:
            return None
        finally:
            GRAD_MODE.reset(token)

    def _order(self) -> tuple[list[Node], dict[Node, int]]:
        """The nodes to run, latest first, and how many contributions each leaf waits for."""
        seen: set[Node] = set()
        nodes: list[Node] = []
        stack = [root for root, _, _ in self._roots if not root.is_leaf]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            nodes.append(node)
            for edge in node.edges:
                if edge is not None and not edge[0].is_leaf and edge[0] not in seen:
                    stack.append(edge[0])
        # Everything that uses a node's output was made after the node, so this is a topological order.
        nodes.sort(key=_sequence, reverse=True)
        if self._targets is not None:
            wanted = {node for node, _ in self._targets}
            needed: set[Node] = set()
            for node in reversed(nodes):
                if any(e is not None and (e[0] in needed or e[0] in wanted) for e in node.edges):
                    needed.add(node)
            nodes = [n for n in nodes if n in needed or n in wanted]
            self._needed = needed
        waiting: dict[Node, int] = {}
        for root, _, _ in self._roots:
            if root.is_leaf:
                waiting[root] = waiting.get(root, 0) + 1
        for node in nodes:
            for edge in node.edges:
                if edge is not None and edge[0].is_leaf:
                    waiting[edge[0]] = waiting.get(edge[0], 0) + 1
        return nodes, waiting

    def close(self) -> None:
        """Gives up; a later ``advance`` finds the walk at its end."""
        self._steps.close()
        self._buffers.clear()

    def kept(self) -> Iterator[Any]:
        """The gradients that the walk holds between two steps: payloads, or values where it is recorded."""
        for found in (*self._buffers.values(), *self.captured.values()):
            if isinstance(found, list):
                yield from (g for g in found if g is not None)
            else:
                yield found

    def _run(self) -> Steps:
        arithmetic = self.arithmetic
        recorded = arithmetic is not ARRAYS
        targets = self._targets
        nodes, waiting = self._order()
        needed = self._needed
        wanted = {node for node, _ in targets or ()}
        release = not self.retain_graph
        buffers = self._buffers
        for node, index, g in self._roots:
            self._add(buffers, node, index, g)
        for node, _, _ in self._roots:
            if node.is_leaf:
                waiting[node] -= 1
                if not waiting[node]:
                    yield from self._arrive(node, buffers)
        results: Sequence[Any]
        for node in nodes:
            g = buffers.pop(node, None)
            if g is None:
                results = (None,) * len(node.edges)
            else:
                if self._check is not None:
                    self._check()
                if isinstance(node, OpNode) and node.simple and targets is None and not recorded:
                    # What OpNode.apply does, without its care for the rare cases: most nodes are like this.
                    saved = node.saved
                    if saved is None:
                        raise TensorRuntimeError(FREED, code="graph_freed")
                    versions = node.versions
                    if versions and (versions[0].count != versions[1] or len(versions) > 3):
                        node.check_versions()
                    results = node.spec.apply(g, saved, node.static, node.metas)
                    if saved and release:
                        node.saved = None
                        node.versions = ()
                else:
                    grads = [g] if node.single else g
                    if node in wanted or node.tensor_hooks or node.retained or node.prehooks:
                        grads = yield from self._before(node, grads)
                    if needed is not None and node not in needed:
                        results = (None,) * len(node.edges)  # its gradient was captured; nothing beyond it is wanted
                    elif node.suspends:
                        answer = yield Suspension("function", node, None, [self._value(x) for x in node.receives(grads, arithmetic)])
                        results = [self._internal(x) for x in node.answers(answer)]
                    else:
                        results = node.apply(grads, arithmetic)
                    if node.hooks:
                        results = yield from self._posthooks(node, results, grads)
                    if release and (needed is None or node in needed):
                        node.release()
            for edge, result in zip(node.edges, results, strict=True):
                if edge is None:
                    continue
                after, index, shape, dtype = edge
                if result is not None and (needed is None or after in needed or (after, index) in targets):  # type: ignore[operator]
                    data = result._data if recorded else result
                    if data.shape != shape or data.dtype is not dtype:
                        result = arithmetic.settle(result, shape, dtype)
                    if after.single:
                        present = buffers.get(after)
                        buffers[after] = result if present is None else present + result
                    else:
                        self._add(buffers, after, index, result)
                if after.is_leaf:
                    left = waiting[after] - 1
                    if left:
                        waiting[after] = left
                    else:
                        yield from self._arrive(after, buffers)

    def _add(self, buffers: dict[Node, Any], node: Node, index: int, g: Any) -> None:
        """Adds one contribution to the gradient of an output of ``node``."""
        if node.single:
            present = buffers.get(node)
            buffers[node] = g if present is None else present + g
            return
        grads = buffers.setdefault(node, [None] * len(node.outs))
        grads[index] = g if grads[index] is None else grads[index] + g

    def _arrive(self, leaf: Node, buffers: dict[Node, Any]) -> Steps:
        """Runs the hooks of a leaf, once all contributions to its gradient are there, and accumulates."""
        g = buffers.pop(leaf, None)
        if g is None:
            return
        assert isinstance(leaf, AccumulateGrad)
        variable = leaf.variable
        if variable._hooks:
            g = yield from self._call_hooks(leaf, variable._hooks, g, leaf.outs[0])
        if leaf.prehooks:
            g = (yield from self._prehooks(leaf, [g]))[0]
        if self._targets is not None:
            if (leaf, 0) in self._targets:
                self.captured[leaf, 0] = g
            return
        if not variable.requires_grad:
            return  # it was turned off after the graph was made
        variable._accumulate(g if self.arithmetic is not ARRAYS else self._kind._wrap(np.asarray(g)))
        if leaf.hooks:
            yield from self._posthooks(leaf, (), [g])
        for hook in list(variable._post_accumulate_hooks or ()):
            if type(hook) is SuspendingHook:
                yield Suspension("post_accumulate", leaf, hook, [])
            else:
                check_no_result(hook(variable))

    def _before(self, node: Node, grads: list[Any]) -> Steps:
        """Calls the hooks of a node's outputs and of the node, and keeps the gradients that are retained or captured."""
        # As in torch, a captured gradient is what the hooks made of it only where the walk ends at this node.
        goes_on = self._needed is None or node in self._needed
        if goes_on:
            self._capture(node, grads)
        for index, hooks in (node.tensor_hooks or {}).items():
            if grads[index] is not None:
                grads[index] = yield from self._call_hooks(node, hooks, grads[index], node.outs[index])
        for index, reference in (node.retained or {}).items():
            tensor = reference()
            # What was asked for by itself is accumulated once, when the walk is over.
            wanted = self._targets is not None and (node, index) in self._targets
            if tensor is not None and grads[index] is not None and not wanted:
                tensor._retain(self._value(grads[index]))
        if not goes_on:
            self._capture(node, grads)
        return (yield from self._prehooks(node, grads)) if node.prehooks else grads

    def _capture(self, node: Node, grads: list[Any]) -> None:
        if self._targets is not None:
            for index, g in enumerate(grads):
                if g is not None and (node, index) in self._targets:
                    self.captured[node, index] = g

    def _value(self, g: Any) -> Any:
        """A gradient as users see it."""
        return g if g is None or self.arithmetic is not ARRAYS else self._kind._wrap(np.asarray(g))

    def _internal(self, g: Any) -> Any:
        return g if g is None or self.arithmetic is not ARRAYS else g._data

    def _call_hooks(self, node: Node, hooks: list[Callable[..., Any]], g: Any, out: tuple[tuple[int, ...], NumpyDType]) -> Steps:
        for hook in list(hooks):
            if type(hook) is SuspendingHook:
                answer = yield Suspension("tensor", node, hook, [self._value(g)])
            else:
                answer = hook(self._value(g))
            if answer is not None:
                _check_hook_result(hook, answer, *out)
                g = self._internal(answer)
        return g

    def _prehooks(self, node: Node, grads: list[Any]) -> Steps:
        for hook in list(node.prehooks or ()):
            outputs = [self._value(g) for g in grads]
            if type(hook) is SuspendingHook:
                answer = yield Suspension("node_pre", node, hook, outputs)
            else:
                answer = hook(tuple(outputs))
            if answer is not None:
                grads = [self._internal(g) for g in _checked_results(hook, answer, node.outs)]
        return grads

    def _posthooks(self, node: Node, results: Sequence[Any], grads: list[Any]) -> Steps:
        for hook in list(node.hooks or ()):
            settled = [
                None if r is None or e is None else self._value(self.arithmetic.settle(r, e[2], e[3]))
                for r, e in zip(results, node.edges, strict=False)
            ]
            outputs = [self._value(g) for g in grads]
            if type(hook) is SuspendingHook:
                answer = yield Suspension("node", node, hook, outputs, settled)
            else:
                answer = hook(tuple(settled), tuple(outputs))
            if answer is not None:
                expected = [None if e is None else (e[2], e[3]) for e in node.edges]
                results = [self._internal(g) for g in _checked_results(hook, answer, expected)]
        return results


def check_no_result(answer: Any) -> None:
    """Refuses what a hook after the accumulation of a gradient returns.

    Raises:
        TensorTypeError: It is not None (torch's message).
    """
    if answer is not None:
        raise TensorTypeError(f"expected Variable, but hook returned '{type(answer).__name__}'")


def _check_hook_result(hook: Callable[..., Any], answer: Any, shape: tuple[int, ...], dtype: NumpyDType) -> None:
    """Refuses what a hook may not return in place of a gradient of this shape and dtype (torch's messages)."""
    if not isinstance(answer, Value):
        raise TensorTypeError(f"expected Variable, but hook returned '{type(answer).__name__}'", code="hook_result")
    name = getattr(hook, "__name__", hook)
    if answer._data.dtype != dtype:
        kinds = tensor_type_name(dtype), tensor_type_name(answer._data.dtype)
        raise TensorRuntimeError(f"hook '{name}' has changed the type of value (was {kinds[0]} got {kinds[1]})", code="hook_result")
    if answer._data.shape != shape:
        raise TensorRuntimeError(f"hook '{name}' has changed the size of value", code="hook_result")


def _checked_results(
    hook: Callable[..., Any], answer: Any, expected: Sequence[tuple[tuple[int, ...], NumpyDType] | None]
) -> tuple[Any, ...]:
    """What a hook returned in place of several gradients.

    Args:
        hook: The hook.
        answer: What it returned.
        expected: Shape and dtype of each gradient, ``None`` where there is none to replace.
    """
    if not isinstance(answer, tuple):
        raise TensorTypeError(f"expected tuple, but hook returned '{type(answer).__name__}'", code="hook_result")
    if len(answer) != len(expected):
        name = getattr(hook, "__name__", hook)
        raise TensorRuntimeError(
            f"hook '{name}' has returned an incorrect number of values (got {len(answer)}, but expected {len(expected)})",
            code="hook_result",
        )
    for item, facts in zip(answer, expected, strict=True):
        if item is not None and facts is not None:
            _check_hook_result(hook, item, *facts)
    return answer
