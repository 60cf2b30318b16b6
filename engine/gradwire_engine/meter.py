"""What a program would cost, found on symbols before anything is allocated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .errors import GradwireError, LimitError, ValueNeeded
from .execute import Guard, Runner, Values, locate, store
from .limits import Limits
from .meta import Meta, meta_of_array
from .modes import no_grad
from .op import Op
from .plan.chunks import InChunks
from .program import Body, Constant, Node
from .shapes import infer
from .symbolic import Form, Instruction, Trace, Variable
from .tensor import Tensor
from .work import work_of


class Cost:
    """What one operation takes.

    Args:
        op: The op.
        arguments: One per parameter, a ``Meta`` (or a tuple of them, or a Python number) for every tensor slot.
        outs: The metas of its results.

    Attributes:
        scratch: The bytes that its kernel needs beside the results, ``None`` where that is not said.
        sizes: The bytes and the shape of each result.
        work: Its multiply-adds.
    """

    __slots__ = ("scratch", "sizes", "work")

    def __init__(self, op: Op, arguments: Sequence[Any], outs: Sequence[Meta]) -> None:
        self.scratch = None if op.scratch is None else op.scratch(*[arguments[i] for i in op.scratch_positions])
        self.sizes = [(meta.nbytes, meta.shape) for meta in outs]
        self.work = work_of(op, arguments, outs)


class Meter(Runner):
    """Runs a program on symbols and refuses it if it is too large.

    A result whose shape depends on values is only known when it is there: from such a node on, and inside the backward
    programs of custom functions, every node is measured just before it runs (``before``).

    Args:
        limits: The bounds.
        check: Called before every node; it raises to stop.
        backward: Whether gradients will be computed, which may take as much memory again, and twice the work.

    Attributes:
        bytes: The memory that has been counted so far.
        work: The work that has been counted so far.
        outputs: The number of tensors that has been counted so far.
        largest: The size of the largest of them, and of the largest scratch space.
    """

    def __init__(self, limits: Limits, check: Callable[[], None], *, backward: bool) -> None:
        super().__init__(check)
        self._limits = limits
        self._factor = 2 if backward else 1
        self._repeats = 3 if backward else 1
        self.bytes = 0
        self.work = 0
        self.outputs = 0
        self.largest = 0
        self._trace = Trace()
        self._measured: set[int] = set()
        self._costs: dict[Form, Cost] = {}

    def measure(self, body: Body, inputs: Mapping[str, Tensor]) -> None:
        """Follows the shapes through the program.

        Raises:
            LimitError: A tensor or the whole is too large.
            GradwireError: A node cannot run on these shapes.
        """
        values: Values = {}
        for name, tensor in inputs.items():
            meta = meta_of_array(tensor._data)
            self._bound(meta.nbytes, f"The input {name!r}", meta.shape)
            self._add(meta.nbytes, f"The input {name!r}")
            values[name] = self._trace.input(meta)
        unknown: set[str] = set()
        with no_grad(), self._trace.recording():
            for node in body.nodes:
                self._check()
                known = not any(name in unknown or name.partition(".")[0] in unknown for name in node.references())
                try:
                    if known and self._count(node, values):
                        self._measured.add(id(node))
                        continue
                except GradwireError as error:
                    raise locate(error, node) from None
                unknown.update([node.names] if isinstance(node.names, str) else [n for n in node.names if n is not None])

    def measure_trace(self, trace: Trace) -> None:
        """Counts what was recorded, and the answer.

        Raises:
            LimitError: A tensor or the whole is too large.
        """
        for variable in trace.inputs:
            self._bound(variable.meta.nbytes, "An input", variable.shape)
            self._add(variable.meta.nbytes, "An input")
        for instruction in trace.instructions:
            self._check()
            self._add_instruction(instruction)
        for variable in trace.outputs:
            self._bound(variable.meta.nbytes, "An output", variable.shape)
            self._grow(variable.meta.nbytes, "The answer")

    def run(self, body: Body, values: Values) -> Values:
        """Runs the body of a custom function on symbols: its nodes are measured with the call."""
        super().run(body, values)
        if not any(instruction.op.data_dependent for instruction in self._trace.instructions):
            self._measured.update(id(node) for node in body.nodes)
        return values

    def before(self, node: Node, values: Values) -> Guard | None:
        """Measures a node that could not be measured ahead, now that its arguments are there.

        Returns:
            A guard for its operations, if they look at values and so can only be measured one by one.
        """
        if id(node) in self._measured:
            return None
        symbols: Values = {}
        for name in node.references():
            value = values.get(name)
            if isinstance(value, Tensor):
                symbols[name] = self._trace.input(meta_of_array(value._data))
            elif name in values:
                symbols[name] = value
        with no_grad(), self._trace.recording():
            return None if self._count(node, symbols) else self._guard

    def _guard(self, op: Op, operands: Sequence[Any]) -> None:
        metas = [_metas(v) if i in op.tensor_slots else v for i, v in enumerate(operands)]
        self._add_cost(op, Cost(op, metas, infer(op, metas)))

    def constant(self, constant: Constant) -> Any:
        """A symbol in place of the constant."""
        return self._trace.input(meta_of_array(constant.array))

    def _count(self, node: Node, values: Values) -> bool:
        """Adds the cost of one node; whether the shapes of its results are known."""
        instructions = self._trace.instructions
        try:
            result = self.run_node(node, values)
        except ValueNeeded:
            instructions.clear()
            return False
        except LimitError:
            raise
        except GradwireError:
            # Behind a shape that depends on values the symbols have its upper bound, which may fit where the shape does not.
            if any(instruction.op.data_dependent for instruction in instructions):
                instructions.clear()
                return False
            raise
        known = not any(instruction.op.data_dependent for instruction in instructions)
        for instruction in instructions:
            self._add_instruction(instruction)
        instructions.clear()
        if known:
            store(node, result, values)
        return known

    def _add_instruction(self, instruction: Instruction) -> None:
        op = instruction.op
        cost = self._costs.get(instruction.form)
        if cost is None:
            metas = [_metas(v) if i in op.tensor_slots else v for i, v in enumerate(instruction.values)]
            cost = self._costs[instruction.form] = Cost(op, metas, instruction.form.metas)
        self._add_cost(op, cost)
        if isinstance(op, InChunks):
            # One chunk is held at a time, and the work is that of all.
            repeats, self._repeats = self._repeats, self._repeats * op.chunks
            for part in op.trace.instructions:
                self._add_instruction(part)
            self._repeats = repeats

    def _add_cost(self, op: Op, cost: Cost) -> None:
        """Adds the cost of one operation."""
        self.outputs += len(cost.sizes)
        if self.outputs > self._limits.nodes:
            raise LimitError(
                f"{op.full_name} would bring the program to {self.outputs:,} "
                f"tensors, more than the {self._limits.nodes:,} that are allowed.",
                code="too_many_nodes",
            )
        if cost.scratch is not None:
            self.largest = max(self.largest, cost.scratch)
            if cost.scratch > self._limits.tensor_bytes:
                raise LimitError(
                    f"{op.full_name} would need {cost.scratch:,} bytes for its work on these arguments, more than the "
                    f"{self._limits.tensor_bytes:,} bytes that a tensor may take.",
                    code="tensor_too_large",
                )
        what = f"The result of {op.full_name}"
        for nbytes, shape in cost.sizes:
            # A view takes no memory, but what is done with it will, so its size is bounded like any other.
            self._bound(nbytes, what, shape)
            if not op.view:
                self._add(nbytes, what)
        self.work += cost.work * self._repeats
        if self.work > self._limits.work:
            raise LimitError(
                f"{op.full_name} would bring the work of the program to {self.work:,} multiply-adds, "
                f"more than the {self._limits.work:,} that are allowed.",
                code="too_much_work",
            )

    def answer(self, tensors: Iterable[Tensor]) -> None:
        """Counts the tensors that will be written into the answer; a view is written in full.

        Raises:
            LimitError: The whole is too large.
        """
        for tensor in tensors:
            self._grow(meta_of_array(tensor._data).nbytes, "The answer")

    def _bound(self, nbytes: int, what: str, shape: Sequence[int]) -> None:
        self.largest = max(self.largest, nbytes)
        if nbytes > self._limits.tensor_bytes:
            elements = math.prod(shape)
            taken = f"take {nbytes:,} bytes" if nbytes <= 16 * elements else f"be written with {nbytes:,} bytes of brackets"
            raise LimitError(
                f"{what} would have the shape {list(shape)} with {elements:,} elements and {taken}, more than the "
                f"{self._limits.tensor_bytes:,} bytes that a tensor may take.",
                code="tensor_too_large",
            )

    def _add(self, nbytes: int, what: str) -> None:
        self._grow(nbytes * self._factor, what)

    def _grow(self, nbytes: int, what: str) -> None:
        self.bytes += nbytes
        if self.bytes > self._limits.program_bytes:
            raise LimitError(
                f"{what} would bring the program to {self.bytes:,} bytes, "
                f"more than the {self._limits.program_bytes:,} bytes that a program may take.",
                code="program_too_large",
            )


def _metas(value: Any) -> Any:
    """Arrays and variables as metas; numbers and ``None`` as they are."""
    if isinstance(value, tuple):
        return tuple(_metas(v) for v in value)
    if isinstance(value, Variable):
        return value.meta
    return meta_of_array(value) if isinstance(value, np.ndarray) else value
