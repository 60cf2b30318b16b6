"""Long plans are compiled in parts, which hand on to each other what more than one of them needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.dtypes import Array
from gradwire_engine.errors import Cancelled
from gradwire_engine.op import ops
from gradwire_engine.plan import compile_trace, parts
from gradwire_engine.plan.emit import Source
from gradwire_engine.plan.lower import lower
from gradwire_engine.plan.plan import optimise
from gradwire_engine.stopping import stoppable

from .graphs import Function, close, eagerly, plan_of, trace_of, with_gradients


def long_sum(x: Any, y: Any) -> Any:
    """Arrays, numbers, parts of arrays and what a kernel makes, of which the gradient needs all again."""
    total = y
    for i in range(25):
        total = total + (x * y).sin().sum() * (i + 1)
        x = ops.where(x > 0.1, x, ops.cumsum(x, 0) * y) / (1 + x[1:].sum() ** 2)
    return total * x.sum()


ARRAYS: list[Array] = [np.linspace(0.1, 1, 5), np.asarray(0.3)]


def texts(function: Function, arrays: list[Array]) -> list[str]:
    return Source(optimise(lower(trace_of(function, arrays)))).texts


def test_no_text_is_long() -> None:
    found = texts(with_gradients(long_sum), ARRAYS)
    assert len(found) > 3
    # Beside its lines a part has a head, and may drop what it was given.
    assert max(text.count("\n") for text in found) < 2 * parts.LINES
    assert len(texts(lambda x: (x.sin() * x).sum(), ARRAYS[:1])) == 1


def test_parts_compute_what_eager_tensors_do() -> None:
    function = with_gradients(long_sum)
    plan = plan_of(function, ARRAYS)
    for _ in range(2):
        for found, expected in zip(plan(ARRAYS), eagerly(function, ARRAYS), strict=True):
            close(found, expected)


@pytest.mark.parametrize("lines", [1, 2, 3, 7])
def test_parts_of_any_length_compute_the_same(monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
    function = with_gradients(long_sum)
    expected = plan_of(function, ARRAYS)(ARRAYS)
    monkeypatch.setattr(parts, "LINES", lines)
    for found, wanted in zip(plan_of(function, ARRAYS)(ARRAYS), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_results_of_parts_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LINES", 2)
    x = np.arange(6.0)

    def function(x: Any) -> list[Any]:
        y = x
        made = []
        for _ in range(20):
            y = y * 0.9 + x
            made += [y, y[1:], y.sum()]
        return [x, *made]

    plan = plan_of(function, [x])
    first = plan([x])
    kept = [a.copy() for a in first]
    for result in first:
        result[...] = 7
    for found, expected in zip(plan([x]), kept, strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(x, np.arange(6.0))


def test_what_kernels_made_is_given_up_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LINES", 2)

    def function(x: Any) -> Any:
        for _ in range(12):
            x = ops.cumsum(x, 0) * 0.5 + x
        return x

    text = "".join(texts(function, [np.zeros(4)]))
    made = {line.split(" = ")[0].strip() for line in text.splitlines() if "kernel_" in line}
    assert len(made) == 12
    dropped = {line.removesuffix(" = None").strip() for line in text.splitlines() if line.endswith(" = None")}
    assert made < dropped
    # Where one part hands an array on to another, the list gives it up too.
    assert any(name.startswith("kept[") for name in dropped)


def test_compiling_can_be_stopped_between_parts() -> None:
    trace = trace_of(with_gradients(long_sum), ARRAYS)
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    with stoppable(count):
        compile_trace(trace)

    def stop() -> None:
        nonlocal calls
        calls -= 1
        if not calls:
            raise Cancelled("The caller went away.")

    with stoppable(stop), pytest.raises(Cancelled):
        compile_trace(trace)


def test_second_derivatives_of_long_programs() -> None:
    def second(x: Any, y: Any) -> Any:
        gradient = gradwire.grad(long_sum(x.requires_grad_(), y), [x], create_graph=True)[0]
        return gradwire.grad((gradient * gradient).sum(), [x])[0]

    expected = eagerly(second, ARRAYS)
    for found, wanted in zip(plan_of(second, ARRAYS)(ARRAYS), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9)
