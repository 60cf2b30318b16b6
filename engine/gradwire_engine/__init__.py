"""Gradwire's engine: reverse-mode automatic differentiation on NumPy with PyTorch's semantics.

``import gradwire_engine as torch`` gives torch's names for eager tensors; ``namespace`` has the list.
"""

from __future__ import annotations

from typing import Any

from . import namespace as _namespace
from . import ops as _families  # noqa: F401 - registers the ops
from .autograd import backward, grad
from .modes import enable_grad, is_grad_enabled, manual_seed, no_grad, set_grad_enabled
from .op import ops
from .operators import add_methods as _add_methods
from .tensor import Tensor, tensor
from .value import Size, Value

__all__ = [
    "Size",
    "Tensor",
    "Value",
    "backward",
    "enable_grad",
    "grad",
    "is_grad_enabled",
    "manual_seed",
    "no_grad",
    "ops",
    "set_grad_enabled",
    "tensor",
]

_add_methods(Value)


def __getattr__(name: str) -> Any:
    return getattr(_namespace, name)
