"""``torch.autograd`` for tensors that live in sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradwire_engine.gradcheck import gradcheck, gradgradcheck
from gradwire_engine.modes import enable_grad, inference_mode, no_grad, set_grad_enabled

from .._missing import missing
from . import function, functional
from .function import Function
from .passes import backward, grad

__all__ = [
    "Function",
    "backward",
    "enable_grad",
    "function",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]

if not TYPE_CHECKING:
    # Type checkers would take it that every name is there.
    __getattr__ = missing(__name__)
