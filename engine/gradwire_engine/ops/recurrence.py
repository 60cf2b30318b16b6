"""Linear recurrences, by which the gradients of running products are right even where factors are zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, promote
from ..meta import dense
from ..op import op, ops
from ..params import Tensor


def shifted(x: Any, dim: int, first: Any) -> Any:
    """``x`` moved one place on along ``dim``, with ``first`` (of size 1 along ``dim``) moving in and the last element out.

    Args:
        x: A tensor of at least one dimension.
        dim: The dimension.
        first: Makes what moves in from the first slice of ``x``.
    """
    size = x.shape[dim]
    if size == 0:
        return x
    return ops.cat([first(ops.narrow(x, dim, 0, 1)), ops.narrow(x, dim, 0, size - 1)], dim)


def _adjoint_of_factor(g: Any, factor: Any, out: Any, dim: int, backwards: bool) -> Any:
    adjoint = ops._linear_recurrence(g, factor, dim, not backwards)
    if backwards:
        return shifted(adjoint, dim, ops.zeros_like) * out
    return adjoint * shifted(out, dim, ops.zeros_like)


@op(
    "_linear_recurrence",
    promotion="same",
    meta=lambda input, factor: dense(input.shape, promote(input.dtype, factor.dtype)),
    vjp=dict(
        input=lambda g, factor, dim, backwards: ops._linear_recurrence(g, factor, dim, not backwards),
        factor=lambda g, factor, out, dim, backwards: _adjoint_of_factor(g, factor, out, dim, backwards),
    ),
    method=False,
)
def linear_recurrence(input: Tensor, factor: Tensor, dim: int, backwards: bool) -> Array:
    """Solves out[k] = input[k] + factor[k] * out[k - 1] along ``dim``, or backwards out[k] = input[k] + factor[k + 1] * out[k + 1].

    The factor between two neighbours stands at the later one either way, so that each direction is the other's adjoint. The
    first factor is not used. The solution takes log2(size) passes over the array (W. D. Hillis and G. L. Steele,
    "Data parallel algorithms", 1986).
    """
    out = np.moveaxis(input, dim, 0).copy()
    size = len(out)
    factors = np.moveaxis(factor, dim, 0)
    # Run both directions from left to right; position k then holds the factor between k - 1 and k.
    reach = np.empty(factors.shape, factors.dtype)
    if backwards:
        out = out[::-1]
        reach[1:] = factors[:0:-1]
    else:
        reach[1:] = factors[1:]
    step = 1
    while step < size:
        out[step:] += reach[step:] * out[:-step]
        reach[2 * step :] *= reach[step:-step]
        step *= 2
    return np.moveaxis(out[::-1] if backwards else out, 0, dim)
