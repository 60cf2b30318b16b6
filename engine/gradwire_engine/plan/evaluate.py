"""What a step means: it is called on arrays, one after the other and without any sharing of memory.

Constants are folded with it, and the passes are tested against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..record import call_kernel
from ..tensor import own_result
from .ir import Graph, Step, Term, take, take_known


def call(step: Step, values: Mapping[Term, Any]) -> tuple[Array, ...]:
    """The results of one step; NumPy's warnings are for the caller to silence.

    Args:
        step: The step.
        values: The arrays of the terms that it reads; those of constants need not be there.
    """

    def value_of(item: Any) -> Any:
        if type(item) is Term:
            return values[item] if item.constant is None else item.constant
        return tuple(value_of(i) for i in item) if type(item) is tuple else item

    args = value_of(step.args)
    kind = step.kind
    if kind == "view":
        source = step.args[0]
        return (take(step.how, args[0]) if source.constant is None else take_known(step.how, source),)
    if kind in ("put", "add_at"):
        made = np.array(args[0], order="C")
        region = made
        for how in step.how:
            region = take(how, region)
        region[...] = args[1] if kind == "put" else region + args[1]
        return (made,)
    if kind == "kernel":
        return run_kernel_step(step, args)
    if kind == "run":
        arrays = [empty_like(out) for out in step.outs if out.shape]
        return (*arrays, *[np.asarray(v) for v in step.function(args, arrays)])
    if kind == "copy":
        results: Any = args[0]
    elif kind == "reduce":
        results = step.function.reduce(args[0], **step.options())
    else:
        results = step.function(*args, **step.options())
    found = results if len(step.outs) > 1 else (results,)
    return tuple(laid_out(r, out) for r, out in zip(found, step.outs, strict=True))


def laid_out(value: Any, term: Term) -> Array:
    """A copy of the elements in the layout of a term.

    Args:
        value: The elements, of a shape that broadcasts to that of the term.
        term: Whose layout.
    """
    made = empty_like(term)
    np.copyto(made, value, casting="unsafe")
    return made


def empty_like(term: Term) -> Array:
    """An array in the layout of a term, which no element of it is repeated in."""
    itemsize = term.dtype.itemsize
    order = sorted(range(len(term.shape)), key=lambda i: (-term.strides[i], i))
    made = np.empty(tuple(term.shape[i] for i in order), term.dtype)
    return made.transpose(np.argsort(order)) if order and itemsize else made


def run_kernel_step(step: Step, args: Sequence[Any]) -> tuple[Array, ...]:
    """Calls the kernel of an op and gives results that share memory with no argument, in the layout that its shape rule promises."""
    op = step.function
    result = call_kernel(op, args)
    results = (result,) if op.outputs is None and not op.variable_outputs else tuple(result)
    return tuple(own_result(r, op, args) for r in results)


def evaluate(graph: Graph, arrays: Sequence[Array]) -> list[Array]:
    """The outputs of a graph, computed step by step.

    Args:
        graph: The graph.
        arrays: One per input.
    """
    values: dict[Term, Any] = dict(zip(graph.inputs, arrays, strict=True))
    with np.errstate(all="ignore"):
        for step in graph.steps:
            values.update(zip(step.outs, call(step, values), strict=True))
    return [np.array(values[t] if t.constant is None else t.constant) for t in graph.outputs]
