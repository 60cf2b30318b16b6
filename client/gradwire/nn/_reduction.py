"""The two older arguments by which losses were reduced before ``reduction``."""

from __future__ import annotations

import warnings


def legacy_reduction(size_average: bool | None, reduce: bool | None, *, stacklevel: int = 2) -> str:
    """The reduction that the older arguments mean; warns that they will go.

    Args:
        size_average: Whether a mean is taken rather than a sum; true when left out.
        reduce: Whether the loss is reduced at all; true when left out.
        stacklevel: Whom to blame: 2 is the caller.
    """
    reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.", stacklevel=stacklevel + 1
    )
    return reduction
