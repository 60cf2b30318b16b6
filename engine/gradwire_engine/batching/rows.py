"""A walk for many cotangents at once: each is a row of a batch, over a graph that knows nothing of it.

All rows at once take the memory of as many walks, so that there is a way to go through them in chunks: one after another where
operations run at once, and in a trace as a single operation that runs the same instructions for every chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..meta import dense
from ..op import ops
from ..symbolic import Symbol, Trace, Variable, aside
from ..tensor import Tensor
from ..value import Value
from .batch import Batch, Batched, depth_of, level
from .vmap import unstacked

Walk = Callable[[list[Any]], Sequence[Any]]
"""Takes one cotangent per output, ``None`` for none, and gives gradients, ``None`` for none."""

Cotangents = Callable[[Value | None], Sequence[Any]]
"""Gives the stacked cotangents of rows, from their numbers; of all rows for ``None``."""


class Chunks(NamedTuple):
    """How many rows are computed at once.

    Attributes:
        rows: The most; ``None`` for all.
        nbytes: What they may take together, in a trace; ``None`` for any number.
    """

    rows: int | None = None
    nbytes: int | None = None


ALL = Chunks()
"""All rows at once."""


def of_each_row(walk: Walk, cotangents: Sequence[Any], outputs: Sequence[Any], size: int) -> tuple[Any, ...]:
    """Gives stacked cotangents to one walk, and the stacked gradients that it finds.

    Args:
        walk: The walk.
        cotangents: The stacked cotangents, each with a leading axis.
        outputs: What the walk starts from.
        size: How many rows there are.

    Returns:
        The gradients with the leading axis, ``None`` for none; each has memory of its own.
    """
    kind = level(depth_of([*outputs, *cotangents]) + 1)
    found = walk([kind._wrap(Batch(g, True)) if isinstance(g, Value) else g for g in cotangents])
    return tuple(None if g is None else ops.contiguous(unstacked(g, kind, size)) for g in found)


def of_rows(walk: Walk, cotangents: Cotangents, outputs: Sequence[Any], size: int, chunks: Chunks) -> tuple[Any, ...]:
    """The same, of which no more rows are computed at once than ``chunks`` allows; the results have no history then.

    Args:
        walk: The walk.
        cotangents: Gives the stacked cotangents.
        outputs: What the walk starts from.
        size: How many rows there are.
        chunks: How many are computed at once.
    """
    if any(isinstance(_bottom(y), Symbol) for y in outputs):
        return _recorded(walk, cotangents, outputs, size, chunks)
    if chunks.rows is None or chunks.rows >= size:
        return of_each_row(walk, cotangents(None), outputs, size)
    found = []
    for first in range(0, size, chunks.rows):
        numbers = np.arange(first, min(first + chunks.rows, size))
        found.append(of_each_row(walk, cotangents(Tensor._lift(numbers)), outputs, len(numbers)))
    return tuple(None if parts[0] is None else ops.cat(parts) for parts in zip(*found, strict=True))


def _recorded(walk: Walk, cotangents: Cotangents, outputs: Sequence[Any], size: int, chunks: Chunks) -> tuple[Any, ...]:
    with aside() as (outer, whole):
        found = of_each_row(walk, cotangents(None), outputs, size)
    count = _fitting(whole, size if chunks.rows is None else min(chunks.rows, size), size, chunks)
    if count == size:
        outer.instructions += whole.instructions
        return found
    from ..plan.chunks import split

    while True:
        with aside() as (outer, part):
            numbers = part.input(dense((count,), np.dtype(np.int64)))
            found = of_each_row(walk, cotangents(numbers), outputs, count)
        fitting = _fitting(part, count, count, chunks)
        if fitting == count:
            break
        count = fitting
    present = [g for g in found if g is not None]
    part.outputs = [_bottom(g)._data for g in present]
    rows = iter(split(part, outer, size, count, [_axes_below(g) for g in present]).outs)
    return tuple(None if g is None else _with_bottom(g, next(rows)) for g in found)


def _fitting(recorded: Trace, count: int, rows: int, chunks: Chunks) -> int:
    """How many rows may be computed at once, of which there are to be ``count``, where ``rows`` take what was recorded."""
    if chunks.nbytes is None:
        return count
    taken = _nbytes(recorded)
    if taken <= chunks.nbytes:
        return count
    most = max(min(count, rows * chunks.nbytes // taken), 1)
    # Chunks of one size, as far as that goes.
    return -(-rows // -(-rows // most))


def _nbytes(trace: Trace) -> int:
    """What the results of the instructions take."""
    return sum(out.meta.nbytes for i in trace.instructions if not i.op.view for out in i.outs)


def _bottom(value: Any) -> Any:
    """The value inside of all batches."""
    while isinstance(value, Batched):
        value = value._data.value
    return value


def _axes_below(value: Any) -> int:
    """How many leading axes the value inside has that are axes of batches."""
    count = 0
    while isinstance(value, Batched):
        count += value._data.mapped
        value = value._data.value
    return count


def _with_bottom(value: Any, variable: Variable) -> Value:
    """A value like this with another symbol inside of all batches."""
    if isinstance(value, Batched):
        return value._recorder._wrap(Batch(_with_bottom(value._data.value, variable), value._data.mapped))
    return Symbol._wrap(variable)
