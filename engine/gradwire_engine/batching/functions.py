"""Custom functions on a batch: their programs run on batched values, the backward one too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..op import ops
from ..program import Body, Function
from ..tensor import Tensor
from ..value import Value
from ..walk_arithmetic import sum_to_shape
from .batch import Batch, Batched, depth_of, level
from .vmap import unstacked

if TYPE_CHECKING:
    from ..custom import Runner


def kind_of(values: Sequence[Any]) -> type[Batched] | None:
    """The deepest level among values, ``None`` where nothing is batched."""
    kinds = [type(v) for v in values if isinstance(v, Batched)]
    return max(kinds, key=lambda kind: kind.depth) if kinds else None


def call_on_batch(function: Function, inputs: Sequence[Any], run: Runner, kind: type[Batched]) -> list[Value]:
    """The outputs of a custom function for every item, without a history on the level of ``kind``.

    Below that level it is a call of the same function, whose programs run on a batch.
    """
    from ..custom import call_function

    batches = [v._data if isinstance(v, kind) else v for v in inputs]
    sizes = [int(b.value._data.shape[0]) for b in batches if isinstance(b, Batch) and b.mapped]
    below = [b.value if isinstance(b, Batch) else b for b in batches]
    runner = _Mapped(function, [isinstance(b, Batch) and b.mapped for b in batches], below, sizes[0], run) if sizes else run
    result = call_function(function, below, {}, runner)
    return [kind._wrap(Batch(r, bool(sizes))) for r in (result if isinstance(result, tuple) else (result,))]


class _Mapped:
    """Runs the bodies of a function on a batch.

    Args:
        function: The function.
        pattern: Which of its inputs are mapped.
        inputs: The inputs.
        size: How many items there are.
        run: Runs a body on values.
    """

    def __init__(self, function: Function, pattern: Sequence[bool], inputs: Sequence[Any], size: int, run: Runner) -> None:
        self._function = function
        same = [name for name, mapped in zip(function.forward.inputs, pattern, strict=True) if not mapped]
        self._same = {*same, *[f"tangent_{name}" for name in same]}
        self._outputs: dict[str, tuple[int, ...]] = {}
        self._shapes = [
            tuple(x._data.shape[1:] if mapped else x._data.shape) if isinstance(x, Value) else ()
            for x, mapped in zip(inputs, pattern, strict=True)
        ]
        self._size = size
        self._run = run

    def __call__(self, body: Body, values: dict[str, Any]) -> dict[str, Any]:
        """The outputs of a body, for the backward one the gradients and for the forward-mode one the tangents, for all items."""
        kind = level(depth_of(values.values()) + 1)
        done = self._run(body, {name: self._batched(kind, name, value) for name, value in values.items()})
        if body is self._function.forward:
            self._outputs = {name: tuple(done[name].shape) for name in body.outputs if isinstance(done[name], Value)}
            return {name: self._below(kind, done[name]) for name in body.outputs}
        if body is self._function.jvp:
            tangents = zip(self._function.forward.outputs, self._function.tangents, strict=True)
            return {name: self._below(kind, _spread(done[name], self._outputs[output])) for output, name in tangents if name is not None}
        pairs = zip(self._function.gradients, self._shapes, strict=True)
        return {name: self._below(kind, _of_shape(done[name], shape)) for name, shape in pairs if name is not None}

    def _batched(self, kind: type[Batched], name: str, value: Any) -> Any:
        if isinstance(value, (bool, int, float, complex)):
            return value
        return kind._wrap(Batch(value if isinstance(value, Value) else Tensor._lift(value), name not in self._same))

    def _below(self, kind: type[Batched], value: Any) -> Any:
        return unstacked(value, kind, self._size) if isinstance(value, Value) else value


def _spread(tangent: Any, shape: tuple[int, ...]) -> Any:
    """A tangent in the shape of the item's output, for as far as it can be broadcast to that."""
    have = tuple(tangent.shape) if isinstance(tangent, Value) else shape
    fits = len(have) <= len(shape) and all(n in (1, s) for s, n in zip(shape[len(shape) - len(have) :], have, strict=True))
    return ops.expand(tangent, shape) if fits and have != shape else tangent


def _of_shape(g: Any, shape: tuple[int, ...]) -> Any:
    """A gradient summed to the shape of the item's input, for as far as it is a broadcast form of that."""
    have = tuple(g.shape)
    fits = len(have) >= len(shape) and all(s in (1, n) for s, n in zip(shape, have[len(have) - len(shape) :], strict=True))
    return sum_to_shape(g, shape) if fits and have != shape else g
