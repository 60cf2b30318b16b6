"""One program in; values, gradients and the graph out. Nothing is kept."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gradwire_engine import codec
from gradwire_engine.autograd import walk_back
from gradwire_engine.describe import graph
from gradwire_engine.dtypes import set_default_dtype
from gradwire_engine.errors import GradwireError, LimitError, ProgramError
from gradwire_engine.execute import Runner, Values, value_of
from gradwire_engine.limits import Limits
from gradwire_engine.meter import Meter
from gradwire_engine.modes import GENERATOR, PURE
from gradwire_engine.names import check_fields, check_name, join, kind_of
from gradwire_engine.parse_nodes import check_count
from gradwire_engine.program import Program
from gradwire_engine.random import generator_from
from gradwire_engine.stopping import stoppable, watched
from gradwire_engine.tensor import Tensor
from gradwire_engine.text import read_program
from gradwire_engine.value import Value

from .seeds import read_seed

FIELDS: Final = frozenset(
    {"inputs", "nodes", "program", "outputs", "functions", "backward", "wrt", "create_graph", "seed", "default_dtype", "include"}
)
"""What a request may have."""


def evaluate(document: Any, *, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
    """Runs the program in ``document`` and gives its outputs, with gradients where ``backward`` asks for them.

    Args:
        document: The request, as decoded from JSON.
        limits: What the program may cost.
        check: Called before every node, forward and backward; what it raises ends the evaluation.

    Returns:
        ``{"outputs": {name: tensor}, "grads": {name: tensor or None}, "graph": ...}``, where a tensor is what
        ``codec.encode`` gives; ``grads`` and ``graph`` only if they were asked for.

    Raises:
        GradwireError: The program is wrong, too large, or was stopped by ``check``.
    """
    # A context of its own: default dtype, generator and grad mode end with the request.
    return contextvars.copy_context().run(_evaluate_stoppably, document, limits, check)


def _evaluate_stoppably(document: Any, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
    with stoppable(check):
        return _evaluate(document, limits, check)


def _evaluate(document: Any, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
    if not isinstance(document, Mapping):
        raise ProgramError(f"The request must be a JSON object, not {kind_of(document)}.", code="invalid_type", pointer="")
    # What a text has for outputs, only its reader can say.
    check_fields(document, FIELDS, () if "program" in document else ("outputs",), "")
    create_graph = _boolean(document, "create_graph")
    _set_modes(document)
    include = _include(document)
    inputs = read_inputs(document.get("inputs", {}), limits)
    program = read_program(document, list(inputs), limits)
    with program.explained():
        return _run(document, program, inputs, include, create_graph, limits, check)


def _run(
    document: Mapping[str, Any],
    program: Program,
    inputs: Mapping[str, Tensor],
    include: Sequence[str],
    create_graph: bool,
    limits: Limits,
    check: Callable[[], None],
) -> dict[str, Any]:
    meter = Meter(limits, check, backward=document.get("backward") is not None)
    PURE.set(True)
    meter.measure(program.body, inputs)
    values = Runner(check, meter.before).run(program.body, dict(inputs))
    outputs = outputs_of(program, values)
    meter.answer(outputs.values())
    answer: dict[str, Any] = {"outputs": {name: _encode(tensor) for name, tensor in outputs.items()}}
    if "graph" in include:
        # Described before the walk, which gives up what the graph has saved but never the graph.
        answer["graph"] = graph(list(outputs.values()), {name: value for name, value in values.items() if isinstance(value, Tensor)})
    grads = gradients_of(document, program, inputs, values, limits, meter.answer, create_graph=create_graph)
    if grads is not None:
        answer["grads"] = {name: None if g is None else _encode(g) for name, g in grads.items()}
    return answer


def outputs_of(program: Program, values: Values) -> dict[str, Any]:
    """The outputs by the names that callers have for them."""
    return {label: value_of(values, name, f"/outputs/{i}") for i, (label, name) in enumerate(program.outputs().items())}


def described(tensor: Value) -> dict[str, Any]:
    """What is answered of a tensor beside its elements."""
    node = tensor._made_by()
    return {"requires_grad": tensor.requires_grad, "is_leaf": node is None, "grad_fn": None if node is None else node.short_name}


def _encode(tensor: Value) -> dict[str, Any]:
    return codec.encode(tensor._data, **described(tensor))


def _boolean(document: Mapping[str, Any], field: str) -> bool:
    value = document.get(field, False)
    if not isinstance(value, bool):
        raise ProgramError(f"'{field}' must be true or false, not {kind_of(value)}.", code="invalid_type", pointer="/" + field)
    return value


def _set_modes(document: Mapping[str, Any]) -> None:
    dtype = document.get("default_dtype")
    if dtype is not None:
        try:
            set_default_dtype(dtype)
        except GradwireError as error:
            raise error.at("/default_dtype") from None
    seed = read_seed(document)
    # Never the process's generator: without a seed every request has a fresh one.
    GENERATOR.set(generator_from(seed))


def _include(document: Mapping[str, Any]) -> Sequence[str]:
    wanted = document.get("include", [])
    if not isinstance(wanted, list) or any(w != "graph" for w in wanted):
        raise ProgramError("'include' must be a list; it may hold \"graph\".", code="invalid_type", pointer="/include")
    return wanted


def read_inputs(given: Any, limits: Limits) -> dict[str, Tensor]:
    """The inputs of a request.

    Raises:
        GradwireError: One is no tensor, or too large; ``pointer`` leads to it.
    """
    if not isinstance(given, Mapping):
        raise ProgramError(f"'inputs' must be an object of tensors by name, not {kind_of(given)}.", code="invalid_type", pointer="/inputs")
    check_count("inputs", len(given), limits, "/inputs")
    inputs: dict[str, Tensor] = {}
    for name, value in watched(given.items()):
        pointer = join("/inputs", name)
        check_name(name, pointer)
        try:
            # Programs are pure, so that nothing writes into it.
            literal = codec.decode(value, max_elements=limits.tensor_bytes, share=True)
        except GradwireError as error:
            raise error.at(pointer) from None
        if literal.array.nbytes > limits.tensor_bytes:
            raise LimitError(
                f"The input {name!r} takes {literal.array.nbytes:,} bytes, more "
                f"than the {limits.tensor_bytes:,} bytes that a tensor may take.",
                code="tensor_too_large",
                pointer=pointer,
            )
        tensor = Tensor._wrap(literal.array)
        tensor._requires_grad = literal.requires_grad
        inputs[name] = tensor  # type: ignore[assignment]
    return inputs


def gradients_of(
    document: Mapping[str, Any],
    program: Program,
    inputs: Mapping[str, Value],
    values: Values,
    limits: Limits,
    count: Callable[[Sequence[Any]], None],
    *,
    create_graph: bool = False,
) -> dict[str, Any] | None:
    """The gradients that a request asks for, by name; ``None`` for each that is not reached, and where none are asked for.

    Args:
        document: The request.
        program: Its program.
        inputs: The inputs, eager or symbolic.
        values: What the program has computed of them, all of which is let go before the gradients are computed.
        limits: The most values to start from, and the size of a cotangent.
        count: Called with tensors of the shapes of all gradients before they are made.
        create_graph: Whether the gradients are recorded.

    Raises:
        GradwireError: They cannot be computed, or ``backward`` or ``wrt`` is wrong.
    """
    backward, wrt = document.get("backward"), document.get("wrt")
    if backward is None:
        if wrt is not None:
            raise ProgramError(
                "'wrt' names what to differentiate by, but there is no 'backward' that says what to differentiate.",
                code="missing_field",
                pointer="/wrt",
            )
        return None
    starts = _starts(backward)
    if len(starts) > limits.nodes:
        raise LimitError(
            f"'backward' names {len(starts)} values, more than the {limits.nodes} that are allowed.",
            code="too_many_outputs",
            pointer="/backward",
        )
    outputs: list[Any] = []
    gradients: list[Any] = []
    for name, given, pointer in watched(starts):
        outputs.append(value_of(values, program.name_of(name), pointer))
        gradients.append(_grad_output(given, outputs[-1], pointer, limits))
    if not outputs:
        raise ProgramError("'backward' names nothing to start from.", code="invalid_type", pointer="/backward")
    if wrt is None:
        names = [name for name, tensor in inputs.items() if tensor.requires_grad]
    elif isinstance(wrt, list) and all(isinstance(name, str) for name in wrt):
        names = list(dict.fromkeys(wrt))
    else:
        raise ProgramError("'wrt' must be a list of names.", code="invalid_type", pointer="/wrt")
    # The name of an input means the input, whatever a text has assigned to it since.
    targets = [value_of(values, name if name in inputs else program.name_of(name), f"/wrt/{i}") for i, name in enumerate(names)]
    for i, target in enumerate(targets):
        if not target.requires_grad:
            raise ProgramError(
                f"One of the differentiated Tensors does not require grad: {names[i]!r}.", code="no_grad_fn", pointer=f"/wrt/{i}"
            )
    # A gradient has the shape of what it belongs to, so that all of them can be counted before they are made.
    count(targets)
    # What neither the graph nor the caller needs makes room.
    values.clear()
    try:
        found = walk_back(outputs, gradients, targets, create_graph=create_graph)
    except GradwireError as error:
        if error.pointer is None:
            error.pointer = "/backward"
        raise
    return dict(zip(names, found, strict=True))


def _starts(backward: Any) -> list[tuple[str, Any, str]]:
    """Where the walk starts: name, given cotangent, pointer."""
    if isinstance(backward, str):
        return [(backward, None, "/backward")]
    if isinstance(backward, Mapping):
        return [(name, given, join("/backward", name)) for name, given in backward.items()]
    if isinstance(backward, list) and all(isinstance(name, str) for name in backward):
        return [(name, None, f"/backward/{i}") for i, name in enumerate(backward)]
    raise ProgramError(
        f"'backward' must be the name of an output, a list of names, or an object of cotangents by name, not {kind_of(backward)}.",
        code="invalid_type",
        pointer="/backward",
    )


def _grad_output(given: Any, output: Value, pointer: str, limits: Limits) -> Value | None:
    if given is None:
        return None
    try:
        literal = codec.decode(given, declared=output._data.dtype, max_elements=limits.tensor_bytes)
    except GradwireError as error:
        raise error.at(pointer) from None
    return output._recorder._lift(literal.array)
