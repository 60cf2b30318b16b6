"""Common subexpressions: what was computed already is not computed again."""

from __future__ import annotations

from typing import Any

from .ir import Step, Term, is_splat, splat_value
from .rewrite import Rewriting


def merge(step: Step, made: Rewriting) -> tuple[Term, ...] | None:
    """The results of an equal step that is there already; what is random is never merged.

    Args:
        step: The step.
        made: The graph so far.
    """
    if not step.pure or (step.kind == "kernel" and step.function.creation):
        return None
    key = (step.kind, step.function, _key(step.args), _key(step.how) if step.how else None)
    first = made.seen.setdefault(key, step)
    if first is step or not all(a.same_layout(b) for a, b in zip(first.outs, step.outs, strict=True)):
        return None
    return first.outs


def _key(item: Any) -> Any:
    """What tells arguments apart: 0.0 from -0.0 and 1 from True, which compare equal."""
    if type(item) is Term:
        return (item.shape, item.dtype, splat_value(item).tobytes()) if is_splat(item) else id(item)
    if type(item) is tuple or type(item) is list:
        return tuple([id(i) if type(i) is Term and i.constant is None else _key(i) for i in item])
    if type(item) is slice:
        return "slice", _key(item.start), _key(item.stop), _key(item.step)
    return type(item), id(item) if getattr(item, "__hash__", None) is None else repr(item) if type(item) is float else item
