"""``torch.autograd.function``: functions with a backward in Python, which runs here and not where the tensors are."""

from __future__ import annotations

from gradwire_engine.function import Context as FunctionCtx
from gradwire_engine.function import Function, once_differentiable

__all__ = ["Function", "FunctionCtx", "once_differentiable"]
