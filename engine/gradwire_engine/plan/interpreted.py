"""Traces that are too long to be compiled: they are run as they are, an instruction at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ..dtypes import Array
from ..symbolic import Trace
from .chunks import InChunks
from .plan import Plan, compile_trace

MOST_COMPILED: Final = 20_000
"""The most operations that are compiled: these take the first call two or three seconds, and the later ones a seventh of their time."""

_INSTRUCTION_BYTES = 2_000


class Interpreted:
    """A trace with the attributes of a plan; calls may run at the same time, in any threads.

    Args:
        trace: What is run.

    Attributes:
        calls: The number of kernels that are called.
        nbytes: What is kept, about.
        asks_context: Whether a call may ask the caller's context for a random generator or a default dtype.
    """

    def __init__(self, trace: Trace) -> None:
        self.calls = sum(i.op.calls if isinstance(i.op, InChunks) else 1 for i in trace.instructions)
        inside = [i.op.plan.nbytes for i in trace.instructions if isinstance(i.op, InChunks)]
        self.nbytes: int = _INSTRUCTION_BYTES * len(trace.instructions) + sum(inside)
        self.asks_context = True
        self._trace = trace

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        """Computes the outputs, new arrays that share memory with nothing.

        Raises:
            GradwireError: A kernel refuses the elements, or the computation was stopped.
        """
        return [np.array(found) for found in self._trace.run(arrays)]


def compiled_or_interpreted(trace: Trace) -> Plan | Interpreted:
    """What runs a trace, of whatever length.

    Args:
        trace: What was recorded.
    """
    return compile_trace(trace) if len(trace.instructions) <= MOST_COMPILED else Interpreted(trace)
