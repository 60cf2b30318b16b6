"""``backward`` and ``grad`` for tensors that live in sessions.

A backward is one instruction. What it does to the tensors here (gradients appear, saved values are given up) is read off the graph.
Where the graph is kept for higher derivatives, or holds functions and hooks that live in this process, the walk is done twice in
step: where the tensors are, on their elements, and here, on their shapes; at every function and hook both wait for its answer.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from typing import Any

from gradwire_engine import autograd as engine
from gradwire_engine.autograd import Pass
from gradwire_engine.errors import GradwireError, TensorTypeError
from gradwire_engine.function import Context
from gradwire_engine.meta import dense
from gradwire_engine.modes import no_grad, set_grad_enabled
from gradwire_engine.node import AccumulateGrad, Node, OpNode, edge_of
from gradwire_engine.op import ops
from gradwire_engine.value import Value
from gradwire_engine.walk import Suspension, Walk, check_no_result

from ..announcing import reference, referrer, session_of
from ..remote import Remote
from ..session import Session
from ..shadow import shadow
from ..tensor import Tensor

_CYCLE = (
    "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can cause a memory "
    "leak. We recommend using autograd.grad when creating the graph to avoid this. If you have to use this function, make sure to reset "
    "the .grad fields of your parameters to None after use to break the cycle and avoid the leak."
)


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
) -> None:
    """Accumulates the gradients of ``tensors`` into the leaves (``torch.autograd.backward``).

    Args:
        tensors: One tensor or several.
        grad_tensors: Their cotangents; ``None`` stands for ones and is allowed for one-element tensors.
        retain_graph: Whether saved tensors are kept; defaults to ``create_graph``.
        create_graph: Whether the gradients are themselves recorded.
        inputs: The tensors to accumulate into; all leaves when left out.

    Raises:
        RuntimeError: A tensor has no graph, or the graph was freed or changed.
    """
    outputs = engine.as_list(tensors)
    gradients = _cotangents(grad_tensors, len(outputs))
    wanted = None if inputs is None else engine.as_list(inputs)
    with shadow():
        made = engine.start_backward(outputs, gradients, retain_graph, create_graph, wanted)
    if create_graph:
        warnings.warn(_CYCLE, UserWarning, stacklevel=2)
    retained = made.walk.retain_graph
    session, uses = session_of(*outputs), [reference(t) for t in outputs]
    refer = referrer(Tensor, session, uses)
    instruction = {
        "do": "backward",
        "of": list(uses),
        "gradient": [None if g is None else refer(g) for g in gradients],
        "retain_graph": retained,
        "create_graph": create_graph,
        "inputs": None if wanted is None else [refer(t) for t in wanted],
    }
    survey = Survey(made.walk)
    spoils = [f"{reference(t)}.grad" for t in (*survey.kept, *(survey.leaves if wanted is None else wanted))]
    if create_graph or survey.suspends:
        InStep(session, made).run(instruction, uses, spoils=spoils)
        return
    if survey.fails:
        session.ask(instruction, (), uses)
    else:
        session.emit(instruction, (), uses, spoils=spoils, loud=True)
    survey.effects(release=not retained)
    for tensor in survey.leaves if wanted is None else survey.reached(wanted):
        _accumulated(tensor)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Returns the gradients of ``outputs`` with respect to ``inputs`` (``torch.autograd.grad``).

    Args:
        outputs: One tensor or several.
        inputs: The tensors to differentiate by; leaves or intermediates.
        grad_outputs: The cotangents of ``outputs``; ``None`` stands for ones.
        retain_graph: Whether saved tensors are kept; defaults to ``create_graph``.
        create_graph: Whether the gradients are themselves recorded, for higher derivatives.
        allow_unused: Whether an input that was not used gives ``None`` instead of an error.
        is_grads_batched: Whether ``grad_outputs`` have a leading axis to map over.
        materialize_grads: Whether unused inputs give zeros; implies ``allow_unused``.

    Returns:
        One gradient per input.

    Raises:
        RuntimeError: A tensor has no graph, an input was not used, or the graph was freed or changed.
    """
    outs, wanted = engine.as_list(outputs), engine.as_list(inputs)
    gradients = _cotangents(grad_outputs, len(outs))
    if is_grads_batched:
        return engine.batched(lambda row: grad(outs, wanted, row, True, create_graph, allow_unused, False, materialize_grads), gradients)
    unused_allowed = bool(allow_unused or materialize_grads)
    engine.check_unused(allow_unused, materialize_grads)
    with shadow():
        made = engine.start_grad(outs, wanted, gradients, retain_graph, create_graph, unused_allowed)
    retained = made.walk.retain_graph
    session, uses = session_of(*outs), [reference(t) for t in outs]
    refer = referrer(Tensor, session, uses)
    names = [session.new_name() for _ in wanted]
    instruction = {
        "do": "grad",
        "name": names,
        "outputs": list(uses),
        "inputs": [refer(t) for t in wanted],
        "grad_outputs": [None if g is None else refer(g) for g in gradients],
        "retain_graph": retained,
        "create_graph": create_graph,
        "allow_unused": unused_allowed,
    }
    survey = Survey(made.walk)
    spoils = [f"{reference(t)}.grad" for t in survey.kept]
    if create_graph or survey.suspends:
        results = list(InStep(session, made).run(instruction, uses, names, spoils))
    else:
        reached = {id(t) for t in survey.reached(wanted)}
        if unused_allowed:
            # A path may end where no gradient comes out, which only the walk finds out.
            there = session.ask(instruction, names, uses, spoils)["names"]
            reached = {id(t) for t, name in zip(wanted, there, strict=True) if name is not None}
        elif survey.fails or len(reached) < len({id(t) for t in wanted}):
            session.ask(instruction, names, uses)
        else:
            session.emit(instruction, names, uses, spoils=spoils)
        survey.effects(release=not retained)
        results = [
            Tensor._wrap(Remote(dense(t._data.shape, t._data.dtype), session, name)) if id(t) in reached else None
            for t, name in zip(wanted, names, strict=True)
        ]
    if materialize_grads:
        results = [ops.zeros_like(t.detach()) if r is None else r for t, r in zip(wanted, results, strict=True)]
    return tuple(results)


class Survey:
    """What a walk would do, read off the graph without taking it.

    Attributes:
        suspends: A function or a hook of this process is on the way.
        fails: A node was given up, or something that it saved was overwritten.
        leaves: The leaves that a gradient reaches.
        kept: The other tensors whose gradients the walk keeps.
    """

    def __init__(self, walk: Walk) -> None:
        order, _ = walk._order()
        self._nodes: list[Node] = []
        self.kept: list[Value] = []
        self.suspends = self.fails = False
        self.leaves: list[Any] = []
        needed = walk._needed
        places: set[tuple[Node, int]] = set()
        reached: dict[Node, None] = {}
        for node, index, _ in walk._roots:
            reached[node] = None
            places.add((node, index))
        for node in order:
            if node not in reached:
                continue
            if node.hooks or node.prehooks or node.tensor_hooks:
                self.suspends = True
            for index, tensor_ref in (node.retained or {}).items():
                tensor = tensor_ref()
                if tensor is not None and (walk._targets is None or (node, index) not in walk._targets):
                    self.kept.append(tensor)
            if needed is not None and node not in needed:
                continue
            self._nodes.append(node)
            if node.suspends:
                self.suspends = True
            elif isinstance(node, OpNode):
                saved, versions = node.saved, node.versions
                if saved is None or any(versions[i].count != versions[i + 1] for i in range(0, len(versions), 3)):
                    self.fails = True
            for edge in node.edges:
                if edge is not None:
                    reached[edge[0]] = None
                    places.add((edge[0], edge[1]))
        self._places = places
        for node in reached:
            if isinstance(node, AccumulateGrad):
                leaf = node.variable
                if leaf.requires_grad:
                    self.leaves.append(leaf)
                if leaf._hooks or leaf._post_accumulate_hooks or node.hooks or node.prehooks:
                    self.suspends = True

    def reached(self, tensors: Sequence[Any]) -> list[Any]:
        """Those of the tensors that a gradient reaches."""
        return [t for t in tensors if edge_of(t)[:2] in self._places]

    def effects(self, *, release: bool) -> None:
        """Does here what the walk does to the graph."""
        with shadow(), no_grad():
            for tensor in self.kept:
                tensor._retain(tensor)
        if release:
            for node in self._nodes:
                node.release()


def _accumulated(tensor: Any) -> None:
    """Lets a tensor have the gradient that a walk without a graph has given it."""
    with no_grad():
        tensor._accumulate(tensor)
    tensor._forget_gradient_failure()


class InStep:
    """A pass that is taken here and in the session, each step at the same place.

    Args:
        session: The session.
        made: The pass over the shadows.
    """

    def __init__(self, session: Session, made: Pass) -> None:
        self._session = session
        self._pass = made

    def run(self, instruction: dict[str, Any], uses: Sequence[str], names: Sequence[str] = (), spoils: Sequence[str] = ()) -> Any:
        """Takes all steps.

        Args:
            instruction: What starts the pass in the session.
            uses: The names in it.
            names: The names that its results get.
            spoils: The names that are worth nothing if it fails.

        Returns:
            The results of the pass.
        """
        # Suspensions end in the reverse order of their beginning, so one thread at a time may have any.
        with self._session.passes:
            return self._run(instruction, uses, names, spoils)

    def _run(self, instruction: dict[str, Any], uses: Sequence[str], names: Sequence[str], spoils: Sequence[str]) -> Any:
        session = self._session
        with shadow():
            suspension = self._pass.advance()
        if suspension is None:
            with shadow():
                results = self._pass.finish()  # says what is wrong before anything is sent
            session.emit(instruction, names, uses, spoils=spoils, loud=True)
        else:
            waiting = session.ask(instruction, names, uses, spoils)
            while suspension is not None:
                resume = {"do": "resume", "suspension": waiting["id"]}
                try:
                    response = self._answer(suspension, waiting)
                    with shadow():
                        following = self._pass.advance(response)
                except BaseException as error:
                    self._abandon({**resume, "error": f"{type(error).__name__}: {error}"})
                    raise
                grads = _listed(suspension, response)
                used: list[str] = []
                refer = referrer(Tensor, session, used)
                resume["grads"] = None if grads is None else [None if g is None else refer(g) for g in grads]
                if following is None:
                    session.emit(resume, names, used, spoils=spoils, loud=True)
                else:
                    waiting = session.ask(resume, names, used, spoils)
                suspension = following
            with shadow():
                results = self._pass.finish()
        for name, result in zip(names, results or (), strict=False):
            if result is not None:
                result._data = Remote(result._data.meta, session, name)
        return results

    def _answer(self, suspension: Suspension, waiting: dict[str, Any]) -> Any:
        """Names the gradients and asks the function or the hook."""
        theirs = waiting["grads"]
        if suspension.kind == "function":
            # The session knows of the outputs that are tensors, Python of all.
            assert isinstance(suspension.node, Context)
            theirs = [None] * len(suspension.grads)
            for place, name in zip(suspension.node.tensor_outputs, waiting["grads"], strict=True):
                theirs[place] = name
        grads = self._named(suspension.grads, theirs)
        with set_grad_enabled(self._pass.create_graph):
            if suspension.kind == "function":
                assert isinstance(suspension.node, Context)
                response = suspension.node.call_backward(grads)
                suspension.node.answers(response)
                return response
            assert suspension.hook is not None
            hook = suspension.hook.owner
            if suspension.kind == "tensor":
                return hook(grads[0])
            if suspension.kind == "node":
                return hook(tuple(self._named(suspension.grad_inputs or [], waiting["grad_inputs"])), tuple(grads))
            if suspension.kind == "node_pre":
                return hook(tuple(grads))
            assert isinstance(suspension.node, AccumulateGrad)
            check_no_result(hook(suspension.node.variable))
            return None

    def _named(self, grads: Sequence[Any], names: Sequence[str | None]) -> list[Any]:
        """Gives the shadows of gradients names that outlive the suspension."""
        found: list[Any] = []
        for g, theirs in zip(grads, names, strict=True):
            if g is None or theirs is None:
                found.append(None)
                continue
            name = self._session.new_name()
            self._session.emit({"do": "create", "name": name, "tensor": theirs}, (name,))
            g._data = Remote(g._data.meta, self._session, name)
            found.append(g)
        return found

    def _abandon(self, resume: dict[str, Any]) -> None:
        """Ends the pass in the session too, because something here went wrong."""
        self._pass.close()
        with contextlib.suppress(GradwireError):  # it says what went wrong here
            self._session.ask(resume)


def _listed(suspension: Suspension, response: Any) -> list[Any] | None:
    """An answer as ``resume`` has it."""
    if suspension.kind == "post_accumulate" or (response is None and suspension.kind != "function"):
        return None
    grads = list(response) if isinstance(response, tuple) else [response]
    return grads[: suspension.node.input_count] if isinstance(suspension.node, Context) and suspension.kind == "function" else grads


def _cotangents(given: Any, count: int) -> list[Any]:
    """The cotangents of ``count`` outputs as tensors of the session."""
    gradients = [None] * count if given is None else engine.as_list(given)
    for i, g in enumerate(gradients):
        if g is not None and not isinstance(g, Value):
            raise TensorTypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        if g is not None and not isinstance(g, Tensor):
            gradients[i] = Tensor._lift(g)
    return gradients
