"""Common subexpressions: what was computed already is not computed again."""

from __future__ import annotations

from typing import Any

from .ir import Graph, Step, Term, is_splat, splat_value
from .rewrite import Rewriting


def merge(graph: Graph) -> Graph:
    """The graph with equal steps done once; what is random is never merged.

    Args:
        graph: The graph.
    """
    made = Rewriting(graph)
    seen: dict[Any, Step] = {}
    for step in graph.steps:
        step = made.current(step)
        if not step.pure or (step.kind == "kernel" and step.function.creation):
            made.keep(step)
            continue
        key = (step.kind, step.function, _key(step.args), _key(step.how))
        first = seen.setdefault(key, step)
        if first is step or not all(a.same_layout(b) for a, b in zip(first.outs, step.outs, strict=True)):
            made.keep(step)
            continue
        for old, new in zip(step.outs, first.outs, strict=True):
            made.replace(old, new)
    return made.done()


def _key(item: Any) -> Any:
    """What tells arguments apart: 0.0 from -0.0 and 1 from True, which compare equal."""
    if type(item) is Term:
        if item.constant is not None and is_splat(item):
            return item.shape, item.dtype, splat_value(item).tobytes()
        return id(item)
    if type(item) is tuple or type(item) is list:
        return tuple(_key(i) for i in item)
    if type(item) is slice:
        return "slice", _key(item.start), _key(item.stop), _key(item.step)
    return type(item), id(item) if getattr(item, "__hash__", None) is None else repr(item) if type(item) is float else item
