"""From a function, the shapes of what a call brings and what is wanted of it to a plan that computes that on arrays."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gradwire_engine import codec
from gradwire_engine.dtypes import Array, dtype_of, is_differentiable, set_default_dtype
from gradwire_engine.errors import GradwireError, LimitError, Stopped, TensorRuntimeError
from gradwire_engine.execute import Runner, value_of
from gradwire_engine.limits import UNBOUNDED, Limits
from gradwire_engine.meta import Meta, dense, meta_of_array
from gradwire_engine.meter import Meter
from gradwire_engine.modes import GENERATOR, no_grad
from gradwire_engine.names import join
from gradwire_engine.op import ops
from gradwire_engine.plan.chunks import operations_of
from gradwire_engine.plan.interpreted import compiled_or_interpreted
from gradwire_engine.random import generator_from
from gradwire_engine.stopping import stoppable
from gradwire_engine.symbolic import Symbol, Trace
from gradwire_engine.tensor import Tensor
from gradwire_engine.text.source import POINTER
from gradwire_engine.tracing import DataDependentShape, record
from gradwire_engine.transforms import compute, vmap
from gradwire_engine.value import Value

from ..plan_costs import CALLS_PER_NODE, ROWS_SHARE, calls_fit, costs_fit
from .definition import Definition
from .wanted import Request, Wanted

# What is kept of an instruction beside the plan, about.
_INSTRUCTION_BYTES: Final = 2_000
# What takes no longer than this much work is over before it could be stopped.
_QUICK_WORK: Final = 2**14
_NAMES: Final = {"vjp": "grads", "jvp": "tangents", "hvp": "hvps"}
"""The parts of an answer that have another name than what is computed for them."""
_FIELDS: Final = {"not_scalar": "/output", "gradient_required": "/output", "vmap_randomness": "/randomness", "bad_batch": "/batch"}
"""What is wrong with a call that no node of the function is to blame for, by the code of the error."""


class Executable:
    """What a function computes for inputs of given shapes.

    Args:
        definition: The function.
        wanted: What is wanted of it.
        trace: The operations. Their inputs are those of the function, then tangents, vectors and the given gradients of outputs.
        form: The answer, with the numbers of the outputs of ``trace`` in place of tensors.
        cost: What all of it takes.

    Attributes:
        operations: The number of operations.
        cost: What all of it takes.
        plan: What runs.
        nbytes: What is kept of it.
    """

    def __init__(self, definition: Definition, wanted: Wanted, trace: Trace, form: Mapping[str, Any], cost: Meter) -> None:
        self.operations = operations_of(trace)
        self.cost = cost
        self.plan = compiled_or_interpreted(trace)
        self.nbytes = self.plan.nbytes + _INSTRUCTION_BYTES * self.operations
        self._is_quick = cost.work <= _QUICK_WORK
        self._definition = definition
        self._trace = trace
        self._form = form
        given = [name for name, is_given in wanted.grad_outputs if is_given]
        self._grad_outputs = list(zip(given, [v.meta for v in trace.inputs[len(trace.inputs) - len(given) :]], strict=True))

    def check(self, limits: Limits, check: Callable[[], None]) -> None:
        """Holds what it takes against the limits.

        Raises:
            LimitError: It takes more.
        """
        cost = self.cost
        if not costs_fit(cost, limits):
            # Counted once more, up to where it becomes too much, for the sake of the message.
            Meter(limits, check, backward=False).measure_trace(self._trace)
        if not calls_fit(self.plan.calls, limits):
            raise LimitError(
                f"A call takes {self.plan.calls:,} operations, more than the {CALLS_PER_NODE * limits.nodes:,} that are allowed.",
                code="too_many_nodes",
            )

    def metas(self) -> dict[str, Any]:
        """What it gives, as ``answer`` has it, with metas in place of tensors."""
        return _arranged(self._form, [variable.meta for variable in self._trace.outputs])

    def answer(self, request: Request, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        """Computes what is wanted.

        Args:
            request: The arrays; they must have the shapes that it was built for.
            limits: What it may cost.
            check: Called between operations; what it raises ends the computation.

        Returns:
            The answer, with tensors as ``codec.encode`` gives them.

        Raises:
            GradwireError: A given gradient does not fit, or an operation cannot be carried out on these values.
            LimitError: It costs too much.
        """
        self.check(limits, check)
        arrays = [*request.arrays, *request.directions]
        for name, meta in self._grad_outputs:
            arrays.append(_grad_output(request.grad_outputs[name], name, meta, limits))
        try:
            found = self.run(arrays, request.seed, check)
        except (Stopped, LimitError):
            raise
        except GradwireError as error:
            self._explain(request, check)
            raise of_function(error) from None
        return _arranged(self._form, [codec.encode(array) for array in found])

    def _explain(self, request: Request, check: Callable[[], None]) -> None:
        """Raises what running the function node by node on the same inputs raises, which says where."""
        contextvars.copy_context().run(run_eagerly, request, check)

    def run(self, arrays: Sequence[Array], seed: int | None, check: Callable[[], None]) -> list[Array]:
        """Runs the plan.

        Args:
            arrays: One for each input of the trace.
            seed: Where random operations start; ``None`` for anywhere.
            check: Called between operations; what it raises ends the run.

        Returns:
            The outputs, arrays of the caller's own.
        """
        if self._is_quick and not self.plan.asks_context:
            return self.plan(arrays)
        with stoppable(check):
            if not self.plan.asks_context:
                return self.plan(arrays)
            return contextvars.copy_context().run(self._run_in_context, arrays, seed)

    def _run_in_context(self, arrays: Sequence[Array], seed: int | None) -> list[Array]:
        set_default_dtype(self._definition.dtype)
        # Never the process's generator, which other calls would share.
        GENERATOR.set(generator_from(seed))
        return self.plan(arrays)


def run_eagerly(request: Request, check: Callable[[], None]) -> None:
    """Runs a function node by node, for the sake of the error that it raises; a batch as a whole.

    Raises:
        GradwireError: A node failed; the detail says which.
    """
    definition = request.definition
    set_default_dtype(definition.dtype)
    GENERATOR.set(generator_from(request.seed))
    inputs = {name: Tensor._wrap(array) for name, array in zip(definition.signature.names, request.arrays, strict=True)}

    def run(named: Mapping[str, Value]) -> tuple[()]:
        Runner(check).run(definition.program.body, dict(named))
        return ()

    wanted = request.wanted
    try:
        with stoppable(check), definition.program.explained(), no_grad():
            if wanted.batch:
                vmap(run, inputs, wanted.batch, wanted.randomness)
            else:
                run(inputs)
    except (Stopped, LimitError):
        raise
    except GradwireError as error:
        raise of_function(error) from None


def _arranged(form: Mapping[str, Any], items: Sequence[Any]) -> dict[str, Any]:
    return {name: items[part] if isinstance(part, int) else _arranged(part, items) for name, part in form.items()}


def build(definition: Definition, request: Request, *, limits: Limits, check: Callable[[], None]) -> Executable:
    """Makes a function ready for calls like this one.

    Args:
        definition: The function.
        request: The call, of which the shapes matter.
        limits: The number of operations; and what a program may take in memory, of which the rows of a Jacobian get their share.
        check: Called between nodes; what it raises ends the building.

    Raises:
        GradwireError: The function cannot run on these shapes, or cannot be differentiated so.
        LimitError: It consists of too many operations.
    """
    return contextvars.copy_context().run(_build, definition, request, limits, check)


def _build(definition: Definition, request: Request, limits: Limits, check: Callable[[], None]) -> Executable:
    wanted = request.wanted
    form: dict[str, Any] = {}
    set_default_dtype(definition.dtype)

    def steps(trace: Trace, runner: Runner) -> Sequence[Value]:
        inputs = _inputs(trace, definition.signature.names, request.arrays)
        tangents = _inputs(trace, wanted.tangents, request.directions)
        vectors = _inputs(trace, wanted.vectors, request.directions[len(wanted.tangents) :])
        starts: dict[str, Value] | None = None
        if wanted.grad_outputs:
            starts = _starts(trace, wanted, _output_metas(definition, request, limits.nodes, check), request.batch_size)
        made = compute(
            _calling(definition, runner),
            inputs,
            wanted.parts,
            wrt=wanted.wrt,
            output=wanted.output,
            outputs=wanted.outputs,
            grad_outputs=starts,
            tangents=tangents,
            vectors=vectors,
            batch=wanted.batch,
            randomness=wanted.randomness,
            chunk_bytes=limits.program_bytes // ROWS_SHARE,
        )
        found: list[Value] = []
        if "jvp" in made:
            made["jvp"] = {name: made["jvp"][name] for name in wanted.outputs}
        form.update({_NAMES.get(name, name): _flattened(part, found) for name, part in made.items()})
        return found

    with stoppable(check):
        try:
            with definition.program.explained():
                trace = record(steps, nodes=limits.nodes, check=check)
        except (Stopped, LimitError, DataDependentShape):
            raise
        except GradwireError as error:
            raise of_function(error) from None
        cost = Meter(UNBOUNDED, check, backward=False)
        cost.measure_trace(trace)
        return Executable(definition, wanted, trace, form, cost)


def _inputs(trace: Trace, names: Sequence[str], arrays: Sequence[Array]) -> dict[str, Symbol]:
    # Calls with arrays of the same shape share the plan, whatever their order in memory.
    return {name: trace.input(dense(array.shape, array.dtype)) for name, array in zip(names, arrays, strict=False)}


def _calling(definition: Definition, runner: Runner) -> Callable[[Mapping[str, Value]], dict[str, Value]]:
    """The function, as one of named values."""

    def call(inputs: Mapping[str, Value]) -> dict[str, Value]:
        values = runner.run(definition.program.body, dict(inputs))
        return {label: value_of(values, name, "/outputs") for label, name in definition.program.outputs().items()}

    return call


def _flattened(part: Any, found: list[Value]) -> Any:
    """The part with numbers in place of values, which are put on the list."""
    if isinstance(part, Mapping):
        return {name: _flattened(item, found) for name, item in part.items()}
    found.append(part)
    return len(found) - 1


def _output_metas(definition: Definition, request: Request, nodes: int, check: Callable[[], None]) -> dict[str, Meta]:
    """The metas of the outputs of one item of the batch."""
    items = {
        name: meta_of_array(array[0] if name in request.wanted.batch else array)
        for name, array in zip(definition.signature.names, request.arrays, strict=True)
    }

    def steps(trace: Trace, runner: Runner) -> Sequence[Value]:
        found = _calling(definition, runner)({name: trace.input(meta) for name, meta in items.items()})
        return [found[name] for name, _ in request.wanted.grad_outputs]

    metas = [variable.meta for variable in record(steps, nodes=nodes, check=check).outputs]
    return dict(zip([name for name, _ in request.wanted.grad_outputs], metas, strict=True))


def _starts(trace: Trace, wanted: Wanted, metas: Mapping[str, Meta], size: int | None) -> dict[str, Value]:
    """The gradients that a vector-Jacobian product starts from."""
    starts: dict[str, Value] = {}
    for i, (name, is_given) in enumerate(wanted.grad_outputs):
        meta = metas[name]
        pointer = join("/grad_outputs", name)
        if not is_differentiable(meta.dtype):
            raise TensorRuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn: the output {name!r} is {meta.dtype.name}.",
                code="no_grad_fn",
                pointer=pointer,
            )
        shape = meta.shape if size is None else (size, *meta.shape)
        if is_given:
            starts[name] = trace.input(dense(shape, meta.dtype))
            continue
        if meta.numel != 1:
            raise TensorRuntimeError("grad can be implicitly created only for scalar outputs", code="gradient_required", pointer=pointer)
        starts[name] = ops.ones(list(shape), dtype=dtype_of(meta.dtype))
    return starts


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


def of_function(error: GradwireError) -> GradwireError:
    """An error in a node of the function, which has no place in the document of the call."""
    if error.pointer is None:
        error.pointer = _FIELDS.get(error.code)
    elif error.pointer.endswith(POINTER) and error.line is not None:
        # The detail shows the place, but not which text of several it is in.
        if error.pointer != POINTER:
            error.detail = f"{error.detail}\n  in {error.pointer} of the function"
        error.args, error.pointer = (error.detail,), None
    elif error.pointer == POINTER:
        error.pointer = None
    elif error.pointer.startswith(("/nodes", "/functions", "/outputs")):
        error.detail = f"{error.detail.removesuffix('.')} (at {error.pointer} of the function, for inputs of these shapes)."
        error.args, error.pointer = (error.detail,), None
    return error
