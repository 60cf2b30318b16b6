"""What a program would cost, found on symbols before anything is allocated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .errors import GradwireError, LimitError
from .execute import Runner, Values, locate, store
from .limits import Limits
from .meta import meta_of_array
from .modes import no_grad
from .program import Body, Constant, Node
from .symbolic import Trace
from .tensor import Tensor


class Meter(Runner):
    """Runs a program on symbols and refuses it if it is too large.

    A result whose shape depends on values is only known when it is there: from such a node on, and inside the backward
    programs of custom functions, every node is measured just before it runs (``before``).

    Args:
        limits: The bounds.
        check: Called before every node; it raises to stop.
        backward: Whether gradients will be computed, which may take as much memory again.
    """

    def __init__(self, limits: Limits, check: Callable[[], None], *, backward: bool) -> None:
        super().__init__(check)
        self._limits = limits
        self._factor = 2 if backward else 1
        self._bytes = 0
        self._trace = Trace()
        self._measured: set[int] = set()

    def measure(self, body: Body, inputs: Mapping[str, Tensor]) -> None:
        """Follows the shapes through the program.

        Raises:
            LimitError: A tensor or the whole is too large.
            GradwireError: A node cannot run on these shapes.
        """
        values: Values = {}
        for name, tensor in inputs.items():
            self._bound(tensor._data.nbytes, f"The input {name!r}", tensor._data.shape)
            self._add(tensor._data.nbytes, f"The input {name!r}")
            values[name] = self._trace.input(meta_of_array(tensor._data))
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

    def before(self, node: Node, values: Values, inner: bool) -> None:
        """Measures a node that could not be measured ahead, now that its arguments are there."""
        if id(node) in self._measured:
            return
        symbols: Values = {}
        for name in node.references():
            value = values.get(name)
            if isinstance(value, Tensor):
                symbols[name] = self._trace.input(meta_of_array(value._data))
            elif name in values:
                symbols[name] = value
        with no_grad(), self._trace.recording():
            self._count(node, symbols)

    def constant(self, constant: Constant) -> Any:
        """A symbol in place of the constant."""
        return self._trace.input(meta_of_array(constant.array))

    def _count(self, node: Node, values: Values) -> bool:
        """Adds the cost of one node; whether the shapes of its results are known."""
        result = self.run_node(node, values)
        known = True
        for instruction in self._trace.instructions:
            known = known and not instruction.op.data_dependent
            for out in instruction.outs:
                # A view takes no memory, but what is done with it will, so its size is bounded like any other.
                self._bound(out.meta.nbytes, f"The result of {instruction.op.full_name}", out.meta.shape)
                if not instruction.op.view:
                    self._add(out.meta.nbytes, f"The result of {instruction.op.full_name}")
        self._trace.instructions.clear()
        if known:
            store(node, result, values)
        return known

    def answer(self, tensors: Iterable[Tensor]) -> None:
        """Counts the tensors that will be written into the answer; a view is written in full.

        Raises:
            LimitError: The whole is too large.
        """
        for tensor in tensors:
            self._add(tensor._data.nbytes, "The answer")

    def _bound(self, nbytes: int, what: str, shape: Sequence[int]) -> None:
        if nbytes > self._limits.tensor_bytes:
            raise LimitError(
                f"{what} would have the shape {list(shape)} with {math.prod(shape):,} elements and take {nbytes:,} bytes, more than the "
                f"{self._limits.tensor_bytes:,} bytes that a tensor may take.",
                code="tensor_too_large",
            )

    def _add(self, nbytes: int, what: str) -> None:
        self._bytes += nbytes * self._factor
        if self._bytes > self._limits.program_bytes:
            raise LimitError(
                f"{what} would bring the program to {self._bytes:,} bytes, "
                f"more than the {self._limits.program_bytes:,} bytes that a program may take.",
                code="program_too_large",
            )
