"""Instructions for functions and hooks that run in the client."""

from __future__ import annotations

from typing import Any, Final

from gradwire_engine.brief import shown
from gradwire_engine.errors import LimitError, ProgramError, TensorRuntimeError
from gradwire_engine.function import attach_external
from gradwire_engine.hooks import RemovableHandle, SuspendingHook
from gradwire_engine.names import check_name, suggest
from gradwire_engine.node import accumulator
from gradwire_engine.tensor import Tensor

from ..memory import ARRAY_BYTES, EDGE_BYTES, HOOK_BYTES, NODE_BYTES, SAVED_BYTES, VIEW_BYTES
from .table import Run, Spec, flag, instruction, listed

_KINDS: Final = ("tensor", "post_accumulate", "node", "node_pre")


def function(run: Run, spec: Spec, at: str) -> None:
    """Makes tensors the outputs of a function whose forward has run in the client, where its backward will run too."""
    names = spec["name"]
    run.session.names.check(names, at + "/name")
    title = check_name(spec["function"], at + "/function")
    outputs = [t for t in _tensors(run, spec, "outputs", at, optional=False) if t is not None]
    if isinstance(names, list) and len(names) != len(outputs):
        # Before the outputs get their history, which nothing takes away again.
        raise ProgramError(f"There are {len(outputs)} outputs, but {len(names)} names.", code="output_count", pointer=at + "/name")
    first = next((name for name in names if name is not None), None) if isinstance(names, list) else names
    inputs, saved = _tensors(run, spec, "inputs", at), _tensors(run, spec, "saved", at)
    run.walk(len(inputs) + len(saved))
    most = NODE_BYTES + (ARRAY_BYTES + VIEW_BYTES) * len(outputs) + EDGE_BYTES * len(inputs) + SAVED_BYTES * len(saved)
    run.meter.add(most, "Another function")
    results = attach_external(
        title,
        inputs,
        outputs,
        saved=saved,
        non_differentiable=[t for t in _tensors(run, spec, "non_differentiable", at, optional=False) if t is not None],
        dirty=[t for t in _tensors(run, spec, "dirty", at, optional=False) if t is not None],
        materialize_grads=flag(spec, "materialize_grads", at, True),
        owner=first,
    )
    run.session.names.bind(names, results if isinstance(names, list) or len(results) > 1 else results[0], at + "/name")
    run.made(*results)


def _tensors(run: Run, spec: Spec, field: str, at: str, *, optional: bool = True) -> list[Tensor | None]:
    items = listed(spec.get(field, []), repr(field), f"{at}/{field}")
    return [None if item is None and optional else run.look(item, f"{at}/{field}/{i}") for i, item in enumerate(items)]


def hook(run: Run, spec: Spec, at: str) -> None:
    """Lets walks wait for the client where they pass a tensor or a node."""
    hooks, limit = run.session.hooks, run.limits.session_tensors
    name = check_name(spec["name"], at + "/name")
    if name in hooks:
        raise ProgramError(f"The hook {name!r} is there already: remove it first.", code="duplicate_name", pointer=at + "/name")
    if len(hooks) >= limit:
        raise LimitError(f"The session has {limit:,} hooks, as many as are allowed.", code="too_many_names", pointer=at)
    run.meter.add(HOOK_BYTES, "Another hook")
    tensor = run.look(spec["of"], at + "/of")
    kind = spec["kind"]
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ProgramError(f"A hook is one of {', '.join(_KINDS)}; got {shown(kind)}.", code="invalid_value", pointer=at + "/kind")
    hooks[name] = _register(tensor, kind, SuspendingHook(name, spec["of"]))


def _register(tensor: Tensor, kind: str, hook: SuspendingHook) -> RemovableHandle:
    if kind == "tensor":
        return tensor.register_hook(hook)
    if kind == "post_accumulate":
        return tensor.register_post_accumulate_grad_hook(hook)
    node = tensor._made_by()
    if node is None:
        if not tensor.requires_grad:
            raise TensorRuntimeError("The tensor does not require grad and does not have a grad_fn to hook.", code="no_grad_fn")
        # A leaf's end of the graph, which is what ``next_functions`` leads to.
        node = accumulator(tensor)
    handle: RemovableHandle = node.register_hook(hook) if kind == "node" else node.register_prehook(hook)
    return handle


def unhook(run: Run, spec: Spec, at: str) -> None:
    """Takes hooks away."""
    names = listed(spec["names"], "'names'", at + "/names")
    hooks = run.session.hooks
    for i, name in enumerate(names):
        if not isinstance(name, str) or name not in hooks:
            hint = suggest(name, hooks) if isinstance(name, str) else ""
            raise ProgramError(f"There is no hook {shown(name)}.{hint}", code="undefined_name", pointer=f"{at}/names/{i}")
    for name in dict.fromkeys(names):
        hooks.pop(name).remove()


INSTRUCTIONS: Final[dict[str, Any]] = {
    "function": instruction(function, "name function inputs outputs", "saved non_differentiable dirty materialize_grads"),
    "hook": instruction(hook, "name of kind"),
    "unhook": instruction(unhook, "names"),
}
"""The instructions of this module."""
