"""Every op on all of its samples, as a plan of that one op, its gradients and theirs, against eager tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

import gradwire_engine as gradwire
from gradwire_engine.errors import GradwireError
from gradwire_engine.random import Generator
from tests.engine.test_ops import array_of, chosen, with_tensors
from tests.samples.base import G, Sample
from tests.samples.build import ARRAYS, GRADWIRE, build, differentiated, draw, flat
from tests.samples.running import Numbered, check_each, over_ops

from .graphs import Function, close, eagerly, plan_of


def is_planned(name: str, sample: Sample) -> bool:
    # A generator among the arguments goes on from call to call, so that no two calls give the same.
    return not sample.error and not any(isinstance(a, G) for a in (*sample.args, *sample.kwargs.values()))


@over_ops(is_planned)
def test_plans_of_one_op(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_plan)


def is_traceable(name: str, sample: Sample) -> bool:
    """Whether no part of the call has a shape that depends on values."""
    op, values = chosen(build(name, sample, ARRAYS))
    masks = [v for v in values if isinstance(v, tuple) and any(getattr(i, "dtype", None) in (np.bool_, np.uint8) for i in v)]
    return not (op.data_dependent or masks)


def derivatives(name: str, sample: Sample) -> Function:
    """The op, then its gradients, then the gradients of those: projected on random directions."""

    def run(*tensors: Any) -> list[Any]:
        recipes = build(name, sample, ARRAYS).recipes
        inputs = [t.requires_grad_() if r.grad and t._data.dtype.kind in "fc" else t for t, r in zip(tensors, recipes, strict=True)]
        result = build(name, sample, with_tensors(inputs)).run()
        results = flat(result)
        wanted = [t for t in inputs if t.requires_grad]
        level = differentiated(sample, result) if sample.grad else []
        for order in (1, 2):
            if not level or not wanted or (order == 2 and not sample.grad2):
                break
            cotangents = [gradwire.tensor(draw(o.shape, o._data.dtype, 40 * order + k)) for k, o in enumerate(level)]
            found = list(gradwire.grad(level, wanted, cotangents, create_graph=order == 1, materialize_grads=True))
            results += found
            level = [g for g in found if g.requires_grad]
        return [r.detach() for r in results]

    return run


def check_plan(name: str, sample: Sample) -> None:
    call = build(name, sample, ARRAYS)
    if not is_traceable(name, sample):
        return
    function = derivatives(name, sample)
    GRADWIRE.seed(0)
    try:
        expected = eagerly(function, call.tensors)
    except GradwireError:
        return  # a second derivative that torch has none of either
    try:
        plan = plan_of(function, call.tensors)
    except GradwireError as refused:
        # What an index or a repetition looks at is not known before the call.
        if refused.code in ("data_dependent_shape", "value_needed"):
            return
        raise
    before = [np.array(a) for a in call.tensors]
    for _ in range(2):
        GRADWIRE.seed(0)
        for found, wanted in zip(plan(call.tensors), expected, strict=True):
            close(found, array_of(wanted))
    for a, b in zip(before, call.tensors, strict=True):
        np.testing.assert_array_equal(a, b)


def test_random_ops_draw_anew() -> None:
    plan = plan_of(lambda x: x + gradwire.ops.rand_like(x) - gradwire.ops.rand_like(x), [np.zeros(50)])
    first, second = plan([np.zeros(50)])[0], plan([np.zeros(50)])[0]
    assert first.any()
    assert not np.array_equal(first, second)
    assert Generator is type(gradwire.manual_seed(0))
