"""A long elementwise run: done for one block of elements after the other, by all processors."""

from __future__ import annotations

import logging
import math
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..dtypes import Array
from .block_text import BlockText, place
from .ir import Step, Term
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

    Attributes:
        count: The number of elements.
        shift: How much further on in an array than in a part of it an element may be.
        text: The Python that does one block.
        calls: The number of NumPy calls for one.
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
        self.count = int(np.prod(shape))
        self.shift = max((shift for p in placements for _, shift in p.parts), default=0)
        widest = max(t.dtype.itemsize for s in steps for t in s.outs)
        self._block = _BLOCK_BYTES // widest
        self._length = max([self.count + self.shift, *(p.out.size for p in placements)])
        self._blocks = -(-self._length // self._block)
        self._kept = list(dict.fromkeys([*values, *(t for p in placements for t, _ in p.parts), *(s.args[0] for s in sums)]))
        # Where what a block computes belongs to that block of the values, and to nothing else, it is stored there at once.
        self._direct = values if not self.shift and not placements else ()
        names: dict[str, Any] = {}
        block = BlockText(steps, operands, self._kept, self._direct, names)
        self.text, self._dtypes = block.text, block.dtypes
        exec(compile(self.text, "<run>", "exec"), names)
        self._do: Callable[..., list[Array]] = names["do"]
        self._pool: deque[tuple[Array, ...]] = deque(maxlen=16)
        self._operands = operands
        wanted = background.available() and are_for_machine_code(steps)
        self._saved = self.count * (saved_nanoseconds(steps) + _PASS_NANOSECONDS * len(steps)) if wanted else 0.0
        self._until_native = _WORTH_COMPILING
        self._native: NativeBlocks | None = None

    @property
    def __name__(self) -> str:
        return "run"

    @property
    def nbytes(self) -> int:
        """What one thread needs, and the code."""
        code = CODE_BYTES if self._saved else 0
        return code + sum((self._block + self.shift) * d.itemsize for d in self._dtypes)

    @property
    def is_native(self) -> bool:
        """Whether machine code does the steps."""
        return self._native is not None

    def make_native(self) -> None:
        """Has machine code do the steps from now on, if that can be made."""
        if self._native is not None or not self._saved:
            return
        try:
            made = native_blocks(self.steps, self._operands, self._kept, self._direct, self._block + self.shift)
        except Exception as error:
            _log.warning("A run of %d steps stays with NumPy: it could not be compiled: %s", len(self.steps), error)
            made = None
        if made is None:
            # There is nothing to save, and no code to be counted.
            self._saved = 0.0
            return
        self._native = made
        self._pool.clear()

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

        # Where too many wait, it is not asked for again before as much was done once more.
        self._until_native = math.inf if background.background.submit(make) else _WORTH_COMPILING

    def _span(self, number: int) -> tuple[int, int, int, int]:
        """Where a block begins and ends, and from which element to before which other it needs them."""
        begin = number * self._block
        end = min(begin + self._block, self._length)
        first, last = max(0, begin - self.shift), min(self.count, end)
        return begin, end, first, max(first, last)

    def _buffers(self) -> tuple[Array, ...]:
        """What one thread needs where NumPy does the steps."""
        return tuple(np.empty(self._block + self.shift, d) for d in self._dtypes)

    def __call__(self, operands: Sequence[Array], results: Sequence[Array]) -> list[Any]:
        """Does all blocks.

        Args:
            operands: The arrays that the steps read; those of no dimensions are numbers.
            results: The arrays that are written to: the values, then those put together out of parts.

        Returns:
            The results of the reductions.
        """
        call = _Call(self, operands, results)
        share(self._blocks, call.worker)
        call.return_buffers()
        if self._native is None:
            self._count_towards_native()
        # The last blocks may hold nothing that is reduced.
        reduced = -(-self.count // self._block)
        return [s.function.reduce(p[:reduced]) for s, p in zip(self.sums, call.partial, strict=True)]


class _Call:
    """What the threads of one call share.

    Args:
        run: The run.
        operands: What the steps read.
        results: What is written to.

    Attributes:
        partial: What each block adds to the reductions.
    """

    def __init__(self, run: Run, operands: Sequence[Array], results: Sequence[Array]) -> None:
        self._run = run
        self._operands = [a.reshape(-1) if a.size > 1 else a.reshape(()) for a in operands]
        self._targets = [r.reshape(-1) for r in results]
        self.partial = [np.empty(run._blocks, s.out.dtype) for s in run.sums]
        # That it may change meanwhile is no matter.
        self._native = run._native
        self._used: list[tuple[deque[tuple[Array, ...]], tuple[Array, ...]]] = []

    def worker(self) -> Callable[[int], None]:
        """What one thread does for each block, by its number."""
        return self._by_numpy() if self._native is None else self._by_machine(self._native)

    def return_buffers(self) -> None:
        """Has the next call use the buffers of this."""
        for pool, buffers in self._used:
            pool.append(buffers)

    def _buffers(self, pool: deque[tuple[Array, ...]], make: Callable[[], tuple[Array, ...]]) -> tuple[Array, ...]:
        try:
            found = pool.pop()
        except IndexError:
            found = make()
        self._used.append((pool, found))
        return found

    def _by_numpy(self) -> Callable[[int], None]:
        run, operands, targets = self._run, self._operands, self._targets
        buffers = self._buffers(run._pool, run._buffers)
        longest = run._block + run.shift

        def do(number: int) -> None:
            _, _, first, last = run._span(number)
            parts = buffers if last - first == longest else tuple([b[: last - first] for b in buffers])
            self._finish(number, dict(zip(run._kept, run._do(first, last, operands, targets, parts), strict=True)))

        return do

    def _by_machine(self, blocks: NativeBlocks) -> Callable[[int], None]:
        run = self._run
        steps = blocks.steps(self._operands, self._targets, self._buffers(blocks.pool, blocks.buffers))
        careful: Callable[[int], None] | None = None

        def do(number: int) -> None:
            nonlocal careful
            _, _, first, last = run._span(number)
            results = steps(first, last)
            if results is not None:
                self._finish(number, results)
                return
            careful = careful or self._by_numpy()
            careful(number)

        return do

    def _finish(self, number: int, results: Mapping[Term, Array]) -> None:
        """What is left of a block when its steps are done."""
        run = self._run
        begin, end, first, _ = run._span(number)
        if not run._direct:
            for target, term in zip(self._targets, run.values, strict=False):
                target[begin:end] = results[term][begin - first :]
        for target, placement in zip(self._targets[len(run.values) :], run.placements, strict=True):
            for k, (term, shift) in enumerate(placement.parts):
                place(target, results[term], shift, begin, end, first, run.count, k == 0)
        if begin < run.count:
            for partial, step in zip(self.partial, run.sums, strict=True):
                partial[number] = step.function.reduce(results[step.args[0]][begin - first : min(end, run.count) - first])
