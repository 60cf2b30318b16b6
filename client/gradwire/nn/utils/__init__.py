"""What training loops do to all parameters at once (``torch.nn.utils``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._missing import missing
from .clip_grad import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from .convert_parameters import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]

if not TYPE_CHECKING:
    # Type checkers would take it that every name is there.
    __getattr__ = missing(__name__)
