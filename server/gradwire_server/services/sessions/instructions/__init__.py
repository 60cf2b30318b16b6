"""What an instruction may say, by the word in its ``do``."""

from __future__ import annotations

from typing import Final

from . import callbacks, operations, passes, state, tensors
from .table import Instruction

INSTRUCTIONS: Final[dict[str, Instruction]] = {
    **tensors.INSTRUCTIONS,
    **operations.INSTRUCTIONS,
    **passes.INSTRUCTIONS,
    **callbacks.INSTRUCTIONS,
    **state.INSTRUCTIONS,
}
"""Every instruction."""
