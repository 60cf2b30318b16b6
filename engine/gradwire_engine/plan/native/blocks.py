"""The blocks of a run done by machine code; what is put together and reduced of the results is done by NumPy."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ...dtypes import Array
from ..ir import Step, Term
from .kernel import NAME, kernel_text
from .machine import Machine

CODE_BYTES: Final = 1 << 17
"""What the machine code of a run takes, at most."""


class NativeBlocks:
    """Machine code for the steps of a run.

    Args:
        machine: The code: of the number of elements and of the addresses of operands and results.
        results: What it stores.
        direct: Whether that is what the run gives, so that it is stored where it belongs; otherwise a buffer takes it.
        length: The elements of a buffer.
    """

    def __init__(self, machine: Machine, results: Sequence[Term], direct: Sequence[bool], length: int) -> None:
        self._machine = machine
        self._results = list(results)
        self._direct = list(direct)
        self._length = length
        self.pool: deque[tuple[Array, ...]] = deque(maxlen=16)

    def buffers(self) -> tuple[Array, ...]:
        """What one thread needs."""
        return tuple(np.empty(self._length, t.dtype) for t, d in zip(self._results, self._direct, strict=True) if not d)

    def steps(
        self, operands: Sequence[Array], targets: Sequence[Array], buffers: Sequence[Array]
    ) -> Callable[[int, int], dict[Term, Array] | None]:
        """What does the steps for some elements, from one to before another.

        It gives the results that are stored; ``None`` if there are elements for which they are not right.

        Args:
            operands: Arrays of one dimension, or of none.
            targets: Where the values of the run go.
            buffers: What ``buffers`` made.
        """
        free, given = iter(buffers), iter(targets)
        stored = [next(given) if d else next(free) for d in self._direct]
        moving = [(_address(a), a.itemsize if a.ndim else 0) for a in operands]
        moving += [(_address(a), a.itemsize if d else 0) for a, d in zip(stored, self._direct, strict=True)]
        call, named = self._machine.call, list(zip(self._results, stored, self._direct, strict=True))

        def do(first: int, last: int) -> dict[Term, Array] | None:
            if call(last - first, *[address + first * size for address, size in moving]):
                return None
            return {term: array[first:last] if direct else array[: last - first] for term, array, direct in named}

        return do


def native_blocks(
    steps: Sequence[Step], operands: Sequence[Term], kept: Sequence[Term], direct: Sequence[Term], length: int
) -> NativeBlocks | None:
    """Compiles steps; ``None`` if they are not for machine code.

    Args:
        steps: The steps.
        operands: What they read.
        kept: Those of their results that are wanted.
        direct: Those of these that are stored where they belong.
        length: How many elements are done at once, at most.
    """
    text = kernel_text(steps, operands, kept)
    if text is None:
        return None
    return NativeBlocks(Machine(text, NAME, len(operands) + len(kept)), kept, [term in direct for term in kept], length)


class _Interface(ctypes.Structure):
    """The C structure of NumPy's array interface, which is a fourth of the price of the Python one."""

    _fields_ = (
        ("two", ctypes.c_int),
        ("nd", ctypes.c_int),
        ("typekind", ctypes.c_char),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_int),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
    )


_interface: Final = ctypes.PYFUNCTYPE(ctypes.POINTER(_Interface), ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def _address(array: Array) -> Any:
    # What the capsule holds is there as long as the capsule is.
    capsule = array.__array_struct__
    return _interface(capsule, None).contents.data
