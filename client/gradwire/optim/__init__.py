"""Optimizers (``torch.optim``): the same numbers as torch's in the same order of operations, without looking at a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._missing import missing
from .adam import Adam
from .adamw import AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]

if not TYPE_CHECKING:
    # Type checkers would take it that every name is there.
    __getattr__ = missing(__name__)
