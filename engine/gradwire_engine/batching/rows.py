"""A walk for many cotangents at once: each is a row of a batch, over a graph that knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..op import ops
from ..value import Value
from .batch import Batch, depth_of, level
from .vmap import unstacked


def of_each_row(
    walk: Callable[[list[Any]], Sequence[Any]], cotangents: Sequence[Any], outputs: Sequence[Any], size: int
) -> tuple[Any, ...]:
    """Gives stacked cotangents to one walk, and the stacked gradients that it finds.

    Args:
        walk: Takes one cotangent per output, ``None`` for none, and gives gradients, ``None`` for none.
        cotangents: The stacked cotangents, each with a leading axis.
        outputs: What the walk starts from.
        size: How many rows there are.

    Returns:
        The gradients with the leading axis, ``None`` for none; each has memory of its own.
    """
    kind = level(depth_of([*outputs, *cotangents]) + 1)
    found = walk([kind._wrap(Batch(g, True)) if isinstance(g, Value) else g for g in cotangents])
    return tuple(None if g is None else ops.contiguous(unstacked(g, kind, size)) for g in found)
