"""Long lists of numbers that were read straight into an array, with no Python object for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .dtypes import Array, NumpyDType, to_real


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A nested list of numbers as a document holds it, in place of the list itself.

    Attributes:
        array: The numbers, in the shape of the list: float64 if any of them was written with a point or an exponent, else int64.
        written: Makes the nested list, for whoever has to look at how a number was written.
    """

    array: Array
    written: Callable[[], Any]


def converted(numbers: Array, dtype: NumpyDType, shape: tuple[int, ...] | None, max_elements: int | None) -> Array | None:
    """The numbers as a tensor, in memory of its own; ``None`` unless they fit, and then their list says where they do not.

    Args:
        numbers: What :class:`Numbers` has as its array.
        dtype: The dtype of the tensor; complex numbers are pairs.
        shape: The shape that it must have, if one is stated.
        max_elements: The most elements that it may have.
    """
    sizes = numbers.shape
    if dtype.kind == "c":
        if sizes[-1] != 2:
            return None
        sizes = sizes[:-1]
    part = to_real(dtype)
    whole = numbers.dtype.kind == "i"
    if (
        (shape is not None and sizes != shape)
        or (max_elements is not None and numbers.size * part.itemsize > max_elements * dtype.itemsize)
        or (dtype.kind not in "fc" and not _fits(numbers, dtype))
    ):
        return None
    result = np.empty(sizes, dtype)
    flat = result.reshape(-1).view(part)
    values = numbers.reshape(-1)
    try:
        with np.errstate(over="raise"):
            # Rounded in two steps where there are two, as the elements of a list are.
            flat[:] = values.astype(np.float64) if whole and part.kind == "f" else values
    except FloatingPointError:
        return None
    return result


def _fits(numbers: Array, dtype: NumpyDType) -> bool:
    """Whether an integer dtype holds all of the numbers."""
    if dtype.kind == "b" or numbers.dtype.kind != "i":
        return False
    limits = np.iinfo(dtype)
    return bool(numbers.min() >= limits.min and numbers.max() <= limits.max)
