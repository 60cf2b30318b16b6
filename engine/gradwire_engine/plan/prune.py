"""Dead code: what nobody reads is not computed."""

from __future__ import annotations

from .ir import Graph, Step, Term


def prune(graph: Graph) -> Graph:
    """The graph without the pure steps that no output depends on.

    Args:
        graph: The graph.
    """
    needed: set[Term] = set(graph.outputs)
    kept: list[Step] = []
    for step in reversed(graph.steps):
        if step.pure and needed.isdisjoint(step.outs):
            continue
        kept.append(step)
        needed.update(step.operands())
    return Graph(graph.inputs, kept[::-1], graph.outputs)
