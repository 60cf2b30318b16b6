"""Algebraic clean-up that changes no bit of any result, signed zeros and infinities included.

``x + 0`` is not among it: -0.0 + 0.0 is 0.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .ir import Step, Term, constant_term, is_splat, splat_value
from .rewrite import Rewriting

_NUMBERS = (bool, int, float, complex)


def simplify(step: Step, made: Rewriting) -> Step | tuple[Term] | None:
    """A step without products by one, double negations, views of views and the like.

    Args:
        step: The step.
        made: The graph so far.
    """
    given = step
    if step.kind == "elementwise":
        step = _narrowed(step, made)
    while True:
        rule = _RULES.get(step.function) if step.kind == "elementwise" else _KINDS.get(step.kind)
        found = None if rule is None else rule(step, made)
        if type(found) is Term and found.same_layout(step.out):
            return (found,)
        if type(found) is not Step:
            return None if step is given else step
        step = found


def _narrowed(step: Step, made: Rewriting) -> Step:
    """The step with operands that only repeat elements replaced by what they repeat, as far as its shape stays."""
    shape = step.out.shape
    args = list(step.args)
    changed = False
    for i, operand in enumerate(args):
        if type(operand) is not Term or not operand.shape:
            continue
        source = None
        if operand.constant is not None and is_splat(operand):
            source = constant_term(splat_value(operand))
        else:
            maker = made.producers.get(operand)
            if maker is not None and maker.kind == "view" and _repeats(maker):
                source = maker.args[0]
        if source is None:
            continue
        others = [a for j, a in enumerate(args) if j != i and type(a) is Term]
        if _spans(shape, [source, *others]):
            args[i] = source
            changed = True
    return step.with_args(tuple(args)) if changed else step


def _repeats(view: Step) -> bool:
    """Whether a view is a broadcast: its source's sizes at the end, and nothing but repetition elsewhere."""
    source, out = view.args[0], view.out
    if view.how[0] != "strided" or view.how[1][2] or source.dtype != out.dtype or len(source.shape) > len(out.shape):
        return False
    lead = len(out.shape) - len(source.shape)
    if any(out.strides[:lead]):
        return False
    return all(
        (have == size and step == now) or (have == 1 and now == 0)
        for have, size, step, now in zip(source.shape, out.shape[lead:], source.strides, out.strides[lead:], strict=True)
    )


def _spans(shape: tuple[int, ...], operands: list[Term]) -> bool:
    """Whether the operands broadcast to the whole of ``shape``."""
    try:
        return np.broadcast_shapes(*[o.shape for o in operands]) == shape
    except ValueError:
        return False


def _is(item: Any, value: int) -> bool:
    """Whether an operand is this number throughout."""
    if type(item) is Term:
        return item.constant is not None and is_splat(item) and bool(splat_value(item) == value)
    return type(item) in _NUMBERS and item == value


def _maker(item: Any, made: Rewriting, function: Any) -> Step | None:
    """The step that computes an operand, if it calls ``function`` and nothing else decides what that does."""
    step = made.producers.get(item) if type(item) is Term else None
    return step if step is not None and step.function is function and not step.how else None


def _product(step: Step, made: Rewriting) -> Term | Step | None:
    a, b = step.args
    if _is(b, 1) and type(a) is Term:
        return a
    if _is(a, 1) and type(b) is Term:
        return b
    if step.how or step.out.dtype.kind != "f":
        return None
    for x, y in ((a, b), (b, a)):
        inner = _maker(x, made, np.negative)
        if inner is None or type(inner.args[0]) is not Term or not _spans(step.out.shape, _terms(inner.args[0], y)):
            continue
        if _is_number(y):
            return Step("elementwise", np.multiply, (inner.args[0], _opposite(y)), step.outs)
        # The sign goes outwards, where a sum or a difference takes it in.
        product = Term(step.out.shape, step.out.dtype, step.out.strides)
        made.keep(Step("elementwise", np.multiply, (inner.args[0], y), (product,)))
        return Step("elementwise", np.negative, (product,), step.outs)
    return None


def _quotient(step: Step, made: Rewriting) -> Term | None:
    a, b = step.args
    return a if _is(b, 1) and type(a) is Term else None


def _negative(step: Step, made: Rewriting) -> Term | Step | None:
    """--x is x, and -(x * c) is x * -c."""
    inner = _maker(step.args[0], made, np.negative)
    if inner is not None:
        return inner.args[0] if type(inner.args[0]) is Term else None
    inner = _maker(step.args[0], made, np.multiply)
    if inner is None or step.how or step.out.dtype.kind != "f":
        return None
    for x, factor in (inner.args, inner.args[::-1]):
        if type(x) is Term and _is_number(factor) and _spans(step.out.shape, _terms(x)):
            return Step("elementwise", np.multiply, (x, _opposite(factor)), step.outs)
    return None


def _is_number(item: Any) -> bool:
    return type(item) in (int, float) or (type(item) is Term and item.constant is not None and not item.shape and item.dtype.kind == "f")


def _opposite(item: Any) -> Any:
    return constant_term(np.negative(splat_value(item))) if type(item) is Term else -float(item)


def _positive(step: Step, made: Rewriting) -> Term | None:
    found = step.args[0]
    return found if type(found) is Term else None


def _sum(step: Step, made: Rewriting) -> Step | None:
    """a + -b is a - b, and -a + b is b - a."""
    a, b = step.args
    if step.how or step.out.dtype.kind not in "fc" or not (type(a) is type(b) is Term):
        return None
    inner = _maker(b, made, np.negative)
    if inner is not None and _spans(step.out.shape, _terms(a, inner.args[0])):
        return Step("elementwise", np.subtract, (a, inner.args[0]), step.outs)
    inner = _maker(a, made, np.negative)
    if inner is not None and _spans(step.out.shape, _terms(b, inner.args[0])):
        return Step("elementwise", np.subtract, (b, inner.args[0]), step.outs)
    return None


def _difference(step: Step, made: Rewriting) -> Step | None:
    """a - -b is a + b."""
    a, b = step.args
    inner = _maker(b, made, np.negative)
    if inner is None or step.how or step.out.dtype.kind not in "fc" or not _spans(step.out.shape, _terms(a, inner.args[0])):
        return None
    return Step("elementwise", np.add, (a, inner.args[0]), step.outs)


def _terms(*items: Any) -> list[Term]:
    return [i for i in items if type(i) is Term]


def _view(step: Step, made: Rewriting) -> Term | Step | None:
    """A view of everything is what it views; a shape given twice is given once."""
    source = step.args[0]
    if step.how == ("getitem", (...,)):
        return source if type(source) is Term else None
    if step.how[0] in ("getitem", "reshape", "transpose", "dtype") and source.same_layout(step.out):
        # A part that has the shape of the whole is the whole.
        return source if type(source) is Term else None
    if step.how[0] == "transpose":
        return _transposed(step, made)
    if step.how[0] == "reshape":
        maker = made.producers.get(source)
        if maker is not None and maker.kind == "view" and maker.how[0] == "reshape":
            return Step("view", None, maker.args, step.outs, step.how)
    return None


def _transposed(step: Step, made: Rewriting) -> Term | Step | None:
    """Dimensions exchanged twice are exchanged once; the transpose of a product is the product of the transposes, in reverse."""
    maker = made.producers.get(step.args[0])
    if maker is None:
        return None
    order = step.how[1]
    if maker.kind == "view" and maker.how[0] == "transpose":
        combined = tuple(maker.how[1][a] for a in order)
        source = maker.args[0]
        if combined == tuple(range(len(combined))):
            return source if type(source) is Term else None
        return Step("view", None, (source,), step.outs, ("transpose", combined))
    return None


def _copy(step: Step, made: Rewriting) -> Term | Step | None:
    """A copy is what it copies, and a cast by way of a dtype that holds every value is a cast from the start."""
    source = step.args[0]
    if source.same_layout(step.out):
        return source if type(source) is Term else None
    maker = made.producers.get(source)
    if maker is not None and maker.kind == "copy" and np.can_cast(maker.args[0].dtype, source.dtype, "safe"):
        first = maker.args[0]
        return first if first.same_layout(step.out) else Step("copy", None, (first,), step.outs)
    return None


_RULES: dict[Any, Callable[[Step, Rewriting], Term | Step | None]] = {
    np.multiply: _product,
    np.true_divide: _quotient,
    np.power: _quotient,
    np.negative: _negative,
    np.positive: _positive,
    np.add: _sum,
    np.subtract: _difference,
}
_KINDS: dict[str, Callable[[Step, Rewriting], Term | Step | None]] = {"view": _view, "copy": _copy}
