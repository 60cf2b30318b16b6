"""A long elementwise run: generated Python for one block of elements, done for all blocks by all processors."""

from __future__ import annotations

import logging
import math
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..dtypes import Array, NumpyDType
from .ir import Step, Term, splat_value
from .native import background
from .native.blocks import CODE_BYTES, NativeBlocks, native_blocks
from .native.rules import are_for_machine_code, saved_nanoseconds
from .workers import share

_log = logging.getLogger(__name__)

_BLOCK_BYTES: Final = 1 << 17
"""The bytes of one operand of a block: a handful of them stay in the cache of a core."""
_WORTH_COMPILING: Final = 50e6
"""The nanoseconds that machine code would have saved when it is made: about as many as making it takes."""

_PASS_NANOSECONDS: Final = 0.3
"""What machine code saves for each step and element by not going over the block once more."""


@dataclass
class Placement:
    """An array that is zero but for parts, which are added up in order.

    Args:
        out: The array.
        parts: What is added, and where it begins.
    """

    out: Term
    parts: tuple[tuple[Term, int], ...]


class Run:
    """Steps done together, block by block.

    The blocks, and the order in which their sums are added, do not depend on how many threads there are.

    NumPy does the steps one after the other. Where llvmlite is installed, and the run has been called often enough, machine code that
    does them all in one go is made in the background, and takes over when it is there; blocks that it cannot do rightly stay NumPy's.

    Args:
        shape: The shape of all that is computed element by element.
        steps: The elementwise steps.
        operands: What they read from outside.
        values: Those of their results that are read outside.
        placements: Arrays put together out of their results.
        sums: Reductions of their results to numbers.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        steps: Sequence[Step],
        operands: Sequence[Term],
        values: Sequence[Term],
        placements: Sequence[Placement],
        sums: Sequence[Step],
    ) -> None:
        self.steps = steps
        self.sums = sums
        self.values = values
        self.placements = placements
        self.calls = len(steps) + len(sums) + sum(len(p.parts) for p in placements)
        self._count = int(np.prod(shape))
        self._shift = max((shift for p in placements for _, shift in p.parts), default=0)
        widest = max(t.dtype.itemsize for s in steps for t in s.outs)
        self._block = _BLOCK_BYTES // widest
        self._length = max([self._count + self._shift, *(p.out.size for p in placements)])
        self._blocks = -(-self._length // self._block)
        self._dtypes: list[NumpyDType] = []
        names: dict[str, Any] = {"place": place}
        self.text = _BlockText(self, operands, names).text
        exec(compile(self.text, "<run>", "exec"), names)
        self._do: Callable[..., None] = names["do"]
        self._pool: deque[tuple[Array, ...]] = deque(maxlen=16)
        self._operands = operands
        wanted = background.available() and are_for_machine_code(steps)
        self._saved = self._count * (saved_nanoseconds(steps) + _PASS_NANOSECONDS * len(steps)) if wanted else 0.0
        self._until_native = _WORTH_COMPILING
        self._native: NativeBlocks | None = None

    @property
    def __name__(self) -> str:
        return "run"

    @property
    def nbytes(self) -> int:
        """What one thread needs, and the code."""
        code = CODE_BYTES if self._saved else 0
        return code + sum((self._block + self._shift) * d.itemsize for d in self._dtypes)

    @property
    def is_native(self) -> bool:
        """Whether machine code does the steps."""
        return self._native is not None

    def make_native(self) -> None:
        """Has machine code do the steps from now on, if that can be made."""
        if self._native is not None or not self._saved:
            return
        others = [*(t for p in self.placements for t, _ in p.parts), *(s.args[0] for s in self.sums)]
        try:
            made = native_blocks(self.steps, self._operands, self.values, others, self._is_direct, self._block + self._shift)
        except Exception as error:
            _log.warning("A run of %d steps stays with NumPy: it could not be compiled: %s", len(self.steps), error)
            return
        if made is not None:
            self._native = made
            self._pool.clear()

    @property
    def _is_direct(self) -> bool:
        """Whether what a block computes belongs to that block of the values, and to nothing else."""
        return not self._shift and not self.placements

    def _count_towards_native(self) -> None:
        """Asks for machine code, once enough was done without."""
        self._until_native -= self._saved
        if self._until_native > 0:
            return
        found = weakref.ref(self)

        def make() -> None:
            run = found()
            if run is not None:
                run.make_native()

        # Where too many wait, or this cannot be compiled, it is not asked for again before as much was done once more.
        self._until_native = math.inf if background.background.submit(make) else _WORTH_COMPILING

    def __call__(self, operands: Sequence[Array], results: Sequence[Array]) -> list[Any]:
        """Does all blocks.

        Args:
            operands: The arrays that the steps read; those of no dimensions are numbers.
            results: The arrays that are written to: the values, then those put together out of parts.

        Returns:
            The results of the reductions.
        """
        flat = [a.reshape(-1) if a.size > 1 else a.reshape(()) for a in operands]
        targets = [r.reshape(-1) for r in results]
        partial = [np.empty(self._blocks, s.out.dtype) for s in self.sums]
        native = self._native
        used: list[tuple[deque[tuple[Array, ...]], tuple[Array, ...]]] = []

        def span(number: int) -> tuple[int, int, int, int]:
            begin = number * self._block
            end = min(begin + self._block, self._length)
            first, last = max(0, begin - self._shift), min(self._count, end)
            return begin, end, first, max(first, last)

        def buffers(pool: deque[tuple[Array, ...]], make: Callable[[], tuple[Array, ...]]) -> tuple[Array, ...]:
            try:
                found = pool.pop()
            except IndexError:
                found = make()
            used.append((pool, found))
            return found

        def numpy_worker() -> Callable[[int], None]:
            whole = buffers(self._pool, self._buffers)

            def do(number: int) -> None:
                begin, end, first, last = span(number)
                parts = whole if last - first == self._block + self._shift else tuple([b[: last - first] for b in whole])
                self._do(number, begin, end, first, last, flat, targets, parts, partial)

            return do

        def native_worker(blocks: NativeBlocks) -> Callable[[int], None]:
            steps = blocks.steps(flat, targets, buffers(blocks.pool, blocks.buffers))
            careful: Callable[[int], None] | None = None

            def do(number: int) -> None:
                nonlocal careful
                begin, end, first, last = span(number)
                results = steps(first, last)
                if results is not None:
                    self._finish(number, begin, end, first, results, targets, partial)
                    return
                careful = careful or numpy_worker()
                careful(number)

            return do

        share(self._blocks, numpy_worker if native is None else lambda: native_worker(native))
        for pool, found in used:
            pool.append(found)
        if native is None:
            self._count_towards_native()
        # The last blocks may hold nothing that is reduced.
        reduced = -(-self._count // self._block)
        return [s.function.reduce(p[:reduced]) for s, p in zip(self.sums, partial, strict=True)]

    def _buffers(self) -> tuple[Array, ...]:
        """What one thread needs where NumPy does the steps."""
        return tuple(np.empty(self._block + self._shift, d) for d in self._dtypes)

    def _finish(
        self,
        number: int,
        begin: int,
        end: int,
        first: int,
        results: Mapping[Term, Array],
        targets: Sequence[Array],
        partial: Sequence[Array],
    ) -> None:
        """What is left of a block when machine code has done its steps."""
        if not self._is_direct:
            for target, term in zip(targets, self.values, strict=False):
                target[begin:end] = results[term][begin - first :]
        for target, placement in zip(targets[len(self.values) :], self.placements, strict=True):
            for k, (term, shift) in enumerate(placement.parts):
                place(target, results[term], shift, begin, end, first, self._count, k == 0)
        if begin < self._count:
            for sums, step in zip(partial, self.sums, strict=True):
                sums[number] = step.function.reduce(results[step.args[0]][begin - first : min(end, self._count) - first])


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


class _BlockText:
    """The Python that does one block of a run.

    Args:
        run: The run, which learns the dtypes of the buffers that a thread needs.
        operands: What the run reads.
        names: Gets what the text refers to.
    """

    def __init__(self, run: Run, operands: Sequence[Term], names: dict[str, Any]) -> None:
        self._run = run
        self._names = names
        self._known: dict[Term, str] = {}
        self._free: list[int] = []
        self._buffer: dict[Term, int] = {}
        self._lines: list[str] = []
        self._last: dict[Term, int] = {}
        for number, step in enumerate(run.steps):
            for term in step.operands():
                self._last[term] = number
        kept = [*run.values, *(t for p in run.placements for t, _ in p.parts), *(s.args[0] for s in run.sums)]
        self._last.update(dict.fromkeys(kept, len(run.steps)))
        for i, term in enumerate(operands):
            self._known[term] = f"x{i}"
            self._line(f"x{i} = operands[{i}]{'[first:last]' if term.size > 1 else ''}")
        direct = run.values if not run._shift and not run.placements else ()
        for i, term in enumerate(direct):
            self._known[term] = f"y{i}"
            self._line(f"y{i} = targets[{i}][first:last]")
        for number, step in enumerate(run.steps):
            self._step(number, step)
        self._results(direct)
        self.text = "def do(number, begin, end, first, last, operands, targets, buffers, partial):\n" + "".join(
            f"    {line}\n" for line in self._lines
        )

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
        dtypes, out = self._run._dtypes, step.out
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

    def _results(self, direct: Sequence[Term]) -> None:
        run = self._run
        inner = "[begin - first : min(end, last) - first]" if run._shift else ""
        for i, term in enumerate(run.values):
            if not direct:
                self._line(f"targets[{i}][begin:end] = {self._known[term]}[begin - first :]")
        for i, placement in enumerate(run.placements, len(run.values)):
            for k, (term, shift) in enumerate(placement.parts):
                self._line(f"place(targets[{i}], {self._known[term]}, {shift}, begin, end, first, {run._count}, {k == 0})")
        for i, step in enumerate(run.sums):
            name = f"{step.function.__name__}_reduce"
            self._names[name] = step.function.reduce
            self._line(f"if begin < {run._count}:")
            self._line(f"    partial[{i}][number] = {name}({self._known[step.args[0]]}{inner})")
