"""Custom functions: an operation whose backward is a program of its own (``torch.autograd.Function`` as data)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .batching.functions import call_on_batch, kind_of
from .custom_jvp import TRANSPOSING, gradients_to_transpose
from .dtypes import is_differentiable
from .errors import TensorRuntimeError, TensorTypeError
from .meta import broadcast
from .modes import GRAD_MODE, no_grad
from .node import FREED, Edge, Node, Version, edge_of, next_sequence
from .program import Body, Function
from .record import is_tensor
from .value import Value
from .walk_arithmetic import ARRAYS, Arithmetic, RecordedArithmetic

Runner = Callable[[Body, dict[str, Any]], dict[str, Any]]


class FunctionNode(Node):
    """The backward of one call of a custom function.

    Args:
        function: The function.
        inputs: What it was called with.
        results: What it gave.
        run: Runs its bodies.

    Attributes:
        function: As given.
        run: As given.
        inputs: Shape and dtype of each input, ``None`` for a number.
    """

    def __init__(self, function: Function, inputs: Sequence[Any], results: Sequence[Value], run: Runner) -> None:
        self.function = function
        self.run = run
        self._kind = results[0]._recorder
        self.inputs = tuple((v._data.shape, v._data.dtype) if isinstance(v, Value) else None for v in inputs)
        self.sequence = next_sequence()
        self.single = len(results) == 1
        self.outs = tuple((r._data.shape, r._data.dtype) for r in results)
        self.edges = tuple(edge_of(v) if isinstance(v, Value) and v.requires_grad else None for v in inputs)
        saved: dict[str, tuple[Any, Version, int, Edge | int | None]] = {}
        for name in function.save:
            if name in function.forward.inputs:
                position = function.forward.inputs.index(name)
                value = inputs[position]
                origin: Edge | int | None = self.edges[position]
            else:
                position = function.forward.outputs.index(name)
                value = results[position]
                origin = position
            if isinstance(value, Value):
                saved[name] = (value._data, value._version_counter, value._version_counter.count, origin)
            else:
                saved[name] = (value, Version(), 0, None)
        self._saved: dict[str, tuple[Any, Version, int, Edge | int | None]] | None = saved

    def name(self) -> str:
        """torch's form of the name: the function's, followed by ``Backward``."""
        return self.function.grad_fn

    def release(self) -> None:
        """Gives up the saved tensors."""
        if self._saved:
            self._saved = None

    def kept(self) -> Iterator[Any]:
        """The payloads (and Python numbers) of the saved tensors."""
        return (entry[0] for entry in (self._saved or {}).values())

    def apply(self, grads: list[Any], arithmetic: Arithmetic) -> Sequence[Any]:
        """Runs the backward program."""
        function = self.function
        if TRANSPOSING.get() and function.jvp is not None:
            return gradients_to_transpose(self, grads, arithmetic)
        recorder = self.recorder(arithmetic)
        values = self.saved_values(arithmetic)
        for i, (output, g) in enumerate(zip(function.forward.outputs, grads, strict=True)):
            values[f"grad_{output}"] = recorder.zeros(*self.outs[i]) if g is None else self.wrapped(g, arithmetic)
        done = self.run(function.backward, {name: values[name] for name in function.backward.inputs})
        results: list[Any] = []
        for position, (gradient, edge) in enumerate(zip(function.gradients, self.edges, strict=True)):
            if gradient is None or edge is None:
                results.append(None)
                continue
            g = done[gradient]
            self._check_shape(position, tuple(g.shape), edge[2])
            results.append(g._data if arithmetic is ARRAYS else g)
        return results

    def recorder(self, arithmetic: Arithmetic) -> RecordedArithmetic:
        """What computes on values, where the walk itself computes on arrays."""
        return arithmetic if isinstance(arithmetic, RecordedArithmetic) else RecordedArithmetic(self._kind)

    def wrapped(self, payload: Any, arithmetic: Arithmetic) -> Any:
        """What a walk hands over, as a value."""
        return payload if arithmetic is not ARRAYS else self._kind._wrap(np.asarray(payload))

    def saved_values(self, arithmetic: Arithmetic) -> dict[str, Any]:
        """The saved tensors by name, with the history that they had where the walk records.

        Raises:
            TensorRuntimeError: They were given up, or one was overwritten (torch's messages).
        """
        saved = self._saved
        if saved is None:
            raise TensorRuntimeError(FREED, code="graph_freed")
        recorder = self.recorder(arithmetic)
        values: dict[str, Any] = {}
        for name, (payload, counter, version, origin) in saved.items():
            if counter.count != version:
                raise TensorRuntimeError(
                    "one of the variables needed for gradient computation has been "
                    f"modified by an inplace operation: {name!r}, saved by {self.name()}, "
                    f"is at version {counter.count}; expected version {version} instead.",
                    code="saved_tensor_modified",
                )
            if isinstance(payload, (bool, int, float, complex)):
                values[name] = payload
            elif arithmetic is ARRAYS:
                values[name] = self._kind._wrap(payload)
            else:
                edge = (self, origin, *self.outs[origin]) if isinstance(origin, int) else origin
                values[name] = recorder._with_history(payload, edge)
        return values

    def _check_shape(self, position: int, have: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        try:
            fits = broadcast(have, wanted) == have
        except TensorRuntimeError:
            fits = False
        if not fits:
            raise TensorRuntimeError(
                f"Function {self.name()} returned an invalid gradient at index {position} "
                f"- got {list(have)} but expected shape compatible with {list(wanted)}",
                code="shape_mismatch",
            )


def _outputs(function: Function, given: Mapping[str, Any], run: Runner) -> list[Value]:
    """The outputs of the forward program, without history."""
    with no_grad():
        done = run(function.forward, {n: v.detach() if isinstance(v, Value) else v for n, v in given.items()})
    results: list[Value] = []
    for name in function.forward.outputs:
        value = done[name]
        if not isinstance(value, Value):
            raise TensorTypeError(
                f"The output {name!r} of the function {function.name!r} is a number; a function returns tensors.", code="argument_type"
            )
        # A handle of its own: an output that is an input handed through must not change that input's history.
        results.append(value.detach())
    return results


def call_function(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], run: Runner) -> Any:
    """Calls a custom function on tensors: a tensor, or a tuple where it has several outputs.

    Args:
        function: The function.
        args: Its inputs by position.
        kwargs: Its inputs by name.
        run: Runs a body on named values.

    Raises:
        TensorTypeError: An input is missing, unknown or no tensor.
    """
    names = function.forward.inputs
    if len(args) > len(names):
        raise TensorTypeError(f"{function.name}() takes {len(names)} positional arguments but {len(args)} were given", code="arity")
    given = dict(zip(names, args, strict=False))
    for key, value in kwargs.items():
        if key not in names:
            raise TensorTypeError(f"{function.name}() got an unexpected keyword argument '{key}'", code="unknown_argument")
        if key in given:
            raise TensorTypeError(f"{function.name}() got multiple values for argument '{key}'", code="duplicate_argument")
        given[key] = value
    for position, name in enumerate(names):
        if name not in given:
            raise TensorTypeError(f"{function.name}() missing the required argument '{name}'", code="arity")
        if not is_tensor(given[name]) and not isinstance(given[name], (bool, int, float, complex)):
            raise TensorTypeError(
                f"{function.name}(): argument '{name}' (position {position + 1}) must be Tensor, not {type(given[name]).__name__}",
                code="argument_type",
                pointer=f"/{name}",
            )
    inputs = [given[name] for name in names]
    level = kind_of(inputs)
    results = _outputs(function, given, run) if level is None else call_on_batch(function, inputs, run, level)
    needed = any(isinstance(v, Value) and v.requires_grad for v in inputs)
    if needed and GRAD_MODE.get() and any(is_differentiable(r._data.dtype) for r in results):
        node = FunctionNode(function, inputs, results, run)
        for index, result in enumerate(results):
            if is_differentiable(result._data.dtype):
                result._node, result._index, result._requires_grad = node, index, True
    return results[0] if len(results) == 1 else tuple(results)
