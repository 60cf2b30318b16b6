"""Checks that a graph is one: every term is there before it is read, and is what its step computes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import GradwireError
from .ir import Graph, Step, Term, is_dense, take
from .outline import stand_in
from .tracer import elementwise_term


class Malformed(GradwireError):
    """A graph that a pass has broken: a bug in the compiler."""

    code = "malformed_plan"


def verify(graph: Graph) -> None:
    """Refuses a graph that cannot be run.

    Args:
        graph: The graph.

    Raises:
        Malformed: A term is read before it is computed, is computed twice, or its shape, dtype or layout are wrong.
    """
    known: set[Term] = set()
    for term in graph.inputs:
        if term in known or term.constant is not None:
            raise Malformed(f"The input {term!r} is there twice, or a constant.")
        known.add(term)
    for number, step in enumerate(graph.steps):
        for term in step.operands():
            if term not in known and term.constant is None:
                raise Malformed(f"Step {number} reads {term!r} before it is computed: {step!r}.")
        _check_results(number, step)
        for term in step.outs:
            if term in known or term.constant is not None:
                raise Malformed(f"Step {number} computes {term!r}, which is there already: {step!r}.")
            known.add(term)
    for term in graph.outputs:
        if term not in known and term.constant is None:
            raise Malformed(f"The output {term!r} is never computed.")


def _check_results(number: int, step: Step) -> None:
    for out in step.outs:
        if len(out.strides) != len(out.shape):
            raise Malformed(f"The result {out!r} of step {number} has {len(out.strides)} strides.")
    if step.kind in ("kernel", "run"):
        return
    out = step.outs[0]
    if step.kind == "elementwise":
        # A broadcast operand may have been replaced by the smaller one that it repeats, so the shape may only grow less.
        found = elementwise_term(list(step.operands()), out.dtype)
        _expect(number, step, found.shape == out.shape)
    elif step.kind == "view":
        sample = take(step.how, stand_in(step.args[0]))
        _expect(number, step, (sample.shape, sample.dtype) == (out.shape, out.dtype))
    elif step.kind in ("put", "add_at"):
        base, value = step.args
        region: Any = stand_in(out)
        for how in step.how:
            region = take(how, region)
        _expect(number, step, (base.shape, base.dtype) == (out.shape, out.dtype) and is_dense(out))
        _expect(number, step, (region.shape, region.dtype) == (value.shape, value.dtype))
    elif step.kind == "copy":
        _expect(number, step, step.args[0].shape == out.shape)
    elif step.kind == "reduce":
        axes = step.options()["axis"]
        sizes = [s for i, s in enumerate(step.args[0].shape) if i not in axes]
        _expect(number, step, int(np.prod(sizes)) == out.size)


def _expect(number: int, step: Step, holds: bool) -> None:
    if not holds:
        raise Malformed(f"The result of step {number} is not what it computes: {step!r}.")
