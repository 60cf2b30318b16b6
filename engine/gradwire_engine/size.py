"""The shape of a tensor as users see it."""

from __future__ import annotations


class Size(tuple[int, ...]):
    """A shape (``torch.Size``)."""

    def numel(self) -> int:
        """The number of elements."""
        n = 1
        for size in self:
            n *= size
        return n

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"
