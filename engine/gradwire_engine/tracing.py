"""Programs on symbols: what a program consists of, for inputs of given shapes.

What is recorded is a ``Trace``, which can be measured, run and compiled. A program whose shapes depend on values has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import GradwireError, LimitError, ProgramError, Stopped, ValueNeeded
from .execute import Runner
from .modes import PURE
from .op import Op, Overloads
from .program import Constant, Function, Node
from .symbolic import Symbol, Trace
from .value import Value

Steps = Callable[[Trace, Runner], Sequence[Value]]
"""What is recorded: given the trace, which makes symbols for inputs, and what runs programs on those, it returns the outputs."""


class DataDependentShape(ProgramError):
    """A node of a program that cannot be recorded, because what it does depends on the values of its arguments."""

    code = "data_dependent_shape"


def record(steps: Steps, *, nodes: int, check: Callable[[], None]) -> Trace:
    """Records what is done with programs and their inputs.

    Args:
        steps: Runs programs on symbols, and perhaps differentiates the results.
        nodes: The most instructions that may be recorded.
        check: Called before every node of a program; what it raises ends the recording.

    Raises:
        DataDependentShape: A shape depends on values.
        LimitError: There are more instructions.
        GradwireError: A node cannot run on these shapes; ``pointer`` leads to it.
    """
    trace = Trace()
    token = PURE.set(True)
    try:
        with trace.recording():
            outputs = steps(trace, _Recorder(trace, nodes, check))
            trace.outputs = [value._data if isinstance(value, Symbol) else Symbol._lift(value)._data for value in outputs]
    finally:
        PURE.reset(token)
    return trace


class _Recorder(Runner):
    """Runs programs on symbols and refuses what a trace cannot hold."""

    def __init__(self, trace: Trace, nodes: int, check: Callable[[], None]) -> None:
        super().__init__(check)
        self._trace = trace
        self._nodes = nodes

    def run_node(self, node: Node, values: Mapping[str, Any]) -> Any:
        """Runs one node."""
        instructions = self._trace.instructions
        before = len(instructions)
        try:
            result = super().run_node(node, values)
        except ValueNeeded:
            raise self._refusal(node) from None
        except (LimitError, Stopped, DataDependentShape):
            raise
        except GradwireError:
            # Such a symbol has the upper bound of its shape, which may fit where the shape does not, or the other way around.
            if any(instruction.op.data_dependent for instruction in instructions[before:]):
                raise self._refusal(node) from None
            raise
        if any(instruction.op.data_dependent for instruction in instructions[before:]):
            raise self._refusal(node)
        if len(instructions) > self._nodes:
            raise LimitError(
                f"The program consists of more than the {self._nodes:,} operations that are allowed, those of its parts and of its "
                "gradients included.",
                code="too_many_nodes",
            )
        return result

    def constant(self, constant: Constant) -> Any:
        """A symbol for the constant, so that nothing is computed while it is recorded."""
        return Symbol._lift(constant.array)

    def _refusal(self, node: Node) -> DataDependentShape:
        return DataDependentShape(
            f"What {_name_of(node.op)} gives here has a shape that depends on values, but a function is made ready for shapes alone. "
            "Use torch.where or masked_fill, which keep the shape; POST /v1/evaluate takes such a program as it is."
        )


def _name_of(target: Op | Overloads | Function) -> str:
    return f"functions.{target.name}" if isinstance(target, Function) else target.name
