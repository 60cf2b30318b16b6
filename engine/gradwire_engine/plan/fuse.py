"""Long elementwise runs: steps over many elements that are done together, block by block, while the elements are in the cache."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from ..stopping import watched
from .ir import Graph, Step, Term, is_dense, is_splat, splat_value
from .native.background import available
from .native.rules import are_for_machine_code, saved_nanoseconds
from .runs import Placement, Run

LONG: Final = 1 << 16
"""The number of elements from which on steps are done in blocks."""
SHORT: Final = 1 << 11
"""The number from which on they are, if machine code computes their elementary functions so much faster that it pays."""
_BLOCKS_COST: Final = 40e3
"""The nanoseconds that have to be saved: doing a block costs half of them."""
_LONGEST_SHIFT: Final = 64
# How many groups are looked at beside the one that computes what a step reads.
_LOOKED_AT: Final = 4
_SUMS: Final = (np.add, np.maximum, np.minimum)


class _Group:
    """Steps that are to be done together.

    Attributes:
        number: Its place among the groups. What it reads is computed by those before it, or by no group at all.
        shape: The shape of all their results.
        members: The steps, in order.
        inside: What they compute for every element.
        sums: What they add up, or reduce otherwise.
        placements: The arrays that they put together out of parts.
    """

    def __init__(self, number: int, shape: tuple[int, ...]) -> None:
        self.number = number
        self.shape = shape
        self.members: list[Step] = []
        self.inside: set[Term] = set()
        self.sums: dict[Term, Step] = {}
        self.placements: dict[Term, Placement] = {}

    def steps(self) -> list[Step]:
        """Those of the members that compute something for every element."""
        return [s for s in self.members if s.out in self.inside]

    def pays(self) -> bool:
        """Whether they are better done together than one after the other."""
        if len(self.members) == 1:
            return False
        count, steps = math.prod(self.shape), self.steps()
        return count >= LONG or (count * saved_nanoseconds(steps) >= _BLOCKS_COST and are_for_machine_code(steps))

    def computes(self, term: Term) -> bool:
        """Whether it is what a member computes."""
        return term in self.inside or term in self.sums or term in self.placements


def fuse(graph: Graph) -> Graph:
    """The graph with long elementwise runs as single steps.

    Args:
        graph: The graph.
    """
    least = SHORT if available() else LONG
    if not any(out.size >= least for step in graph.steps for out in step.outs):
        return graph
    made = _Grouping(graph, least)
    for step in watched(graph.steps):
        made.add(step)
    return made.graph()


class _Grouping:
    def __init__(self, graph: Graph, least: int) -> None:
        self._graph = graph
        self._least = least
        self._uses = graph.uses()
        self._groups: list[_Group] = []
        # The numbers of the groups of each shape.
        self._alike: dict[tuple[int, ...], list[int]] = {}
        self._home: dict[Step, _Group] = {}
        # The last of the groups without which a term is not there; what needs none is not listed.
        self._last: dict[Term, int] = {}

    def add(self, step: Step) -> None:
        """Takes a step into a group, if there is one that it can be done with or may begin."""
        last = max([self._last.get(term, -1) for term in step.operands()], default=-1)
        group = next((g for g in self._candidates(step, last) if self._fits(step, g) and self._is_early(step, g)), None)
        if group is None and self._is_long(step) and _operands_fit(step, step.out.shape, ()):
            group = _Group(len(self._groups), step.out.shape)
            self._groups.append(group)
            self._alike.setdefault(group.shape, []).append(group.number)
        if group is not None:
            self._join(step, group)
            self._home[step] = group
            last = group.number
        if last >= 0:
            self._last.update(dict.fromkeys(step.outs, last))

    def _candidates(self, step: Step, last: int) -> Iterator[_Group]:
        """The groups that a step may join, of which ``last`` is the last that it needs: that one, or later ones, which it needs not."""
        if last >= 0:
            yield self._groups[last]
        if step.kind in ("elementwise", "copy"):
            alike = self._alike.get(step.out.shape, [])
            yield from (self._groups[number] for number in alike[bisect_right(alike, last) :][:_LOOKED_AT])

    def _is_early(self, step: Step, group: _Group) -> bool:
        """Whether all that the group does not compute itself is there before it."""
        return all(group.computes(term) or self._last.get(term, -1) < group.number for term in step.operands())

    def _fits(self, step: Step, group: _Group) -> bool:
        if step.kind == "reduce":
            (source,) = step.args
            return (
                source in group.inside
                and not step.out.shape
                and step.function in _SUMS
                and step.out.dtype == source.dtype
                and step.options()["axis"] == tuple(range(len(source.shape)))
                and "initial" not in step.options()
            )
        if step.kind in ("put", "add_at"):
            return self._is_placed(step, group)
        return self._is_long(step) and step.out.shape == group.shape and _operands_fit(step, group.shape, {*group.placements, *group.sums})

    def _is_long(self, step: Step) -> bool:
        return step.kind in ("elementwise", "copy") and len(step.outs) == 1 and step.out.size >= self._least and is_dense(step.out)

    def _is_placed(self, step: Step, group: _Group) -> bool:
        base, value = step.args
        if value not in group.inside or _shift(step) is None:
            return False
        if step.kind == "put":
            return base.constant is not None and is_splat(base) and not splat_value(base)
        return base in group.placements and self._uses[base] == 1

    def _join(self, step: Step, group: _Group) -> None:
        group.members.append(step)
        if step.kind == "reduce":
            group.sums[step.out] = step
        elif step.kind in ("put", "add_at"):
            base, value = step.args
            before = () if step.kind == "put" else group.placements.pop(base).parts
            group.placements[step.out] = Placement(step.out, (*before, (value, _shift(step) or 0)))
        else:
            group.inside.add(step.out)

    def graph(self) -> Graph:
        """The graph with a step for every group that pays, in an order in which everything is there when it is read."""
        readers: dict[Term, set[_Group | None]] = {term: {None} for term in self._graph.outputs}
        for step in self._graph.steps:
            for term in step.operands():
                readers.setdefault(term, set()).add(self._home.get(step))
        runs = {g: self._run(g, readers) for g in watched(self._groups, every=1) if g.pays()}
        nodes: list[Step] = []
        seen: set[_Group] = set()
        for step in self._graph.steps:
            group = self._home.get(step)
            if group is None or group not in runs:
                nodes.append(step)
            elif group not in seen:
                seen.add(group)
                nodes.append(runs[group])
        return Graph(self._graph.inputs, _in_order(nodes), self._graph.outputs)

    def _run(self, group: _Group, readers: Mapping[Term, set[_Group | None]]) -> Step:
        """A group as one step, of whose results those are kept that others read."""
        values = [s.out for s in group.members if s.out in group.inside and readers.get(s.out, set()) - {group}]
        placements = list(group.placements.values())
        computed = {out for s in group.members for out in s.outs}
        operands = list(dict.fromkeys(t for s in group.members for t in s.operands() if t not in computed and not _is_number(t)))
        if any(s.kind == "put" for s in group.members):
            operands = [t for t in operands if t.constant is None or not is_splat(t)]
        run = Run(group.shape, group.steps(), operands, values, placements, list(group.sums.values()))
        outs = (*values, *(p.out for p in placements), *group.sums)
        return Step("run", run, tuple(operands), outs)


def _operands_fit(step: Step, shape: tuple[int, ...], without: Any) -> bool:
    """Whether every operand is a number or has an element for each of the result, in the same order; and is not in ``without``."""
    return all(
        t not in without and (t.size == 1 or (t.shape == shape and is_dense(t)) or (t.constant is not None and is_splat(t)))
        for t in step.operands()
    )


def _is_number(term: Term) -> bool:
    return term.constant is not None and is_splat(term)


def _shift(step: Step) -> int | None:
    """Where a region of consecutive elements begins; ``None`` if it is no such region, or begins far away."""
    if len(step.out.shape) != 1 or len(step.how) != 1 or step.how[0][0] != "getitem":
        return None
    key = step.how[0][1]
    slices = [k for k in key if k is not Ellipsis]
    if len(slices) != 1 or type(slices[0]) is not slice:
        return None
    start, _, pace = slices[0].indices(step.out.shape[0])
    return start if pace == 1 and start <= _LONGEST_SHIFT else None


def _in_order(nodes: list[Step]) -> list[Step]:
    """The steps in an order in which every term is computed before it is read, as near to theirs as can be."""
    producers = {out: step for step in nodes for out in step.outs}
    done: set[Step] = set()
    ordered: list[Step] = []
    for first in nodes:
        stack = [(first, False)]
        while stack:
            step, ready = stack.pop()
            if step in done:
                continue
            if ready:
                done.add(step)
                ordered.append(step)
                continue
            stack.append((step, True))
            stack += [(producers[t], False) for t in step.operands() if t in producers and producers[t] not in done]
    return ordered
