"""The instruction that calls an operation, out of place or in place."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from gradwire_engine.errors import GradwireError, ProgramError, TensorTypeError
from gradwire_engine.execute import Guard, locate
from gradwire_engine.index_json import from_json
from gradwire_engine.indexing import assign
from gradwire_engine.inplace import call_inplace
from gradwire_engine.modes import GRAD_MODE, GUARD, current_generator, no_grad
from gradwire_engine.names import find_op, join, kind_of
from gradwire_engine.op import Op, Overloads
from gradwire_engine.operators import inplace_forms
from gradwire_engine.params import Param
from gradwire_engine.parse_nodes import read_argument, read_slot, slots_of
from gradwire_engine.program import PLAIN, Constant, Node
from gradwire_engine.record import is_tensor
from gradwire_engine.tensor import Tensor

from ..memory import ARRAY_BYTES, NODE_BYTES, VIEW_BYTES
from ..names import check_count
from .table import NUMBERS, Run, Spec, flag, instruction

_forms = functools.cache(inplace_forms)


def call(run: Run, spec: Spec, at: str) -> None:
    """Calls an operation and gives names to its results; an in-place one needs no name for the tensor that it writes."""
    args, kwargs = spec.get("args", []), spec.get("kwargs", {})
    if not isinstance(args, list):
        raise ProgramError(f"'args' must be a list, not {kind_of(args)}.", code="invalid_type", pointer=at + "/args")
    if not isinstance(kwargs, Mapping):
        raise ProgramError(f"'kwargs' must be an object, not {kind_of(kwargs)}.", code="invalid_type", pointer=at + "/kwargs")
    quietly = flag(spec, "no_grad", at)
    # What even a view takes.
    run.meter.add(ARRAY_BYTES + NODE_BYTES + VIEW_BYTES, "Another operation")
    with no_grad() if quietly else nullcontext():
        name = spec["op"].removeprefix("torch.") if isinstance(spec["op"], str) else ""
        if name in _METHODS or name in _forms():
            _write(run, spec, name, args, kwargs, at)
            return
        if "name" not in spec:
            raise ProgramError("The field 'name' is missing.", code="missing_field", pointer=at)
        run.session.names.check(spec["name"], at + "/name")
        op = find_op(spec["op"], {}, {}, at + "/op", _inplace_names())
        assert isinstance(op, (Op, Overloads))  # there are no custom functions here
        node = _read(run, op, args, kwargs, at)
        try:
            result = _run(run, op, node, spec["name"], at + "/name")
        except GradwireError as error:
            raise locate(error, node) from None
        run.made(*(result if isinstance(result, (tuple, list)) else (result,)))
        run.session.names.bind(spec["name"], result, at + "/name")


def _read(run: Run, op: Op | Overloads, args: list[Any], kwargs: Mapping[str, Any], at: str) -> Node:
    """The call with tensors in place of references and constants."""

    def argument(value: Any, position: int | None, name: str | None, pointer: str) -> Any:
        slots, names, plain = _slots(op, position, name)
        # The short way for what most arguments are.
        if plain and type(value) in PLAIN:
            return value
        if names and type(value) is str and value not in NUMBERS:
            return run.look(value, pointer)
        return _tensors(run, read_argument(value, slots, run.look, pointer), pointer)

    return Node(
        "",
        op,
        tuple(argument(value, i, None, f"{at}/args/{i}") for i, value in enumerate(args)),
        {key: argument(value, None, key, join(at + "/kwargs", key)) for key, value in kwargs.items()},
        False,
        at,
    )


@functools.lru_cache(maxsize=4096)
def _slots(op: Op | Overloads, position: int | None, name: str | None) -> tuple[list[Param], bool, bool]:
    """The parameters that an argument can belong to; whether a string is a reference there; whether a number stands for itself."""
    slots = slots_of(op, position, name)
    kinds = {slot.kind for slot in slots}
    return slots, any(slot.is_tensor for slot in slots) and not kinds & {"str", "Device", "Index"}, "Index" not in kinds


def _tensors(run: Run, value: Any, pointer: str) -> Any:
    """An argument with tensors in place of constants."""
    if isinstance(value, Constant):
        return run.constant(value, pointer)
    if isinstance(value, list):
        return [_tensors(run, item, f"{pointer}/{i}") for i, item in enumerate(value)]
    if type(value) is tuple and any(isinstance(item, (Constant, list, tuple)) for item in value):
        return tuple(_tensors(run, item, f"{pointer}/{i}") for i, item in enumerate(value))
    return value


def _run(run: Run, op: Op | Overloads, node: Node, names: Any, pointer: str) -> Any:
    """Measures a call and makes it, unless there are more names than results, or fewer."""
    if isinstance(op, Overloads):
        chosen, values = op.resolve(node.args, node.kwargs, is_tensor)
    else:
        chosen, values = op, op.bind(node.args, node.kwargs, is_tensor)
    if chosen.composite:
        # With its names, whose number is compared with that of the results that it finds.
        guard = run.meter.composite(Node(names, op, node.args, node.kwargs, False, node.pointer))
        return _guarded(guard, lambda: op(*node.args, **node.kwargs))
    if not chosen.variable_outputs:  # of those there are only views, which leave no trace
        check_count(names, len(chosen.outputs or ("out",)), pointer)
    run.meter.operation(chosen, values)
    with _undrawn_by_errors() if chosen.random else nullcontext():
        return chosen(*node.args, **node.kwargs)


@contextmanager
def _undrawn_by_errors() -> Iterator[None]:
    """Takes back what was drawn of the random numbers, if the block fails."""
    generator = current_generator()
    state = generator.get_state()
    try:
        yield
    except BaseException:
        generator.set_state(state)
        raise


def _guarded(guard: Guard | None, function: Callable[[], Any]) -> Any:
    token = GUARD.set(guard)
    try:
        return function()
    finally:
        GUARD.reset(token)


# In place.


def _write(run: Run, spec: Spec, method: str, args: list[Any], kwargs: Mapping[str, Any], at: str) -> None:
    if not args or not isinstance(args[0], str):
        got = kind_of(args[0]) if args else "nothing"
        raise ProgramError(
            f"The first argument of {method!r} must be the name of the tensor that it writes; got {got}.",
            code="invalid_type",
            pointer=at + ("/args/0" if args else "/args"),
        )
    target = run.look(args[0], at + "/args/0")
    name = spec.get("name")
    if isinstance(name, list):
        check_count(name, 1, at + "/name")
        name = name[0]
    new = name is not None and not _is_name_of(run, name, target)
    if new:
        run.session.names.check(name, at + "/name")
    if method in _METHODS:
        _METHODS[method](run, target, args, kwargs, at)
    else:
        _call_form(run, target, _forms()[method], args, kwargs, at)
    run.made(target)
    if new:
        run.session.names.bind(name, target, at + "/name")


def _is_name_of(run: Run, name: Any, target: Tensor) -> bool:
    return isinstance(name, str) and name in run.session.names and run.look(name, "") is target


def _call_form(run: Run, target: Tensor, op: Op | Overloads, args: list[Any], kwargs: Mapping[str, Any], at: str) -> None:
    node = _read(run, op, args, kwargs, at)
    # The target itself: what is written through x.data is another handle on the same storage, and stays one.
    node = Node(node.names, op, (target, *node.args[1:]), node.kwargs, False, at)
    try:
        if isinstance(op, Overloads):
            chosen, values = op.resolve(node.args, node.kwargs, is_tensor)
        else:
            chosen, values = op, op.bind(node.args, node.kwargs, is_tensor)
        guard = None
        if chosen.composite:
            guard = run.meter.composite(node)
        else:
            run.meter.operation(chosen, values)
        if chosen.saves_first and GRAD_MODE.get():
            run.meter.add(target._data.nbytes, "The values that backward may need of a tensor that is written")
        with _undrawn_by_errors() if chosen.random else nullcontext():
            _guarded(guard, lambda: call_inplace(op, target, node.args[1:], node.kwargs))
    except GradwireError as error:
        raise locate(error, node) from None


def _set_item(run: Run, target: Tensor, args: list[Any], kwargs: Mapping[str, Any], at: str) -> None:
    """``target[index] = value``."""
    if len(args) != 3 or kwargs:
        raise ProgramError(
            "'setitem' takes three arguments in 'args': the name of a tensor, an index and a value.", code="arity", pointer=at + "/args"
        )

    def slot(value: Any, pointer: str) -> Any:
        return _tensors(run, read_slot(value, run.look, pointer), pointer)

    index = from_json(args[1], slot, at + "/args/1")
    value = slot(args[2], at + "/args/2")
    # At most the whole target is computed anew before it is written.
    run.meter.add(target._data.nbytes, "The result of setitem")
    assign(target, index[0] if len(index) == 1 else index, value)


def _detach(run: Run, target: Tensor, args: list[Any], kwargs: Mapping[str, Any], at: str) -> None:
    """``target.detach_()``."""
    if len(args) != 1 or kwargs:
        raise TensorTypeError(f"Tensor.detach_() takes no arguments ({len(args) - 1 + len(kwargs)} given)", code="arity", pointer=at)
    target.detach_()


_METHODS: Final = {"setitem": _set_item, "detach_": _detach}
"""In-place methods that are no forms of operations."""


@functools.cache
def _inplace_names() -> dict[str, Any]:
    """What else an instruction may call, for suggestions."""
    return {**_forms(), **dict.fromkeys(_METHODS)}


INSTRUCTIONS: Final = {"op": instruction(call, "op", "name args kwargs no_grad")}
"""The instructions of this module."""
