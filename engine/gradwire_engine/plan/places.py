"""Where the terms of a graph live: which share memory, which are handed out, and for how long each is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from .ir import Graph, Step, Term

Home = Literal["input", "constant", "number", "held", "output", "made"]
"""Where the elements of a term are: given, known, in a Python number, in memory that the plan keeps between calls, in an array that
is handed out, or in one that a kernel makes."""

_ALIGNED: Final = 64
_COPIED: Final = 1 << 15
"""Up to how many bytes a result that is put together in place is copied out: views of memory that is kept need not be made anew."""


class Places:
    """The homes of the terms of a graph.

    Args:
        graph: The graph.

    Attributes:
        home: Where each root is.
        root: The term whose memory each term lies in: itself, unless it is a view or was written into the memory of another.
        buffer: For each root that is held, the number of its buffer.
        sizes: The bytes of each buffer.
        ends: For each step the roots that are read there for the last time.
        in_place: The steps (by number) that write into the memory of their first operand.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.home: dict[Term, Home] = {}
        self.root: dict[Term, Term] = {}
        self.buffer: dict[Term, int] = {}
        self.sizes: list[int] = []
        self.in_place: set[int] = set()
        self.ends: list[list[Term]] = [[] for _ in graph.steps]
        self._last: dict[Term, int] = {}
        self._views = {step.out for step in graph.steps if step.kind == "view"}
        self._settle()
        self._assign()

    def root_of(self, term: Term) -> Term:
        """The term whose memory ``term`` lies in."""
        return self.root.get(term, term)

    def home_of(self, term: Term) -> Home:
        """Where the elements of ``term`` are."""
        if term.constant is not None:
            return "constant"
        return self.home[self.root_of(term)]

    def _settle(self) -> None:
        """Decides what is written in place, what is handed out, and when each root is read last."""
        graph = self.graph
        last: dict[Term, int] = {}
        sources = {step.out: step.args[0] for step in graph.steps if step.kind == "view"}

        def origin(term: Term) -> Term:
            while term in sources and sources[term].shape and term.shape:
                term = sources[term]
            return term

        for number, step in enumerate(graph.steps):
            if step.kind != "view" or not step.out.shape or not step.args[0].shape:
                for term in step.operands():
                    last[origin(term) if term in sources else term] = number
        for term in graph.outputs:
            last[origin(term)] = len(graph.steps)
        outputs = set(graph.outputs)
        for term in graph.inputs:
            self.home[term] = "input" if term.shape else "number"
        for number, step in enumerate(graph.steps):
            for out in step.outs:
                if step.kind == "view" and out.shape and step.args[0].shape:
                    self.root[out] = self.root_of(step.args[0])
                elif not out.shape:
                    self.home[out] = "number"
                elif step.kind == "view":
                    self.root[out] = step.args[0]  # a number's, which has an array of its own
                elif step.kind == "kernel" or (step.function is np.where and not _by_mask(step)):
                    self.home[out] = "made"
                elif step.kind in ("put", "add_at") and self._may_overwrite(step, number, last):
                    base = self.root_of(step.args[0])
                    self.root[out] = base
                    last[base] = last.get(out, number)
                    self.in_place.add(number)
                    if out in outputs and out.nbytes > _COPIED:
                        self.home[base] = "output"
                else:
                    built = step.kind in ("put", "add_at") and out.nbytes <= _COPIED
                    self.home[out] = "output" if out in outputs and not built else "held"
        self._last = last
        count = len(graph.steps)
        for term, number in last.items():
            root = self.root.get(term, term)
            if number < count and (root is term or last.get(root) == number) and root not in self.ends[number]:
                self.ends[number].append(root)

    def _may_overwrite(self, step: Step, number: int, last: dict[Term, int]) -> bool:
        base, value = step.args
        root = self.root_of(base)
        return (
            base.constant is None
            and self.home.get(root) == "held"
            and last.get(root, number) <= number
            and root.same_layout(step.out)
            and (base is root or base not in self._views)
            and (type(value) is not Term or value.constant is not None or self.root_of(value) is not root)
        )

    def _assign(self) -> None:
        """Gives every held root a buffer; one that is not needed any more is used again."""
        free: dict[int, list[int]] = {}
        for number, step in enumerate(self.graph.steps):
            ends = [r for r in self.ends[number] if r in self.buffer]
            for out in step.outs:
                if self.home.get(out) != "held":
                    continue
                taken = self._overwritten(step, out, ends) if ends else None
                if taken is not None:
                    self.buffer[out] = self.buffer[taken]
                    ends.remove(taken)
                else:
                    self.buffer[out] = self._take(free, out)
                if self._last.get(out, number) <= number and out not in ends:
                    ends.append(out)
            for root in ends:
                free.setdefault(self.sizes[self.buffer[root]], []).append(self.buffer[root])

    def _overwritten(self, step: Step, out: Term, ends: Sequence[Term]) -> Term | None:
        """An operand that is read here for the last time, and whose memory an elementwise call may therefore write to."""
        if step.kind != "elementwise" or not isinstance(step.function, np.ufunc) or len(step.outs) > 1:
            return None
        for operand in step.args:
            if type(operand) is Term and operand in ends and _fits_exactly(operand, out):
                # A view of it that is not exactly it would be overwritten while it is read.
                others = [o for o in step.args if o in self.root and o is not operand and self.root_of(o) is operand]
                if not others:
                    return operand
        return None

    def _take(self, free: dict[int, list[int]], out: Term) -> int:
        need = max(-(-out.nbytes // _ALIGNED) * _ALIGNED, _ALIGNED)
        fitting = [size for size, found in free.items() if found and need <= size <= 4 * need]
        if fitting:
            return free[min(fitting)].pop()
        self.sizes.append(need)
        return len(self.sizes) - 1


def _by_mask(step: Step) -> bool:
    """Whether a ``numpy.where`` can be done in memory that is there: by copying twice."""
    condition: Any = step.args[0]
    return type(condition) is Term and condition.dtype.kind == "b" and bool(condition.shape)


def _fits_exactly(operand: Term, out: Term) -> bool:
    return operand.shape == out.shape and operand.strides == out.strides and operand.dtype.itemsize == out.dtype.itemsize
