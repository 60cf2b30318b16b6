"""Reading the nodes of a program from JSON: names, ops, references and constants.

The signature of an op decides what an argument is: a string in a tensor slot is a reference, a number a Python scalar, a list a
constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from . import codec
from .brief import shown
from .errors import GradwireError, LimitError, ProgramError
from .index_json import from_json as index_from_json
from .limits import Limits
from .names import check_fields, check_name, find_op, join, kind_of, suggest
from .op import Op, Overloads
from .params import Param
from .program import PLAIN, Body, Constant, Function, Node, Reference
from .stopping import check, watched

_SPECIAL_FLOATS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_MOST_NESTED: Final = 64
_MOST_ITEMS: Final = 100_000
_REFERENCES_PER_NODE: Final = 4
_NODE_FIELDS: Final = frozenset({"name", "op", "args", "kwargs", "no_grad"})


def check_count(what: str, count: int, limits: Limits, pointer: str) -> None:
    """Refuses more inputs, functions or nodes of a program than it may have nodes.

    Raises:
        LimitError: There are more (``too_many_inputs``, ``too_many_functions``, ``too_many_nodes``).
    """
    if count > limits.nodes:
        raise LimitError(
            f"The program has {count} {what}, more than the {limits.nodes} that are allowed.", code=f"too_many_{what}", pointer=pointer
        )


class Budget:
    """The limits, and how often the program has referred to values so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._left = limits.nodes * _REFERENCES_PER_NODE

    def refer(self, pointer: str) -> None:
        """Counts a reference."""
        self._left -= 1
        if self._left < 0:
            raise LimitError(
                f"The program refers to values more than {self.limits.nodes * _REFERENCES_PER_NODE} times, "
                f"{_REFERENCES_PER_NODE} for each of the {self.limits.nodes} nodes that are allowed.",
                code="too_many_references",
                pointer=pointer,
            )
        if not self._left % 256:
            check()


def parse_body(
    nodes: Any,
    outputs: Any,
    inputs: Sequence[str],
    functions: Mapping[str, Function],
    declared: Mapping[str, Any],
    where: str,
    budget: Budget,
) -> Body:
    """Reads nodes and what comes out of them.

    Args:
        nodes: The nodes.
        outputs: The names of the outputs.
        inputs: The names of the inputs.
        functions: The custom functions that may be called.
        declared: All that are declared, those that are yet to be read included.
        where: Where the nodes and outputs stand.
        budget: The limits.

    Raises:
        ProgramError: The body is not well formed.
        LimitError: It has too many nodes, or refers to values too often.
    """
    if not isinstance(nodes, list):
        raise ProgramError(f"'nodes' must be a list of nodes, not {kind_of(nodes)}.", code="invalid_type", pointer=where + "/nodes")
    check_count("nodes", len(nodes), budget.limits, where + "/nodes")
    known: dict[str, int | None] = dict.fromkeys(inputs)
    later = _names_of(nodes)
    parsed: list[Node] = []
    total = 0
    for i, spec in watched(enumerate(nodes)):
        node = _parse_node(spec, known, later, functions, declared, f"{where}/nodes/{i}", budget)
        parsed.append(node)
        total += node.op.cost if isinstance(node.op, Function) else 1
        check_count("nodes", total, budget.limits, where + "/nodes")
    if outputs is None:
        raise ProgramError("'outputs' is missing: name the values to be returned.", code="missing_field", pointer=where)
    if not isinstance(outputs, list):
        raise ProgramError(f"'outputs' must be a list of names, not {kind_of(outputs)}.", code="invalid_type", pointer=where + "/outputs")
    for i, name in watched(enumerate(outputs)):
        _check_reference(name, known, {}, f"{where}/outputs/{i}")
    if len(set(outputs)) < len(outputs):
        raise ProgramError("'outputs' names a value twice.", code="duplicate_name", pointer=where + "/outputs")
    return Body(tuple(inputs), tuple(parsed), tuple(outputs))


def _names_of(nodes: Sequence[Any]) -> dict[str, int]:
    names: dict[str, int] = {}
    for i, spec in enumerate(nodes):
        given = spec.get("name") if isinstance(spec, Mapping) else None
        for name in watched(given if isinstance(given, list) else [given]):
            if isinstance(name, str):
                names.setdefault(name, i)
    return names


def _parse_node(
    spec: Any,
    known: dict[str, int | None],
    later: Mapping[str, int],
    functions: Mapping[str, Function],
    declared: Mapping[str, Any],
    pointer: str,
    budget: Budget,
) -> Node:
    if not isinstance(spec, Mapping):
        raise ProgramError(
            f"A node must be an object with 'name', 'op' and 'args', not {kind_of(spec)}.", code="invalid_type", pointer=pointer
        )
    check_fields(spec, _NODE_FIELDS, ("name", "op"), pointer)
    target = find_op(spec["op"], functions, declared, pointer + "/op")
    args, kwargs = spec.get("args", []), spec.get("kwargs", {})
    if not isinstance(args, list):
        raise ProgramError(f"'args' must be a list, not {kind_of(args)}.", code="invalid_type", pointer=pointer + "/args")
    if not isinstance(kwargs, Mapping):
        raise ProgramError(f"'kwargs' must be an object, not {kind_of(kwargs)}.", code="invalid_type", pointer=pointer + "/kwargs")
    no_grad = spec.get("no_grad", False)
    if not isinstance(no_grad, bool):
        raise ProgramError(f"'no_grad' must be true or false, not {kind_of(no_grad)}.", code="invalid_type", pointer=pointer + "/no_grad")

    def refer(name: str, at: str) -> Reference:
        budget.refer(at)
        _check_reference(name, known, later, at)
        return Reference(name)

    read_args = tuple(
        read_argument(value, slots_of(target, i, None), refer, f"{pointer}/args/{i}") for i, value in watched(enumerate(args))
    )
    read_kwargs = {
        key: read_argument(value, slots_of(target, None, key), refer, join(pointer + "/kwargs", key)) for key, value in kwargs.items()
    }
    return Node(_define(spec["name"], target, known, pointer + "/name"), target, read_args, read_kwargs, no_grad, pointer)


def _define(names: Any, target: Op | Overloads | Function, known: dict[str, int | None], pointer: str) -> str | tuple[str | None, ...]:
    """Checks a node's names and makes them known; the value is the number of outputs, 1 for a tensor."""

    def define(name: Any, at: str) -> str:
        checked = check_name(name, at)
        if checked in known:
            raise ProgramError(f"The name {checked!r} is defined twice.", code="duplicate_name", pointer=at)
        return checked

    if isinstance(names, list):
        made: list[str | None] = []
        for i, name in watched(enumerate(names)):
            if name is None:
                made.append(None)
                continue
            made.append(define(name, f"{pointer}/{i}"))
            known[name] = None
        return tuple(made)
    name = define(names, pointer)
    known[name] = _output_count(target)
    return name


def _output_count(target: Op | Overloads | Function) -> int | None:
    """The number of outputs where a bare name cannot stand for the result; ``None`` where it can, or may."""
    if isinstance(target, Function):
        return len(target.forward.outputs) if len(target.forward.outputs) > 1 else None
    if isinstance(target, Overloads):
        counts = {None if o.outputs is None else len(o.outputs) for o in target.overloads}
        return counts.pop() if len(counts) == 1 else None
    return len(target.outputs) if target.outputs is not None else None


def _check_reference(name: Any, known: Mapping[str, int | None], later: Mapping[str, int], pointer: str) -> None:
    if not isinstance(name, str):
        raise ProgramError(f"Expected the name of a value, but got {kind_of(name)}.", code="invalid_type", pointer=pointer)
    base, dot, picked = name.partition(".")
    if base in known and (not dot or picked.isdecimal()):
        count = known[base]
        if count is not None and (not dot or int(picked) >= count):
            raise ProgramError(
                f"{base!r} has {count} outputs; refer to one of them as {base}.0 to {base}.{count - 1}.",
                code="undefined_name",
                pointer=pointer,
            )
        return
    if base in later:
        raise ProgramError(
            f"{shown(name)} is used before it is defined: node {later[base]} defines it later.", code="forward_reference", pointer=pointer
        )
    hint = suggest(base, known) or (f" Defined are {', '.join(sorted(known)[:8])}." if known else " Nothing is defined at this point.")
    raise ProgramError(f"{shown(name)} is not defined.{hint}", code="undefined_name", pointer=pointer)


def slots_of(target: Op | Overloads | Function, position: int | None, name: str | None) -> list[Param]:
    """The parameters that an argument can belong to, by its position or by its name; one per overload."""
    if isinstance(target, Function):
        return []
    found: list[Param] = []
    for candidate in target.overloads if isinstance(target, Overloads) else [target]:
        if position is not None:
            # Tensors that a call gives one by one all belong to the one list.
            place = 0 if candidate.params and candidate.params[0].kind == "Tensors" else position
            if place < candidate.first_keyword:
                found.append(candidate.params[place])
        else:
            found += [p for p in candidate.params if p.name == name]
    return found


def read_argument(value: Any, slots: list[Param], refer: Callable[[str, str], Any], pointer: str) -> Any:
    """What a JSON argument means in any of ``slots`` (no slots: a custom function, whose arguments are all tensors).

    Args:
        value: The argument.
        slots: The parameters that it can belong to.
        refer: Says what stands for the tensor of a name, given where the name stands.
        pointer: Where the argument stands.

    Raises:
        ProgramError: It cannot be an argument.
    """
    kinds = {p.kind for p in slots}
    tensor = not slots or any(p.is_tensor for p in slots)
    if "Index" in kinds:
        return index_from_json(value, lambda item, at: read_slot(item, refer, at), pointer)
    if any(p.is_list for p in slots) and isinstance(value, list):
        return [None if item is None else read_slot(item, refer, f"{pointer}/{i}") for i, item in watched(enumerate(value))]
    as_list = isinstance(value, list) and not kinds & {"Dims", "Size", "Data"}
    as_name = isinstance(value, str) and not kinds & {"str", "Device"}
    if tensor and (as_name or as_list or isinstance(value, Mapping)):
        return read_slot(value, refer, pointer)
    if isinstance(value, str) and value in _SPECIAL_FLOATS and kinds & {"float", "Scalar", "Real", "Data"}:
        return _SPECIAL_FLOATS[value]
    if isinstance(value, Mapping):
        return read_slot(value, refer, pointer)
    if isinstance(value, list):
        if len(value) > _MOST_ITEMS and "Data" not in kinds:
            raise LimitError(
                f"The list has {len(value):,} items, more than the {_MOST_ITEMS:,} that an argument may have.",
                code="argument_too_long",
                pointer=pointer,
            )
        return _static(value, pointer, -1)
    return value


def _static(value: Any, pointer: str, depth: int = 0) -> Any:
    if isinstance(value, list):
        if depth > _MOST_NESTED:
            raise ProgramError("The list is nested too deeply for an argument.", code="too_deep", pointer=pointer)
        if PLAIN.issuperset(map(type, value)):
            return tuple(value)
        return tuple(_static(v, f"{pointer}/{i}", depth + 1) for i, v in watched(enumerate(value)))
    if isinstance(value, Mapping):
        if set(value) == {"complex"}:
            return read_slot(value, lambda name, at: name, pointer)
        raise ProgramError(
            "An object cannot stand here; expected a number, a string, true, false, null or a list.", code="invalid_type", pointer=pointer
        )
    return _SPECIAL_FLOATS.get(value, value) if isinstance(value, str) else value


def read_slot(value: Any, refer: Callable[[str, str], Any], pointer: str) -> Any:
    """A tensor slot: a reference, a Python scalar, or a constant.

    Raises:
        ProgramError: It is none of these.
    """
    if isinstance(value, str):
        return _SPECIAL_FLOATS[value] if value in _SPECIAL_FLOATS else refer(value, pointer)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    try:
        literal = codec.decode(value)
    except GradwireError as error:
        raise error.at(pointer) from None
    if isinstance(value, Mapping) and set(value) == {"complex"}:
        # A number of Python's, never rounded to a tensor's precision.
        real, imaginary = (_SPECIAL_FLOATS.get(part, part) for part in value["complex"])
        return complex(real, imaginary)
    if literal.requires_grad:
        raise ProgramError(
            "A constant cannot require gradients; declare it in 'inputs' instead.",
            code="constant_requires_grad",
            pointer=pointer + "/requires_grad",
        )
    return Constant(literal.array)
