"""Results computed in the layout in which they are wanted, where only that one is."""

from __future__ import annotations

from .ir import Graph, Step, Term, dense_term, is_dense
from .prune import prune
from .rewrite import Rewriting


def settle(graph: Graph) -> Graph:
    """The graph with transposed products computed as products of the transposes, and reductions without dimensions that are then dropped.

    Args:
        graph: The graph.
    """
    if not any(step.kind == "view" for step in graph.steps):
        return graph
    uses = graph.uses()
    viewed = {step.args[0] for step in graph.steps if step.kind == "view"}
    made = Rewriting(graph)
    for step in graph.steps:
        step = made.current(step)
        maker = made.producers.get(step.args[0]) if step.kind == "view" else None
        if maker is None or uses.get(maker.out) != 1:
            made.keep(step)
        elif maker.kind == "reduce" and step.how[0] == "reshape" and step.how[1] == _dropped(maker):
            options = {**maker.options(), "keepdims": False}
            made.keep(Step("reduce", maker.function, maker.args, step.outs, tuple(options.items())))
        elif maker.kind == "matmul" and _is_turned(step) and step.out not in viewed:
            _turn(maker, step.out, made)
        else:
            made.keep(step)
    return prune(made.done())


def _dropped(reduction: Step) -> tuple[int, ...]:
    """The shape of a reduction without the dimensions that were reduced."""
    axes = reduction.options()["axis"]
    return tuple(s for i, s in enumerate(reduction.args[0].shape) if i not in axes)


def _is_turned(step: Step) -> bool:
    source: Term = step.args[0]
    return step.how == ("transpose", (1, 0)) and len(source.shape) == 2 and not is_dense(step.out)


def _turn(product: Step, out: Term, made: Rewriting) -> None:
    """Keeps the product of the transposes, in reverse, in place of ``out``."""
    factors: list[Term] = []
    for factor in reversed(product.args):
        turned = Term(factor.shape[::-1], factor.dtype, factor.strides[::-1])
        made.keep(Step("view", None, (factor,), (turned,), ("transpose", (1, 0))))
        factors.append(turned)
    result = dense_term(out.shape, out.dtype)
    made.keep(Step("matmul", product.function, tuple(factors), (result,), ()))
    made.replace(out, result)
