"""Instructions that walk back: ``backward``, ``grad``, and ``resume`` for what waited on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradwire_engine.autograd import Pass, start_backward, start_grad
from gradwire_engine.dtypes import NumpyDType
from gradwire_engine.errors import LimitError, ProgramError, TensorRuntimeError
from gradwire_engine.function import ExternalNode
from gradwire_engine.names import kind_of
from gradwire_engine.tensor import Tensor
from gradwire_engine.walk import Suspension

from .. import reach
from ..clock import stamp
from ..errors import SessionMemory
from ..memory import ARRAY_BYTES, NODE_BYTES
from ..suspensions import Backward, Waiting
from .table import Run, Spec, Suspended, flag, instruction, listed

# The operations that a rule records, about.
_RECORDED_PER_NODE: Final = 3
_WHAT: Final = "The gradients of this backward pass"


def backward(run: Run, spec: Spec, at: str) -> Any:
    """Adds gradients to leaves."""
    outputs, gradients = _starts(run, spec, "of", "gradient", at)
    retain_graph, create_graph = flag(spec, "retain_graph", at, None), flag(spec, "create_graph", at)
    inputs = None if spec.get("inputs") is None else _tensors(run, spec["inputs"], "inputs", at)
    found = reach.survey(outputs)
    leaves = (*found.leaves, *(inputs or ()))
    steps = start_backward(outputs, gradients, retain_graph, create_graph, inputs)
    return _begin(run, steps, found, leaves, lambda result: None)


def grad(run: Run, spec: Spec, at: str) -> Any:
    """Gives names to gradients; the result says which of them there are."""
    names = spec["name"]
    run.session.names.check(names, at + "/name")
    outputs, gradients = _starts(run, spec, "outputs", "grad_outputs", at)
    inputs = _tensors(run, spec["inputs"], "inputs", at)
    if isinstance(names, list) and len(names) != len(inputs):
        raise ProgramError(
            f"There are {len(inputs)} inputs, but {len(names)} names for their gradients.", code="output_count", pointer=at + "/name"
        )
    steps = start_grad(
        outputs,
        inputs,
        gradients,
        flag(spec, "retain_graph", at, None),
        flag(spec, "create_graph", at),
        flag(spec, "allow_unused", at, None),
        flag(spec, "materialize_grads", at),
    )

    def finish(found: tuple[Tensor | None, ...]) -> dict[str, Any]:
        # Other batches may have run while the pass waited.
        run.session.names.check(names, at + "/name")
        run.session.names.bind(names, found, at + "/name")
        run.made(*found)
        full = names if isinstance(names, list) else [f"{names}.{i}" for i in range(len(found))]
        return {"names": [None if g is None else name for name, g in zip(full, found, strict=True)]}

    return _begin(run, steps, reach.survey(outputs), (), finish)


def resume(run: Run, spec: Spec, at: str) -> Any:
    """Goes on with the innermost pass that waits."""
    if ("grads" in spec) == ("error" in spec):
        raise ProgramError("A resume has either 'grads' or 'error'.", code="missing_field", pointer=at)
    id, text = spec["suspension"], spec.get("error")
    if not isinstance(id, str):
        raise ProgramError(f"'suspension' must be the id of one, not {kind_of(id)}.", code="invalid_type", pointer=at + "/suspension")
    if "error" in spec and not isinstance(text, str):
        raise ProgramError(f"'error' must be a text, not {kind_of(text)}.", code="invalid_type", pointer=at + "/error")
    suspensions = run.session.suspensions
    if "error" in spec:
        waiting = suspensions.pop(id, at + "/suspension")
        _drop(run, waiting)
        waiting.backward.steps.close()
        raise TensorRuntimeError(str(text), code="backward_failed", pointer=at)
    waiting = suspensions.peek(id, at + "/suspension")
    run.walk(waiting.backward.nodes)
    response = _response(run, waiting, spec["grads"], at + "/grads")
    # What the pass has on its way is counted already, and is part of what it may need.
    present = sum((g._data if isinstance(g, Tensor) else g).nbytes for g in waiting.backward.steps.kept())
    run.meter.add(max(0, waiting.backward.reserve - present), _WHAT)
    suspensions.pop(id, at + "/suspension")
    _drop(run, waiting)
    return _advance(run, waiting.backward, response)


def _starts(run: Run, spec: Spec, of: str, gradient: str, at: str) -> tuple[list[Tensor], list[Tensor | None] | None]:
    """Where a walk starts: tensors, and the gradients that arrive at them."""
    outputs = _tensors(run, spec[of], of, at)
    given = spec.get(gradient)
    if given is None:
        return outputs, None
    if not isinstance(spec[of], list):
        return outputs, [_gradient(run, given, _dtype(outputs[0]), f"{at}/{gradient}")]
    items = listed(given, f"{gradient!r}, since {of!r} is a list,", f"{at}/{gradient}")
    made: list[Tensor | None] = []
    for i, item in enumerate(items):
        output = outputs[i] if i < len(outputs) else None
        made.append(None if item is None else _gradient(run, item, _dtype(output), f"{at}/{gradient}/{i}"))
    return outputs, made


def _dtype(tensor: Tensor | None) -> NumpyDType | None:
    return None if tensor is None else tensor._data.dtype


def _gradient(run: Run, given: Any, dtype: NumpyDType | None, pointer: str) -> Tensor:
    if isinstance(given, str):
        return run.look(given, pointer)
    # A dtype that is given stands, and whether it fits is for the walk to say.
    return run.literal(given, pointer, None if isinstance(given, dict) and "dtype" in given else dtype)


def _tensors(run: Run, given: Any, field: str, at: str) -> list[Tensor]:
    """The tensors of one reference or of a list of them."""
    if not isinstance(given, list):
        return [run.look(given, f"{at}/{field}")]
    if not given:
        raise ProgramError(f"{field!r} names nothing.", code="invalid_value", pointer=f"{at}/{field}")
    return [run.look(item, f"{at}/{field}/{i}") for i, item in enumerate(given)]


def _begin(run: Run, steps: Pass, found: reach.Reach, leaves: tuple[Tensor, ...], finish: Callable[[Any], Any]) -> Any:
    """Takes the first step of a pass, once it is known that there is memory for it."""
    run.walk(len(found.nodes))
    reserve = found.passed
    if steps.create_graph:
        reserve += len(found.nodes) * _RECORDED_PER_NODE * (NODE_BYTES + ARRAY_BYTES)
    try:
        run.meter.add(reserve, _WHAT)
    except SessionMemory:
        # All gradients would not fit, but of a walk that is not recorded most are gone before the last ones come.
        if steps.create_graph:
            raise
        reserve = found.peak()
        run.meter.add(reserve, _WHAT)
    return _advance(run, Backward(steps, run.since, len(found.nodes), reserve, leaves, finish), None)


def _advance(run: Run, backward: Backward, response: Any) -> Any:
    """Takes a pass to its end or to where it waits."""
    try:
        suspension = backward.steps.advance(response)
        if suspension is None:
            return backward.finish(backward.steps.finish())
        return Suspended(_suspend(run, backward, suspension))
    finally:
        # Gradients are added to leaves one by one, also by a walk that fails in the end.
        grads = [leaf._grad for leaf in backward.leaves]
        reach.count([*grads, *backward.steps.kept()], backward.since, run.session.account)


def _suspend(run: Run, backward: Backward, at: Suspension) -> dict[str, Any]:
    """Lets a pass wait, and says for what."""
    session = run.session
    id = session.suspensions.next_id(session.names.__contains__)
    parts = {str(i): g for i, g in enumerate(at.grads)} | {f"i{i}": g for i, g in enumerate(at.grad_inputs or ())}
    try:
        waiting = session.suspensions.push(id, backward, at, parts)
    except LimitError:
        backward.steps.close()
        raise
    session.names.define(id, parts)
    run.made(*parts.values())
    document: dict[str, Any] = {"id": id, "instruction": run.position, "kind": at.kind}
    if at.hook is None:
        node = at.node
        assert isinstance(node, ExternalNode)
        needs = dict(zip(node.tensor_inputs, [edge is not None for edge in node.edges], strict=True))
        document |= {"function": node.title, "of": node.owner, "needs_input_grad": [needs.get(i, False) for i in range(node.input_count)]}
    else:
        document |= {"hook": at.hook.name, "of": at.hook.owner}
    document["grads"] = [None if g is None else f"{id}.{i}" for i, g in enumerate(at.grads)]
    if at.grad_inputs is not None:
        document["grad_inputs"] = [None if g is None else f"{id}.i{i}" for i, g in enumerate(at.grad_inputs)]
    return {**document, "create_graph": backward.steps.create_graph, "expires_at": stamp(waiting.expires)}


def _drop(run: Run, waiting: Waiting) -> None:
    """Takes the names of the gradients away that a pass gave to the client."""
    run.session.names.withdraw(waiting.id, waiting.parts)


def _response(run: Run, waiting: Waiting, grads: Any, pointer: str) -> Any:
    """The answer of the client as the walk takes it."""
    kind = waiting.at.kind
    if grads is None:
        if kind == "function":
            raise ProgramError(
                "'grads' must be a list with one gradient, or null, for each input of the function.", code="invalid_type", pointer=pointer
            )
        return None
    items = listed(grads, "'grads'", pointer)
    dtypes = _dtypes(waiting)
    values = tuple(
        None if item is None else _gradient(run, item, dtypes[i] if i < len(dtypes) else None, f"{pointer}/{i}")
        for i, item in enumerate(items)
    )
    if kind == "tensor":
        if len(values) != 1:
            raise ProgramError(
                f"The gradient of one tensor takes the place of another, but 'grads' has {len(values)}.",
                code="output_count",
                pointer=pointer,
            )
        return values[0]
    if kind == "post_accumulate":
        raise ProgramError(
            "A hook after the accumulation of a gradient has no result: 'grads' must be null.", code="invalid_type", pointer=pointer
        )
    return values


def _dtypes(waiting: Waiting) -> list[NumpyDType | None]:
    """The dtypes of the gradients that an answer gives, ``None`` where there is none to take."""
    at = waiting.at
    if at.kind == "function":
        node = at.node
        assert isinstance(node, ExternalNode)
        edges = dict(zip(node.tensor_inputs, node.edges, strict=True))
        found = [edges.get(i) for i in range(node.input_count)]
        return [None if edge is None else edge[3] for edge in found]
    return [_dtype(g) for g in (at.grads if at.grad_inputs is None else at.grad_inputs)]


INSTRUCTIONS: Final = {
    "backward": instruction(backward, "of", "gradient retain_graph create_graph inputs"),
    "grad": instruction(grad, "name outputs inputs", "grad_outputs retain_graph create_graph allow_unused materialize_grads"),
    "resume": instruction(resume, "suspension", "grads error"),
}
"""The instructions of this module."""
