"""What plans promise their callers: fresh results, untouched inputs, IEEE numbers, any number of threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.dtypes import Array
from gradwire_engine.errors import Cancelled, TensorRuntimeError
from gradwire_engine.op import ops
from gradwire_engine.plan import compile_trace
from gradwire_engine.stopping import stoppable
from gradwire_engine.symbolic import trace

from .graphs import close, eagerly, plan_of, trace_of, with_gradients


def rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize("n", [2, 10, 1000])
def test_values_and_gradients(n: int) -> None:
    x = np.linspace(-1, 2, n)
    function = with_gradients(rosenbrock)
    for found, expected in zip(plan_of(function, [x])([x]), eagerly(function, [x]), strict=True):
        close(found, expected)


def test_results_are_fresh_and_inputs_untouched() -> None:
    function = with_gradients(lambda x, w: ((x @ w).tanh() ** 2).sum())
    arrays: list[Array] = [np.linspace(-1, 1, 12).reshape(3, 4), np.linspace(0, 1, 8).reshape(4, 2)]
    before = [a.copy() for a in arrays]
    plan = plan_of(function, arrays)
    first = plan(arrays)
    kept = [a.copy() for a in first]
    for result in first:
        result[...] = 7  # what a caller does with its results is its own affair
    for found, expected in zip(plan(arrays), kept, strict=True):
        np.testing.assert_array_equal(found, expected)
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_outputs_alias_neither_inputs_nor_each_other() -> None:
    x = np.arange(6.0).reshape(2, 3)

    def function(x: Any) -> list[Any]:
        y = x * 2
        return [x, x, x.t(), y, y, y[0], y.reshape(6), x.sum(), x.sum(), ops.ones_like(x)]

    plan = plan_of(function, [x])
    results = plan([x])
    for i, a in enumerate(results):
        assert not np.shares_memory(a, x)
        assert a.flags.writeable
        for b in results[i + 1 :]:
            assert not np.shares_memory(a, b)
        for b in plan([x]):
            assert not np.shares_memory(a, b)
    for found, expected in zip(results, eagerly(function, [x]), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_inputs_in_another_memory_order_are_taken() -> None:
    function = with_gradients(lambda x: (x.sin() * x.t().cos()).sum())
    x = np.arange(9.0).reshape(3, 3)
    plan = plan_of(function, [x])
    for other in (x.T.copy().T, np.repeat(x, 2, 1)[:, ::2]):
        for found, expected in zip(plan([other]), eagerly(function, [x]), strict=True):
            close(found, expected)


def test_other_inputs_are_refused() -> None:
    plan = plan_of(lambda x, y: x + y, [np.zeros(3), np.zeros(())])
    with pytest.raises(TensorRuntimeError, match="takes 2 arrays, but got 1"):
        plan([np.zeros(3)])
    with pytest.raises(TensorRuntimeError, match=r"Input 0 .* shape \[3\] .* got \[4\]"):
        plan([np.zeros(4), np.zeros(())])
    with pytest.raises(TensorRuntimeError, match=r"float64, but got .* float32"):
        plan([np.zeros(3), np.zeros((), np.float32)])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.complex128])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: x / 0,
        lambda x: 1 / x,
        lambda x: ops.exp(x * 1000),
        lambda x: ops.log(x - x),
        lambda x: ops.sqrt(-x),
        lambda x: x**-3,
        lambda x: (x - x) / (x - x),
        lambda x: x * 1e300 * 1e300,
        lambda x: x**2 * 3 - x * 0.1,
        lambda x: x.sum() + x.mean() + (x * x).sum(),
        lambda x: ops.where(x == 2, x, -x),
    ],
)
def test_numbers_have_ieee_results(function: Any, dtype: Any) -> None:
    for value in (2.0, 0.0, -1.5):
        x = np.asarray(value, dtype)
        both = with_gradients(lambda t: ops.real(function(t)))
        for found, expected in zip(plan_of(both, [x])([x]), eagerly(both, [x]), strict=True):
            close(found, expected)


def test_single_precision_numbers_are_rounded_as_such() -> None:
    x = np.asarray(0.1, np.float32)

    def function(x: Any) -> Any:
        for _ in range(20):
            x = x * 1.1 + 0.7
        return x

    np.testing.assert_array_equal(plan_of(function, [x])([x])[0], eagerly(function, [x])[0])


def test_integers_wrap_and_refuse_as_eager_ones_do() -> None:
    x = np.asarray(2**62, np.int64)
    np.testing.assert_array_equal(plan_of(lambda x: x * 3 + 1, [x])([x])[0], eagerly(lambda x: x * 3 + 1, [x])[0])
    plan = plan_of(lambda x: x // x, [np.ones(2, np.int64)])
    with pytest.raises(TensorRuntimeError, match="ZeroDivisionError"):
        plan([np.zeros(2, np.int64)])


def test_threads_have_memory_of_their_own() -> None:
    function = with_gradients(lambda x: (ops.sin(x) * ops.exp(-x * x)).cumsum(0).pow(2).sum())
    x = np.linspace(-2, 2, 5000)
    plan = plan_of(function, [x])
    inputs = [x * (k + 1) / 8 for k in range(8)]
    expected = [eagerly(function, [a]) for a in inputs]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(30):
            found = plan([inputs[k]])
            if not all(np.allclose(a, b, rtol=1e-12, atol=1e-12) for a, b in zip(found, expected[k], strict=True)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_memory_is_used_again() -> None:
    def chain(x: Any) -> Any:
        for _ in range(30):
            x = ops.sin(x) + 1
        return x.sum()

    plan = plan_of(chain, [np.zeros(10_000)])
    assert plan.peak_bytes <= 2 * 80_000 + 1000


def test_large_work_can_be_stopped() -> None:
    def refuse() -> None:
        raise Cancelled("The caller has gone away.")

    x = np.zeros(1 << 21)
    plan = plan_of(lambda x: ops.sin(x) * x, [x])
    with pytest.raises(Cancelled), stoppable(refuse):
        plan([x])
    assert plan([x])[0].shape == x.shape


def test_shapes_that_depend_on_values_are_refused() -> None:
    for function in (lambda x: x[x > 0], lambda x: x.nonzero(), lambda x: ops.unique(x)):
        with pytest.raises(TensorRuntimeError, match=r"torch\.where or masked_fill") as refused:
            compile_trace(trace_of(function, [np.zeros(3)]))
        assert refused.value.code == "data_dependent_shape"


def test_higher_derivatives() -> None:
    def third(x: Any) -> list[Any]:
        x.requires_grad_()
        value = (ops.sin(x) * x).sum()
        found = [value]
        for _ in range(3):
            (value,) = gradwire.grad(value.sum(), x, create_graph=True)
            found.append(value)
        return [f.detach() for f in found]

    x = np.linspace(-1, 1, 7)
    for found, expected in zip(plan_of(third, [x])([x]), eagerly(third, [x]), strict=True):
        close(found, expected)


def test_a_plan_tells_what_it_is() -> None:
    plan = compile_trace(trace(lambda x: [ops.sin(x).sum()], [trace_of(lambda x: x, [np.zeros(3)]).inputs[0].meta]))
    assert "sin(x0" in plan.source
    assert plan.calls == 2
    assert plan.nbytes > 0


def test_what_is_not_wanted_any_more_is_stopped_between_products_of_matrices() -> None:
    def products(x: Any) -> Any:
        y = x
        for _ in range(20):
            y = y @ x
        return [y]

    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise Cancelled("The caller went away.")

    arrays: list[Array] = [np.eye(200)]
    plan = plan_of(products, arrays)
    with pytest.raises(Cancelled), stoppable(check):
        plan(arrays)
    assert calls == 5
