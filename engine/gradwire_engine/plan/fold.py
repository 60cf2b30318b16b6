"""Constant folding: what depends on constants alone is computed now."""

from __future__ import annotations

from typing import Any

import numpy as np

from .evaluate import call
from .ir import MOST_BYTES, Step, Term, constant_term, is_splat, known, splat, splat_value
from .rewrite import Rewriting


def fold(step: Step, made: Rewriting) -> list[Term] | None:
    """The results of a pure step whose operands are all constants, if they are small.

    Args:
        step: The step.
        made: The graph so far.
    """
    for term in step.operands():
        if term.constant is None:
            return None
    if not step.pure:
        return None
    try:
        with np.errstate(all="ignore"):
            return _of_one_element(step) or _of_all(step)
    except Exception:
        return None  # a kernel that fails does so when the plan is called


def _of_one_element(step: Step) -> list[Term] | None:
    """The results where every operand repeats one element, and so does each of them."""
    if step.kind not in ("elementwise", "copy", "view") or not all(is_splat(t) for t in step.operands()):
        return None
    if 0 in step.out.shape:
        return None
    if step.kind == "view":
        if step.out.dtype != step.args[0].dtype:
            return None
        return [splat(splat_value(step.args[0]), step.out.shape)]

    def one(item: Any) -> Any:
        return constant_term(splat_value(item)) if type(item) is Term else item

    alone = tuple(Term((), out.dtype, ()) for out in step.outs)
    single = Step(step.kind, step.function, tuple(one(a) for a in step.args), alone, step.how)
    return [splat(value, out.shape) for value, out in zip(call(single, {}), step.outs, strict=True)]


def _of_all(step: Step) -> list[Term] | None:
    if sum(out.nbytes for out in step.outs) > MOST_BYTES or sum(t.size for t in step.operands()) > MOST_BYTES:
        return None
    found = []
    for out, array in zip(step.outs, call(step, {}), strict=True):
        made = known(array)
        if made.shape != out.shape or made.dtype != out.dtype:
            return None
        found.append(made)
    return found
