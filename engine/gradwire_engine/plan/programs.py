"""From a program to a trace of it and of its backward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..autograd import walk_back
from ..errors import ProgramError, ValueNeeded
from ..execute import Runner, Values
from ..meta import Meta
from ..modes import PURE
from ..program import Body, Constant, Node
from ..stopping import check
from ..symbolic import Symbol, Trace
from ..value import Value
from .lower import data_dependent


class SymbolicRunner(Runner):
    """Runs the nodes of a program on symbols, and refuses those whose shapes depend on values.

    Args:
        trace: What the symbols belong to.
    """

    def __init__(self, trace: Trace) -> None:
        super().__init__(check)
        self._trace = trace

    def constant(self, constant: Constant) -> Any:
        """A symbol of known elements, so that what is done to it is recorded and not done now."""
        return Symbol._lift(constant.array)

    def run_node(self, node: Node, values: Mapping[str, Any]) -> Any:
        """Records one node.

        Raises:
            TensorRuntimeError: The shape of its result depends on values.
        """
        before = len(self._trace.instructions)
        try:
            result = super().run_node(node, values)
        except ValueNeeded as error:
            raise ProgramError(
                f"{error.detail} A function that is compiled for shapes has to be written with torch.where or masked_fill.",
                code="data_dependent_shape",
            ) from None
        for instruction in self._trace.instructions[before:]:
            if instruction.op.data_dependent:
                raise data_dependent(instruction.op)
        return result


def trace_program(
    body: Body,
    metas: Mapping[str, Meta],
    *,
    backward: Sequence[str] = (),
    cotangents: Mapping[str, Meta] | None = None,
    wrt: Sequence[str] = (),
) -> Trace:
    """Records a program, and the gradients of some of its values.

    Args:
        body: The program.
        metas: Shape, dtype and strides of its inputs by name; their order is that of the trace's inputs.
        backward: The values whose gradients are taken; they need not be outputs. None: there is no backward.
        cotangents: For values in ``backward`` that are not differentiated as scalars, the meta of their cotangent, which is one more
            input of the trace, after the others.
        wrt: The values to differentiate by.

    Returns:
        The trace; its outputs are those of the program, then one gradient for each of ``wrt``, zeros where none arrives.

    Raises:
        GradwireError: A node does not fit these shapes, or depends on values; its ``pointer`` leads to the node.
    """
    made = Trace()
    token = PURE.set(True)
    try:
        with made.recording():
            values: Values = {name: made.input(meta) for name, meta in metas.items()}
            for name in wrt:
                if name in metas:
                    values[name].requires_grad_()
            given = {name: made.input(meta) for name, meta in (cotangents or {}).items()}
            SymbolicRunner(made).run(body, values)
            results = [_value(values, name, f"/outputs/{i}") for i, name in enumerate(body.outputs)]
            if backward:
                starts = [_value(values, name, "/backward") for name in backward]
                targets = [_value(values, name, f"/wrt/{i}") for i, name in enumerate(wrt)]
                found = walk_back(starts, [given.get(name) for name in backward], targets)
                results += [_zeros(t) if g is None else g for g, t in zip(found, targets, strict=True)]
            made.outputs = [r._data for r in results]
    finally:
        PURE.reset(token)
    return made


def _zeros(target: Value) -> Value:
    from ..op import ops

    zeros: Value = ops.zeros_like(target.detach())
    return zeros


def _value(values: Values, name: str, pointer: str) -> Value:
    found = values.get(name)
    if not isinstance(found, Value):
        raise ProgramError(f"{name!r} is not the name of one tensor.", code="undefined_name", pointer=pointer)
    return found
