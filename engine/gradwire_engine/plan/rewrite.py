"""What passes share: replacing terms by equal ones."""

from __future__ import annotations

from .ir import Graph, Step, Term, substitute


class Rewriting:
    """A graph on its way through a pass: the steps that are kept, and what stands in place of the terms of those that are not.

    Args:
        graph: The graph that goes through.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.steps: list[Step] = []
        self.producers: dict[Term, Step] = {}
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
