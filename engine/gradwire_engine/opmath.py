"""Half precision computed in single precision and rounded once, at the end: what torch calls the opmath of its kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .dtypes import NumpyDType

HALF = np.dtype(np.float16)
SINGLE = np.dtype(np.float32)

Cast = Callable[[Any, NumpyDType], Any]


def astype(x: Any, dtype: NumpyDType) -> Any:
    """An array, or what stands for one, in another dtype."""
    return x.astype(dtype)


def widened(values: Sequence[Any], cast: Cast = astype) -> list[Any] | None:
    """Operands of half precision in single precision.

    Args:
        values: Tensors, tuples of them, and what is none and stays as it is.
        cast: Gives a tensor another dtype.

    Returns:
        All operands; ``None`` unless there are some of half precision, and none of another floating dtype, in which NumPy computes.
    """
    found = False
    for value in values:
        for item in value if type(value) is tuple else (value,):
            dtype = _dtype(item)
            if dtype == HALF:
                found = True
            elif dtype is not None and dtype.kind in "fc":
                return None
    return [_recast(v, HALF, SINGLE, cast) for v in values] if found else None


def narrowed(results: Any, cast: Cast = astype) -> Any:
    """Results of single precision, one or several, in half precision."""
    return _recast(results, SINGLE, HALF, cast)


def _dtype(x: Any) -> NumpyDType | None:
    if x is None or type(x) in (bool, int, float, complex, str):
        return None
    # A value's own dtype is the user's name for that of what it holds.
    found = getattr(getattr(x, "_data", x), "dtype", None)
    return found if isinstance(found, np.dtype) else None


def _recast(x: Any, have: NumpyDType, wanted: NumpyDType, cast: Cast) -> Any:
    if isinstance(x, (tuple, list)):
        return tuple([_recast(item, have, wanted, cast) for item in x])
    return cast(x, wanted) if _dtype(x) == have else x
