"""The memory that a plan keeps between calls: one set of buffers for each call that runs at the same time."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import numpy as np

from ..dtypes import Array
from .ir import Term, View, take

_SMALL: Final = 1 << 20
_KEPT_SMALL: Final = 8
_KEPT_LARGE: Final = 2


class Recipe:
    """What a set consists of: buffers, and the arrays in them.

    Args:
        sizes: The bytes of each buffer.
    """

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes
        self._arrays: list[tuple[str, Any, Any]] = []
        self._numbers: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._arrays)

    def add_array(self, term: Term, buffer: int) -> int:
        """An array in the layout of ``term`` at the start of a buffer; gives its number in the set, where each is once."""
        key = (buffer, term.shape, term.dtype, term.strides)
        number = self._numbers.setdefault(key, len(self._arrays))
        if number == len(self._arrays):
            self._arrays.append(("array", term, buffer))
        return number

    def add_number(self, term: Term) -> int:
        """An array of no dimensions, which takes a number to where an array is expected."""
        self._arrays.append(("number", term, None))
        return len(self._arrays) - 1

    def add_view(self, source: int, how: View) -> int:
        """A view of an array of the set."""
        self._arrays.append(("view", source, how))
        return len(self._arrays) - 1

    @property
    def nbytes(self) -> int:
        """What one set takes."""
        return sum(self.sizes) + 100 * len(self._arrays)

    def make(self) -> tuple[Array, ...]:
        """A new set."""
        buffers = [np.empty(size, np.uint8) for size in self.sizes]
        made: list[Array] = []
        for kind, what, more in self._arrays:
            if kind == "array":
                strides = tuple(s * what.dtype.itemsize for s in what.strides)
                made.append(np.ndarray(what.shape, what.dtype, buffers[more], 0, strides))
            elif kind == "number":
                made.append(np.empty((), what.dtype))
            else:
                made.append(take(more, made[what]))
        return tuple(made)

    def pool(self) -> deque[tuple[Array, ...]]:
        """Where sets wait between calls: those beyond a few are given up."""
        return deque(maxlen=self.kept)

    @property
    def kept(self) -> int:
        """How many sets wait at most."""
        return _KEPT_SMALL if self.nbytes <= _SMALL else _KEPT_LARGE
