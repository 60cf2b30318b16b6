"""Sums of gradients of parts: instead of zeros with a part filled in, added as a whole, the part alone is added in its place."""

from __future__ import annotations

import numpy as np

from .ir import Graph, Step, Term, is_splat, splat_value
from .prune import prune
from .rewrite import Rewriting


def accumulate(graph: Graph) -> Graph:
    """The graph with ``whole + zeros-with-a-part`` turned into an addition to a part of the whole.

    Where nothing is added -0.0 stays -0.0, which the sum with zeros would make 0.0; every number is equal.

    Args:
        graph: The graph.
    """
    if not any(step.kind == "put" for step in graph.steps):
        return graph
    uses = graph.uses()
    made = Rewriting(graph)
    for step in graph.steps:
        step = made.current(step)
        found = _added(step, made.producers, uses) if step.function is np.add and not step.how else None
        made.keep(found or step)
    return prune(made.done())


def _added(step: Step, producers: dict[Term, Step], uses: dict[Term, int]) -> Step | None:
    if any(type(a) is not Term for a in step.args):
        return None
    # The later of two parts is added to the earlier, which is there already.
    for whole, part in (step.args, step.args[::-1]):
        if not whole.same_layout(step.out) or not part.same_layout(step.out) or whole is part:
            continue
        maker = producers.get(part)
        if maker is None or maker.kind != "put" or uses.get(part, 0) != 1 or not _is_zero(maker.args[0]):
            continue
        return Step("add_at", None, (whole, maker.args[1]), step.outs, maker.how)
    return None


def _is_zero(term: Term) -> bool:
    return term.constant is not None and is_splat(term) and not splat_value(term)
