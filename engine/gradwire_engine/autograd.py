"""``torch.autograd``: ``backward`` and ``grad``, and the checks of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .dtypes import dtype_of, is_differentiable
from .errors import TensorRuntimeError, TensorTypeError, TensorValueError
from .modes import enable_grad as enable_grad
from .modes import no_grad as no_grad
from .modes import set_grad_enabled as set_grad_enabled
from .node import Node, edge_of
from .op import ops
from .stopping import watched
from .value import Value
from .walk import Suspension, Walk
from .walk_arithmetic import ARRAYS


def as_list(values: Any) -> list[Any]:
    """The one tensor, or all that a sequence has.

    Raises:
        TensorTypeError: It is neither (torch's message).
    """
    if isinstance(values, Value):
        return [values]
    try:
        return list(values)
    except TypeError as error:
        raise TensorTypeError(str(error)) from None


def prepare(outputs: Sequence[Value], gradients: Sequence[Any], create_graph: bool) -> list[tuple[Node, int, Any]]:
    """The starting points of a walk: node, output number and cotangent of every output.

    Raises:
        TensorRuntimeError: An output has no graph, or a cotangent is missing or of another shape (torch's messages).
    """
    roots: list[tuple[Node, int, Any]] = []
    for i, (output, gradient) in watched(enumerate(zip(outputs, gradients, strict=False))):
        if gradient is not None and not isinstance(gradient, Value):
            raise TensorTypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
        if not output.requires_grad:
            raise TensorRuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn", code="no_grad_fn")
        if gradient is None:
            if output.numel() != 1:
                raise TensorRuntimeError("grad can be implicitly created only for scalar outputs", code="gradient_required")
            if not is_differentiable(output._data.dtype) or output._data.dtype.kind == "c":
                raise TensorRuntimeError(
                    f"grad can be implicitly created only for real scalar outputs but got torch.{dtype_of(output._data.dtype).name}",
                    code="gradient_required",
                )
            gradient = ops.ones_like(output.detach())
        else:
            if gradient._data.shape != output._data.shape:
                raise TensorRuntimeError(
                    f"Mismatch in shape: grad_output[{i}] has a shape of "
                    f"{gradient.shape!r} and output[{i}] has a shape of {output.shape!r}.",
                    code="shape_mismatch",
                )
            if (gradient._data.dtype.kind == "c") != (output._data.dtype.kind == "c"):
                raise TensorRuntimeError(
                    "For complex Tensors, both grad_output and output are required to have the same dtype. "
                    f"Mismatch in dtype: grad_output[{i}] has a dtype of "
                    f"{gradient.dtype!r} and output[{i}] has a dtype of {output.dtype!r}.",
                    code="dtype_mismatch",
                )
            if gradient._data.dtype != output._data.dtype:
                gradient = gradient.to(output.dtype)
        edge = edge_of(output)
        roots.append((edge[0], edge[1], gradient))
    if len(outputs) != len(gradients):
        raise TensorRuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients", code="length_mismatch")
    return roots


def _walk(
    outputs: Sequence[Value], gradients: Sequence[Any], retain_graph: bool | None, create_graph: bool, inputs: Sequence[Value] | None
) -> Walk:
    roots = prepare(outputs, gradients, create_graph)
    targets = None
    if inputs is not None:
        # After the outputs, as torch looks at them.
        _require_grad(inputs)
        targets = [edge_of(i)[:2] for i in inputs]
    kind = outputs[0]._recorder
    walk = Walk(
        roots,
        kind=kind,
        create_graph=create_graph,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        targets=targets,
        recorded=any(g._recorder is not kind for _, _, g in roots),
    )
    if walk.arithmetic is ARRAYS:
        roots[:] = [(node, index, g._data) for node, index, g in roots]
    return walk


class Pass:
    """A backward pass that can be done in steps, because some of its nodes or hooks wait for an answer from outside.

    Between its steps it holds no lock, no thread and no mode, so they may be taken in different threads, one at a time.

    Args:
        walk: The walk, which is not to be advanced but by the pass.
        finish: Makes the result of what the walk captured.
    """

    def __init__(self, walk: Walk, finish: Callable[[Walk], Any]) -> None:
        self.walk = walk
        self.create_graph = walk.create_graph
        self._finish = finish

    def advance(self, response: Any = None) -> Suspension | None:
        """Goes on to the next suspension.

        Args:
            response: The answer to the last suspension; nothing at first.

        Returns:
            Where the pass waits now, ``None`` at its end.

        Raises:
            GradwireError: A node cannot be run, or the answer does not fit.
        """
        return self.walk.advance(response)

    def close(self) -> None:
        """Gives up."""
        self.walk.close()

    def kept(self) -> Iterator[Any]:
        """The gradients that the pass holds between two steps: payloads, or values where it is recorded."""
        return self.walk.kept()

    def finish(self) -> Any:
        """The result, once ``advance`` has come to the end."""
        return self._finish(self.walk)

    def run(self) -> Any:
        """Takes all steps at once and gives the result.

        Raises:
            TensorRuntimeError: A step needs an answer from outside.
        """
        self.walk.run()
        return self._finish(self.walk)


def start_backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
) -> Pass:
    """``backward`` as a pass that has yet to be taken; the arguments are checked."""
    outputs = as_list(tensors)
    gradients = as_list(grad_tensors) if grad_tensors is not None else [None] * len(outputs)
    wanted = None
    if inputs is not None:
        wanted = as_list(inputs)
        if not wanted:
            raise TensorRuntimeError("`inputs` argument to `backward()` cannot be empty.")

    def finish(walk: Walk) -> None:
        for tensor, place in zip(wanted or (), walk.targets, strict=True):
            g = walk.captured.get(place)
            if g is not None:
                tensor._accumulate(walk._value(g))

    return Pass(_walk(outputs, gradients, retain_graph, create_graph, wanted), finish)


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
        TensorRuntimeError: A tensor has no graph, or the graph was freed or changed.
    """
    start_backward(tensors, grad_tensors, retain_graph, create_graph, inputs).run()


def start_grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> Pass:
    """``grad`` as a pass that has yet to be taken; the arguments are checked."""
    outs = as_list(outputs)
    wanted = as_list(inputs)
    gradients = as_list(grad_outputs) if grad_outputs is not None else [None] * len(outs)
    if not wanted:
        raise TensorRuntimeError("`inputs` argument to `grad()` cannot be empty.")
    check_unused(allow_unused, materialize_grads)

    def finish(walk: Walk) -> tuple[Any, ...]:
        results: list[Any] = []
        for i, (tensor, place) in enumerate(zip(wanted, walk.targets, strict=True)):
            g = walk.captured.get(place)
            if g is None and not allow_unused and not materialize_grads:
                raise TensorRuntimeError(
                    f"The differentiated Tensor at index {i} appears to not have been used in the graph. "
                    "Set allow_unused=True if this is the desired behavior.",
                    code="unused_input",
                )
            if g is None:
                results.append(ops.zeros_like(tensor.detach()) if materialize_grads else None)
            else:
                results.append(walk._value(g))
        return tuple(results)

    return Pass(_walk(outs, gradients, retain_graph, create_graph, wanted), finish)


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
        TensorRuntimeError: A tensor has no graph, an input was not used, or the graph was freed or changed.
    """
    if not is_grads_batched:
        found: tuple[Any, ...] = start_grad(
            outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads
        ).run()
        return found
    from .batching.rows import of_each_row

    gradients = as_list(grad_outputs) if grad_outputs is not None else [None] * len(as_list(outputs))
    size = batch_size(gradients)
    return of_each_row(
        lambda rows: start_grad(outputs, inputs, rows, retain_graph, create_graph, allow_unused, materialize_grads).run(),
        gradients,
        as_list(outputs),
        size,
    )


def batched(each: Callable[[list[Any]], tuple[Any, ...]], gradients: Sequence[Any]) -> tuple[Any, ...]:
    """Maps ``each`` over the leading axis of the cotangents and stacks the gradients that it gives.

    Args:
        each: Gives the gradients for one list of cotangents, ``None`` for an input that was not used.
        gradients: The stacked cotangents, ``None`` for ones.

    Raises:
        TensorRuntimeError: The leading axes differ.
    """
    found = [each([None if g is None else g[k] for g in gradients]) for k in range(batch_size(gradients))]
    return tuple(None if column[0] is None else ops.stack(list(column)) for column in zip(*found, strict=True))


def check_unused(allow_unused: bool | None, materialize_grads: bool) -> None:
    """Refuses to fill in zeros for inputs that must not be left out.

    Raises:
        TensorValueError: Both were asked for.
    """
    if allow_unused is False and materialize_grads:
        raise TensorValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.")


def walk_back(
    outputs: Sequence[Value],
    gradients: Sequence[Any],
    targets: Sequence[Value],
    *,
    create_graph: bool = False,
    retain_graph: bool | None = None,
) -> list[Any]:
    """The gradients of ``outputs`` with respect to ``targets``, ``None`` for what was not reached.

    Args:
        outputs: Where the walk starts.
        gradients: Their cotangents; ``None`` stands for ones.
        targets: Leaves or intermediates.
        create_graph: Whether the gradients are themselves recorded.
        retain_graph: Whether saved tensors are kept for another walk; defaults to ``create_graph``.

    Raises:
        TensorRuntimeError: An output has no graph, or a cotangent is missing or does not fit.
    """
    walk = _walk(outputs, gradients, retain_graph, create_graph, targets)
    captured = walk.run()
    return [walk._value(captured.get(place)) for place in walk.targets]


def _require_grad(tensors: Sequence[Any]) -> None:
    for tensor in tensors:
        if not isinstance(tensor, Value):
            raise TensorRuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(tensor).__name__}")
        if not tensor.requires_grad:
            raise TensorRuntimeError("One of the differentiated Tensors does not require grad", code="no_grad_fn")


def batch_size(gradients: Sequence[Any]) -> int:
    """How many rows stacked cotangents have.

    Raises:
        TensorRuntimeError: The leading axes differ, or there is none.
    """
    sizes = {len(g) for g in gradients if g is not None}
    if len(sizes) != 1:
        raise TensorRuntimeError(
            "With is_grads_batched=True, grad_outputs must be tensors with leading axes of one size.", code="shape_mismatch"
        )
    return int(sizes.pop())


from .function import Function as Function  # noqa: E402 - so that it is found at torch's place
from .function import once_differentiable as once_differentiable  # noqa: E402
from .gradcheck import gradcheck as gradcheck  # noqa: E402 - the checks call grad
from .gradcheck import gradgradcheck as gradgradcheck  # noqa: E402
