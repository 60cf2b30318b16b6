"""Plans: a trace compiled to straight-line Python for one set of shapes and dtypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, dtype_of
from ..errors import TensorRuntimeError
from ..quiet import quiet
from ..stopping import check
from ..symbolic import Trace
from .accumulate import accumulate
from .emit import Source
from .evaluate import empty_like
from .fold import fold
from .fuse import fuse
from .ir import Graph, Term
from .layouts import settle
from .lower import lower
from .merge import merge
from .prune import prune
from .rewrite import rewrite
from .runs import Run
from .simplify import simplify

Pass = Callable[[Graph], Graph]


def tidy(graph: Graph) -> Graph:
    """The graph with constants folded, steps simplified and equal ones done once.

    Args:
        graph: The graph.
    """
    return rewrite(graph, fold, simplify, merge)


PASSES: tuple[Pass, ...] = (tidy, prune, settle, accumulate, fuse)
"""What a graph goes through."""


class Plan:
    """A compiled trace: called with arrays, it gives arrays that are the caller's own.

    Calls may run at the same time, in any threads; none waits for another.

    Args:
        graph: What is to be computed, after the passes.

    Attributes:
        source: The Python that runs.
        nbytes: What the plan holds in memory between calls, at most.
        peak_bytes: What one call takes, at most, beside what an operation takes for itself.
        calls: The number of NumPy calls.
        asks_context: Whether a call asks the caller's context for a random generator or a default dtype.
    """

    def __init__(self, graph: Graph) -> None:
        emitted = Source(graph)
        self.source = "".join(emitted.texts)
        self.calls = emitted.calls
        self.peak_bytes = emitted.peak_bytes
        self.nbytes = emitted.constant_bytes + emitted.recipe.kept * emitted.recipe.nbytes + 20 * len(self.source)
        self._inputs = graph.inputs
        self._runs: list[Run] = [s.function for s in graph.steps if s.kind == "run"]
        self.asks_context = emitted.asks_context
        pool = emitted.recipe.pool()
        names = {
            **emitted.names,
            "__builtins__": {"IndexError": IndexError, "float": float},
            "pop": pool.pop,
            "push": pool.append,
            "make": emitted.recipe.make,
            "fit": self._fit,
        }
        for text in emitted.texts:
            check()
            exec(compile(text, "<plan>", "exec"), names)
        self._run: Callable[[Sequence[Any]], list[Array]] = names["run"]

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        """Computes the outputs.

        Args:
            arrays: One per input, of its shape and dtype; they are not written to.

        Returns:
            The outputs, new arrays that share memory with nothing.

        Raises:
            TensorRuntimeError: The number of arrays, a shape or a dtype is another.
            GradwireError: A kernel refuses the elements, or the computation was stopped.
        """
        if len(arrays) != len(self._inputs):
            raise TensorRuntimeError(f"The plan takes {len(self._inputs)} arrays, but got {len(arrays)}.", code="length_mismatch")
        if not self.asks_context:
            found: list[Array] = quiet.run(self._run, arrays)
            return found
        with np.errstate(all="ignore"):
            return self._run(arrays)

    def make_native(self) -> bool:
        """Has machine code do the long elementwise runs from now on, without waiting until they have been called often enough.

        Returns:
            Whether it does them all, but for those inside of operations. Without llvmlite, and for what LLVM is not given, NumPy goes on.
        """
        for run in self._runs:
            run.make_native()
        return all(run.is_native for run in self._runs)

    def _fit(self, position: int, array: Any) -> Array:
        """An input in the layout that the plan was compiled for."""
        term: Term = self._inputs[position]
        if array.shape != term.shape or array.dtype != term.dtype:
            raise TensorRuntimeError(
                f"Input {position} of the plan has the shape {list(term.shape)} and the dtype {dtype_of(term.dtype).name}, "
                f"but got {list(array.shape)} and {array.dtype.name}.",
                code="shape_mismatch" if array.shape != term.shape else "dtype_mismatch",
            )
        made = empty_like(term)
        np.copyto(made, array)
        return made


def optimise(graph: Graph) -> Graph:
    """The graph after all passes.

    Args:
        graph: The graph as it was lowered.
    """
    for step in PASSES:
        check()
        graph = step(graph)
    return graph


def compile_trace(trace: Trace) -> Plan:
    """Compiles a trace.

    Args:
        trace: What was recorded, on symbols of the shapes and dtypes that the plan will be called with.
    """
    return Plan(optimise(lower(trace)))
