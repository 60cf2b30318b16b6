"""Machine code for long elementwise runs, made by LLVM while NumPy serves; without llvmlite there is none."""

from __future__ import annotations
