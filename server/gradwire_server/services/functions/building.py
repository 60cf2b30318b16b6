"""From a function, the shapes of its inputs and what is wanted of it to something that computes that on arrays."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from gradwire_engine import codec
from gradwire_engine.autograd import walk_back
from gradwire_engine.dtypes import Array, dtype_of, is_differentiable, set_default_dtype
from gradwire_engine.errors import GradwireError, LimitError, Stopped, TensorRuntimeError
from gradwire_engine.execute import Runner, value_of
from gradwire_engine.limits import Limits
from gradwire_engine.meta import Meta
from gradwire_engine.meter import Meter
from gradwire_engine.modes import GENERATOR, enable_grad, no_grad
from gradwire_engine.names import join
from gradwire_engine.op import ops
from gradwire_engine.random import Generator
from gradwire_engine.stopping import stoppable
from gradwire_engine.symbolic import Symbol, Trace
from gradwire_engine.text.source import POINTER
from gradwire_engine.tracing import DataDependentShape, record

from .definition import Definition
from .wanted import Request, Wanted

_UNBOUNDED: Final = 2**62


class Executable:
    """What a function computes for inputs of given shapes.

    Args:
        definition: The function.
        wanted: What is wanted of it.
        trace: The operations, whose inputs are those of the function and then the given gradients of outputs.
        cost: What all of it takes.

    Attributes:
        operations: The number of operations.
        cost: What all of it takes.
    """

    def __init__(self, definition: Definition, wanted: Wanted, trace: Trace, cost: Meter) -> None:
        self.operations = len(trace.instructions)
        self.cost = cost
        self._definition = definition
        self._wanted = wanted
        self._trace = trace
        given = [name for name, is_given in wanted.starts if is_given]
        metas = [variable.meta for variable in trace.inputs[len(definition.signature.inputs) :]]
        self._grad_outputs = list(zip(given, metas, strict=True))

    def check(self, limits: Limits, check: Callable[[], None]) -> None:
        """Holds what it takes against the limits.

        Raises:
            LimitError: It takes more.
        """
        cost = self.cost
        if (
            cost.largest > limits.tensor_bytes
            or cost.bytes > limits.program_bytes
            or cost.work > limits.work
            or cost.outputs > limits.nodes
        ):
            # Counted once more, up to where it becomes too much, for the sake of the message.
            Meter(limits, check, backward=False).measure_trace(self._trace)

    def metas(self) -> dict[str, Any]:
        """What it gives, as ``answer`` has it, with metas in place of tensors."""
        return self._arrange([variable.meta for variable in self._trace.outputs])

    def answer(self, request: Request, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Computes what is wanted.

        Args:
            request: The arrays; they must have the shapes that it was built for.
            limits: What it may cost.
            check: Called between operations; what it raises ends the computation.

        Returns:
            ``{"outputs": {name: tensor}}`` or ``{"value": tensor}``, and ``"grads"``, with tensors as ``codec.encode`` gives them.

        Raises:
            GradwireError: A given gradient does not fit, or an operation cannot be carried out on these values.
            LimitError: It costs too much.
        """
        self.check(limits, check)
        arrays = [*request.arrays]
        for name, meta in self._grad_outputs:
            arrays.append(_grad_output(request.grad_outputs[name], name, meta, limits))
        results = contextvars.copy_context().run(self._run, arrays, request.seed, check)
        return self._arrange([codec.encode(array) for array in results])

    def _run(self, arrays: Sequence[Array], seed: int | None, check: Callable[[], None]) -> list[Array]:
        set_default_dtype(self._definition.dtype)
        # Never the process's generator, which other calls would share.
        GENERATOR.set(Generator() if seed is None else Generator(seed))
        with stoppable(check):
            results = self._trace.run(arrays)
        # A view, or an array as it came in, is not the caller's to keep.
        return [array.copy() if array.base is not None or not array.flags.writeable else array for array in map(np.asarray, results)]

    def _arrange(self, items: Sequence[Any]) -> dict[str, Any]:
        wanted = self._wanted
        values, grads = items[: len(wanted.outputs)], items[len(wanted.outputs) :]
        answer: dict[str, Any] = {"value": values[0]} if wanted.single else {"outputs": dict(zip(wanted.outputs, values, strict=True))}
        if wanted.starts:
            answer["grads"] = dict(zip(wanted.wrt, grads, strict=True))
        return answer


def build(definition: Definition, metas: Mapping[str, Meta], wanted: Wanted, *, nodes: int, check: Callable[[], None]) -> Executable:
    """Makes a function ready for inputs of given shapes.

    Args:
        definition: The function.
        metas: The metas of its inputs.
        wanted: What is wanted of it.
        nodes: The most operations.
        check: Called between nodes; what it raises ends the building.

    Raises:
        GradwireError: The function cannot run on these shapes, or cannot be differentiated so.
        LimitError: It consists of too many operations.
    """
    return contextvars.copy_context().run(_build, definition, metas, wanted, nodes, check)


def _build(definition: Definition, metas: Mapping[str, Meta], wanted: Wanted, nodes: int, check: Callable[[], None]) -> Executable:
    def steps(trace: Trace, runner: Runner) -> Sequence[Any]:
        inputs = {name: trace.input(meta) for name, meta in metas.items()}
        for name in wanted.wrt:
            inputs[name].requires_grad_()
        with enable_grad() if wanted.wrt else no_grad():
            values = runner.run(definition.program.body, dict(inputs))
        values = {label: value_of(values, name, "/outputs") for label, name in definition.program.outputs().items()}
        outputs = [values[label] for label in wanted.outputs]
        return [*outputs, *_gradients(trace, wanted, inputs, values)] if wanted.starts else outputs

    set_default_dtype(definition.dtype)
    with stoppable(check):
        try:
            with definition.program.explained():
                trace = record(steps, nodes=nodes, check=check)
        except (Stopped, LimitError, DataDependentShape):
            raise
        except GradwireError as error:
            raise _of_function(error) from None
        cost = Meter(Limits(_UNBOUNDED, _UNBOUNDED, nodes, _UNBOUNDED), check, backward=False)
        cost.measure_trace(trace)
    return Executable(definition, wanted, trace, cost)


def _gradients(trace: Trace, wanted: Wanted, inputs: Mapping[str, Symbol], values: Mapping[str, Any]) -> list[Any]:
    """The gradients of the inputs, zeros where none arrives."""
    outputs: list[Any] = []
    given: list[Any] = []
    for i, (name, is_given) in enumerate(wanted.starts):
        output = values[name]
        pointer = "/output" if wanted.single else join("/grad_outputs", name)
        if not is_differentiable(output._data.dtype):
            raise TensorRuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn: the output {name!r} is "
                f"{output._data.dtype.name}.",
                code="no_grad_fn",
                pointer=pointer,
            )
        if wanted.single and output.ndim:
            raise TensorRuntimeError(
                f"grad_and_value(f)(*args): Expected f(*args) to return a scalar tensor, got tensor with {output.ndim} dims. "
                "Maybe you wanted to use the vjp or jacrev APIs instead?",
                code="not_scalar",
                pointer=pointer,
            )
        gradient = trace.input(output._data.meta) if is_given else None
        if output.requires_grad:
            outputs.append(output)
            given.append(gradient)
    targets = [inputs[name] for name in wanted.wrt]
    found = walk_back(outputs, given, targets) if outputs else [None] * len(targets)
    return [ops.zeros_like(target.detach()) if g is None else g for target, g in zip(targets, found, strict=True)]


def _grad_output(value: Any, name: str, meta: Meta, limits: Limits) -> Array:
    pointer = join("/grad_outputs", name)
    try:
        array = codec.decode(value, declared=meta.dtype, max_elements=limits.tensor_bytes).array
    except GradwireError as error:
        raise error.at(pointer) from None
    if array.shape != meta.shape:
        raise TensorRuntimeError(
            f"Mismatch in shape: the gradient of {name!r} has a shape of {list(array.shape)} and the output has a shape of "
            f"{list(meta.shape)}, in {dtype_of(meta.dtype).name}.",
            code="shape_mismatch",
            pointer=pointer,
        )
    return array


def _of_function(error: GradwireError) -> GradwireError:
    """An error in a node of the function, which has no place in the document of the call."""
    if error.pointer is not None and error.pointer.startswith(POINTER):
        # The detail shows the place.
        error.pointer = None
    elif error.pointer is not None and error.pointer.startswith(("/nodes", "/functions", "/outputs")):
        error.detail = f"{error.detail.removesuffix('.')} (at {error.pointer} of the function, for inputs of these shapes)."
        error.args, error.pointer = (error.detail,), None
    return error
