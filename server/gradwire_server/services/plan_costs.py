"""When a program is worth compiling, and whether its plan may run within limits."""

from __future__ import annotations

from typing import Final

from gradwire_engine.limits import Limits
from gradwire_engine.meter import Meter

ROWS_SHARE: Final = 8
"""The rows of a Jacobian that are computed at once may take one part in so many of what a program may."""

CALLS_PER_NODE: Final = 8
"""How many NumPy calls of a plan take as long as running one node of a program."""


def costs_fit(cost: Meter, limits: Limits) -> bool:
    """Whether the tensors and the work of a program are within limits."""
    return cost.largest <= limits.tensor_bytes and cost.bytes <= limits.program_bytes and cost.work <= limits.work


def calls_fit(calls: int, limits: Limits) -> bool:
    """Whether so many NumPy calls take no longer than the nodes that are allowed."""
    return calls <= CALLS_PER_NODE * limits.nodes
