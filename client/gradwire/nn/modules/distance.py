"""Distances between vectors."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .module import Module


class PairwiseDistance(Module):
    """The norm of the difference of two vectors, along the last dimension.

    Args:
        p: The order of the norm.
        eps: What is added to each difference.
        keepdim: Whether the last dimension is kept.
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        """The distance of ``x1`` and ``x2``."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between two vectors.

    Args:
        dim: The dimension along which they lie.
        eps: The least product of their norms that is divided by.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """The cosine between ``x1`` and ``x2``."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
