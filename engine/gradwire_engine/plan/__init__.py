"""Plans: programs compiled to NumPy calls for given shapes and dtypes."""

from __future__ import annotations

from .plan import Plan as Plan
from .plan import compile_trace as compile_trace

__all__ = ["Plan", "compile_trace"]
