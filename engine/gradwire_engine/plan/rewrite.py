"""Rewriting step by step: each goes through rules, which keep it, change it, or have equal terms in place of its results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .ir import Graph, Step, Term, substitute


class Rewriting:
    """A graph on its way through rules: the steps that are kept, and what stands in place of the terms of those that are not.

    Args:
        graph: The graph that goes through.

    Attributes:
        steps: The steps that are kept.
        producers: The step that computes each term.
        seen: The steps that are kept, by what tells them apart.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.steps: list[Step] = []
        self.producers: dict[Term, Step] = {}
        self.seen: dict[Any, Step] = {}
        self._replaced: dict[Term, Term] = {}

    def current(self, step: Step) -> Step:
        """The step with the terms that stand in place of its operands."""
        if not self._replaced:
            return step
        args = substitute(step.args, self._replaced)
        return step if args is step.args else step.with_args(args)

    def keep(self, step: Step) -> None:
        """Keeps a step."""
        self.steps.append(step)
        for out in step.outs:
            self.producers[out] = step

    def replace(self, old: Term, new: Term) -> None:
        """Reads ``new`` wherever ``old`` is read from now on."""
        self._replaced[old] = new

    def done(self) -> Graph:
        """The graph that comes out."""
        outputs = [self._replaced.get(t, t) for t in self.graph.outputs]
        return Graph(self.graph.inputs, self.steps, outputs)


Rule = Callable[[Step, Rewriting], Step | Sequence[Term] | None]
"""What is done with a step whose operands went through already: another step for the same results, terms in place of the results, or
``None`` to leave it as it is."""


def rewrite(graph: Graph, *rules: Rule) -> Graph:
    """The graph after every step went through the rules, one after the other.

    Args:
        graph: The graph.
        rules: The rules.
    """
    made = Rewriting(graph)
    for step in graph.steps:
        step = made.current(step)
        for rule in rules:
            found = rule(step, made)
            if isinstance(found, Step):
                step = found
            elif found is not None:
                for old, new in zip(step.outs, found, strict=True):
                    made.replace(old, new)
                break
        else:
            made.keep(step)
    return made.done()
