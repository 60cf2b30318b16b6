"""Calls that are recorded: what they have in common is found once, and nothing is taken to be alike that is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.dtypes import default_dtype, dtype_of, set_default_dtype
from gradwire_engine.limits import UNBOUNDED
from gradwire_engine.meta import Meta, dense
from gradwire_engine.meter import Meter
from gradwire_engine.op import Op, ops
from gradwire_engine.plan import compile_trace
from gradwire_engine.promotion import compute_dtype, settled_dtype
from gradwire_engine.symbolic import trace

DOUBLE, SINGLE, WHOLE, TRUTH = (np.dtype(t) for t in (np.float64, np.float32, np.int64, bool))


def forms(function: Any, *metas: Meta) -> list[Any]:
    return [instruction.form for instruction in trace(function, metas).instructions]


def test_calls_that_are_alike_have_one_form() -> None:
    x = dense((3,), DOUBLE)
    a, b, c = forms(lambda x, y: (x * y) * (y * x), x, x)
    assert a is b is c
    sliced = forms(lambda x: [x[1:3], x[1:3], x[0:2]], x)
    assert sliced[0] is sliced[1] is not sliced[2]


@pytest.mark.parametrize(
    "calls",
    [
        lambda x: [x * 1, x * 1.0, x * True],
        lambda x: [x * 0.0, x * -0.0],
        lambda x: [x.sum(0), x.sum(0, True)],
        lambda x: [x * x[:1], x * x],
        lambda x: [ops.to(x, dtype_of(SINGLE)), ops.to(x, dtype_of(DOUBLE))],
        lambda x: [ops.mul(x, 2), ops.add(x, 2)],
    ],
)
def test_calls_that_differ_have_forms_of_their_own(calls: Any) -> None:
    recorded = trace(calls, [dense((3,), WHOLE)])
    made = [instruction.form for out in recorded.outputs for instruction in recorded.instructions if out in instruction.outs]
    assert len(made) == len(set(made)) == len(recorded.outputs)
    x = np.array([-1, 0, 2])
    for found, expected in zip(compile_trace(recorded)([x]), calls(gradwire.tensor(x)), strict=True):
        assert found.dtype == expected._data.dtype
        np.testing.assert_array_equal(found, expected._data)
        if found.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(found), np.signbit(expected._data))


def test_operands_that_are_the_same_are_no_two() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([5.0, 7.0, 11.0])
    plan = compile_trace(trace(lambda x, y: [x * x, x * y, y * x, y * y], [dense((3,), DOUBLE)] * 2))
    for found, expected in zip(plan([x, y]), (x * x, x * y, y * x, y * y), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_default_dtype_of_the_moment_decides() -> None:
    before = default_dtype()

    def function(x: Any) -> list[Any]:
        first = x / 2
        set_default_dtype("float64")
        return [first, x / 2]

    try:
        set_default_dtype("float32")
        recorded = trace(function, [dense((3,), WHOLE)])
    finally:
        set_default_dtype(before.name)
    assert [out.dtype for out in recorded.outputs] == [SINGLE, DOUBLE]


def test_alike_calls_cost_alike() -> None:
    def cost(times: int) -> Meter:
        def function(x: Any) -> Any:
            for _ in range(times):
                x = ops.cumsum(x, 0) * 0.5
            return x

        meter = Meter(UNBOUNDED, lambda: None, backward=False)
        meter.measure_trace(trace(function, [dense((100,), DOUBLE)]))
        return meter

    one, two, ten = cost(1), cost(2), cost(10)
    assert ten.work - two.work == 8 * (two.work - one.work) > 0
    assert ten.bytes - two.bytes == 8 * (two.bytes - one.bytes) > 0
    assert ten.outputs == 20


OPERANDS: list[Any] = [*(dense(shape, t) for t in (DOUBLE, SINGLE, WHOLE, TRUTH) for shape in ((3,), ())), 2, 2.5, True, 1j]


@pytest.mark.parametrize("op", [ops.mul, ops.atan2])
def test_the_short_way_to_a_dtype_finds_the_same(op: Op) -> None:
    found = 0
    for a in OPERANDS:
        for b in OPERANDS:
            values = [a, b, *(p.default for p in op.params[2:])]
            settled = settled_dtype(op, values)
            if settled is not None:
                found += 1
                assert settled == compute_dtype(op, values), (a, b)
    assert found > 20
