"""What one program may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds on one program, checked against the shape rules before anything is allocated.

    Attributes:
        tensor_bytes: Size of any one tensor: an input, a constant, the value of a node or a gradient.
        program_bytes: Size of all tensors of one program together.
        nodes: Number of nodes, those inside custom functions included each time that they are called; also of inputs and of functions.
        work: Work of all nodes together, in multiply-adds of matrices of floats. What is slower counts for as many as take the same
            time, and everything three times where gradients are computed.
    """

    tensor_bytes: int = 256 * 2**20
    program_bytes: int = 2**30
    nodes: int = 100_000
    work: int = 400_000_000_000

    def within(self, other: Limits) -> Limits:
        """The stricter of the two in each respect."""
        return Limits(
            tensor_bytes=min(self.tensor_bytes, other.tensor_bytes),
            program_bytes=min(self.program_bytes, other.program_bytes),
            nodes=min(self.nodes, other.nodes),
            work=min(self.work, other.work),
        )


UNBOUNDED: Final = Limits(*[2**62] * 4)
"""Limits that nothing reaches."""
