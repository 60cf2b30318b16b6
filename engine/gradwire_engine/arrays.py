"""Arrays out of what may be one already, in the ways that NumPy's dispatch protocol can follow (``like=``).

A kernel that makes its arrays with these can be followed when a plan is compiled: what stands for an array stays what it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dtypes import Array, NumpyDType


def as_array(x: Any, dtype: NumpyDType | None = None) -> Array:
    """``x`` as an array, itself if it is one of that dtype (``numpy.asarray``)."""
    return np.asarray(x, dtype, like=_like(x))


def row_major(x: Any) -> Array:
    """A row-major copy of ``x``."""
    return np.array(x, order="C", like=_like(x))


def zeros_for(x: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of the dtype of ``x``, to be written to."""
    return np.zeros(shape, x.dtype, like=_like(x))


def _like(x: Any) -> Any:
    # NumPy's scalars and Python's numbers have no part in the protocol.
    return x if hasattr(x, "__array_function__") else None
