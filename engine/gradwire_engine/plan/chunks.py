"""An operation that runs a trace again and again: for the rows of a Jacobian that do not all fit into memory at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..meta import dense
from ..op import Op, op
from ..params import Tensor
from ..stopping import check
from ..symbolic import Form, Instruction, Trace, Variable

if TYPE_CHECKING:
    from .interpreted import Interpreted
    from .plan import Plan

_FACTS: Final[dict[str, Any]] = {
    **{name: parameter.default for name, parameter in signature(op).parameters.items()},
    "name": "_in_chunks",
    "promotion": "none",
    "numbers": False,
    "vjp": {},
    "elementwise": False,
    "inplace": False,
    "method": False,
    "variable_outputs": True,
    # Plans are called in the caller's context, as are kernels that make tensors.
    "creation": True,
}
"""What is declared of it, for the rest as of every op: it has neither rules nor names of its own."""


class InChunks(Op):
    """Rows of results that a trace computes a chunk at a time.

    Args:
        trace: Computes the rows whose numbers its first input has. Its other inputs are the same for all rows.
        rows: How many rows there are.
        count: How many the trace computes at once; the last chunk begins where it has as many, so that some rows are computed again.
        axes: For each output of the trace the dimension that the rows are.

    Attributes:
        trace: As given.
        chunks: How often the trace is run.
        outs: The results.
    """

    def __init__(self, trace: Trace, rows: int, count: int, axes: Sequence[int]) -> None:
        super().__init__(self._compute, **_FACTS)
        self.trace = trace
        self.chunks = -(-rows // count)
        self._rows = rows
        self._count = count
        self._axes = tuple(axes)
        metas = [variable.meta for variable in trace.outputs]
        self.outs = tuple(
            Variable(dense((*m.shape[:axis], rows, *m.shape[axis + 1 :]), m.dtype)) for m, axis in zip(metas, axes, strict=True)
        )

    @cached_property
    def plan(self) -> Plan | Interpreted:
        """What computes a chunk."""
        from .interpreted import compiled_or_interpreted

        return compiled_or_interpreted(self.trace)

    @property
    def calls(self) -> int:
        """The number of NumPy calls."""
        return self.chunks * self.plan.calls

    def instruction(self) -> Instruction:
        """The call of this on what the trace takes beside the numbers of rows."""
        return Instruction(self, (tuple(self.trace.inputs[1:]),), self.outs, Form(tuple([out.meta for out in self.outs])))

    def _compute(self, operands: list[Tensor]) -> tuple[Any, ...]:
        made = [np.empty(out.shape, out.dtype) for out in self.outs]
        for chunk in range(self.chunks):
            check()
            first = min(chunk * self._count, self._rows - self._count)
            numbers = np.arange(first, first + self._count)
            for out, axis, found in zip(made, self._axes, self.plan([numbers, *operands]), strict=True):
                out[(*(slice(None),) * axis, slice(first, first + self._count))] = found
        return tuple(made)


def split(recorded: Trace, outer: Trace, rows: int, count: int, axes: Sequence[int]) -> InChunks:
    """Adds what was recorded for a chunk of rows to a trace, as an operation that computes all rows.

    What does not depend on which rows they are is done once.

    Args:
        recorded: What was recorded; its only input has the numbers of the rows.
        outer: The trace.
        rows: How many rows there are.
        count: How many were recorded.
        axes: For each output the dimension that the rows are.

    Returns:
        The operation, which has the variables of its results.
    """
    depends = set(recorded.inputs)
    inside = Trace()
    for instruction in recorded.instructions:
        if any(v in depends for v in _variables(instruction.values)):
            inside.instructions.append(instruction)
            depends.update(instruction.outs)
        else:
            outer.instructions.append(instruction)
    read = [*[v for i in inside.instructions for v in _variables(i.values)], *recorded.outputs]
    inside.inputs = [*recorded.inputs, *dict.fromkeys(v for v in read if v not in depends and v.constant is None)]
    inside.outputs = recorded.outputs
    made = InChunks(inside, rows, count, axes)
    outer.instructions.append(made.instruction())
    return made


def operations_of(trace: Trace) -> int:
    """The number of operations of a trace, those that run in chunks counted once.

    Args:
        trace: What was recorded.
    """
    return len(trace.instructions) + sum(len(i.op.trace.instructions) for i in trace.instructions if isinstance(i.op, InChunks))


def _variables(values: Iterable[Any]) -> Iterator[Variable]:
    for value in values:
        if isinstance(value, Variable):
            yield value
        elif isinstance(value, tuple):
            yield from _variables(value)
