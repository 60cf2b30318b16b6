"""Dropout as modules, which only drop in training mode."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .module import Module


class _Dropout(Module):
    """The base of the modules that drop.

    Args:
        p: The probability with which an element or a channel is dropped.
        inplace: Whether the result is written over the input.

    Raises:
        ValueError: ``p`` is no probability.
    """

    _function = "dropout"

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Drops in training mode; otherwise gives ``input``."""
        return getattr(F, self._function)(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Zeroes elements with the probability ``p`` and scales the others by ``1 / (1 - p)`` (Hinton et al., 2012)."""


class Dropout1d(_Dropout):
    """Zeroes whole channels of (N, C, L) or (C, L)."""

    _function = "dropout1d"


class Dropout2d(_Dropout):
    """Zeroes whole channels of (N, C, H, W)."""

    _function = "dropout2d"


class Dropout3d(_Dropout):
    """Zeroes whole channels of (N, C, D, H, W) or (C, D, H, W)."""

    _function = "dropout3d"
