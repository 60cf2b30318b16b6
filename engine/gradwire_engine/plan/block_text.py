"""The Python that does the steps of one block by NumPy, and what puts arrays together out of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, NumpyDType
from .ir import Step, Term, splat_value


def place(target: Array, part: Array, shift: int, begin: int, end: int, first: int, count: int, fresh: bool) -> None:
    """Puts what belongs into one block of an array that is put together out of parts.

    Args:
        target: The array.
        part: The elements of the part from ``first`` on.
        shift: Where the part begins in the array.
        begin: Where the block begins.
        end: Where it ends.
        first: The position in the part of what is given of it.
        count: The length of the part.
        fresh: Whether this is the first part, so that what it leaves free is zero.
    """
    end = min(end, len(target))
    low, high = min(max(begin, shift), end), max(min(end, shift + count), begin)
    if high <= low:
        if fresh:
            target[begin:end] = 0
        return
    region = target[low:high]
    given = part[low - shift - first : high - shift - first]
    if not fresh:
        np.add(region, given, region)
        return
    region[...] = given
    if low > begin:
        target[begin:low] = 0
    if high < end:
        target[high:end] = 0


class BlockText:
    """The Python that does the steps of one block.

    Args:
        steps: The steps.
        operands: What they read.
        kept: Those of their results that are wanted.
        direct: Those of these that are stored where they belong.
        names: Gets what the text refers to.

    Attributes:
        text: The Python: ``do(first, last, operands, targets, buffers)`` gives what is kept, of the elements from one to before another.
        dtypes: The buffers that a thread needs.
    """

    def __init__(
        self, steps: Sequence[Step], operands: Sequence[Term], kept: Sequence[Term], direct: Sequence[Term], names: dict[str, Any]
    ) -> None:
        self.dtypes: list[NumpyDType] = []
        self._names = names
        self._known: dict[Term, str] = {}
        self._free: list[int] = []
        self._buffer: dict[Term, int] = {}
        self._lines: list[str] = []
        self._last = {term: number for number, step in enumerate(steps) for term in step.operands()}
        self._last.update(dict.fromkeys(kept, len(steps)))
        for i, term in enumerate(operands):
            self._known[term] = f"x{i}"
            self._line(f"x{i} = operands[{i}]{'[first:last]' if term.size > 1 else ''}")
        for i, term in enumerate(direct):
            self._known[term] = f"y{i}"
            self._line(f"y{i} = targets[{i}][first:last]")
        for number, step in enumerate(steps):
            self._step(number, step)
        self._line(f"return [{', '.join([self._known[term] for term in kept])}]")
        self.text = "def do(first, last, operands, targets, buffers):\n" + "".join(f"    {line}\n" for line in self._lines)

    def _line(self, text: str) -> None:
        self._lines.append(text)

    def _operand(self, item: Any, step: Step) -> str:
        if type(item) is Term and item in self._known:
            return self._known[item]
        if type(item) is Term:
            value: Any = splat_value(item)
        else:
            # A Python number takes the dtype of the arrays beside it.
            dtypes = {t.dtype for t in step.operands()}
            dtype = dtypes.pop() if len(dtypes) == 1 else None
            same = dtype is not None and dtype.kind == "f" and type(item) in (int, float)
            value = np.asarray(item, np.float64).astype(dtype) if same else item
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name

    def _step(self, number: int, step: Step) -> None:
        operands = [self._operand(a, step) for a in step.args]
        target = self._known.get(step.out) or self._taken(number, step)
        name = "copyto" if step.kind == "copy" or step.function is np.where else step.function.__name__
        self._names[name] = np.copyto if name == "copyto" else step.function
        if step.kind == "copy":
            self._line(f"copyto({target}, {operands[0]}, 'unsafe')")
        elif step.function is np.where:
            self._line(f"copyto({target}, {operands[2]}, 'unsafe')")
            self._line(f"copyto({target}, {operands[1]}, 'unsafe', where={operands[0]})")
        else:
            options = "".join(f", {key}={self._option(value)}" for key, value in step.how or ())
            self._line(f"{name}({', '.join(operands)}, out={target}{options})")
        for term in {*step.operands(), step.out}:
            if self._last.get(term, number) == number and term in self._buffer:
                self._free.append(self._buffer[term])

    def _option(self, value: Any) -> str:
        name = f"d{len(self._names)}"
        self._names[name] = value
        return name

    def _taken(self, number: int, step: Step) -> str:
        """A buffer for a result: of an operand that is read for the last time, a free one, or one more."""
        dtypes, out = self.dtypes, step.out
        chosen = None
        if isinstance(step.function, np.ufunc):
            for term in step.operands():
                place = self._buffer.get(term)
                if place is not None and self._last[term] == number and dtypes[place] == out.dtype:
                    chosen = place
                    del self._buffer[term]
                    break
        if chosen is None:
            chosen = next((b for b in self._free if dtypes[b] == out.dtype), None)
            if chosen is None:
                dtypes.append(out.dtype)
                chosen = len(dtypes) - 1
            else:
                self._free.remove(chosen)
        self._buffer[out] = chosen
        name = self._known[out] = f"t{len(self._known)}"
        self._line(f"{name} = buffers[{chosen}]")
        return name
