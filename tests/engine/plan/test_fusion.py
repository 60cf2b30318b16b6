"""Long elementwise runs: done in blocks, by any number of threads, with the results of the calls one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.errors import Cancelled
from gradwire_engine.op import ops
from gradwire_engine.plan import Plan, fuse, runs, workers
from gradwire_engine.plan.ir import Graph
from gradwire_engine.plan.lower import lower
from gradwire_engine.plan.plan import optimise
from gradwire_engine.stopping import stoppable

from .graphs import Function, close, eagerly, kinds, trace_of, with_gradients

N = 3 * (runs._BLOCK_BYTES // 8) + 17 + fuse.LONG


def fused(function: Function, *arrays: Any) -> Graph:
    return optimise(lower(trace_of(function, arrays)))


def rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def wave(x: Any) -> Any:
    return (ops.tanh(ops.sin(x) * ops.exp(-(x**2)) + x) ** 2).sum()


def check(function: Function, *arrays: Any) -> None:
    plan = Plan(fused(function, *arrays))
    expected = eagerly(function, arrays)
    for _ in range(2):
        for found, wanted in zip(plan(arrays), expected, strict=True):
            close(found, wanted)


@pytest.mark.parametrize("n", [N, fuse.LONG + 1, fuse.LONG + 2, 9 * (runs._BLOCK_BYTES // 8), 9 * (runs._BLOCK_BYTES // 8) + 1])
@pytest.mark.parametrize("function", [rosenbrock, wave])
def test_values_and_gradients(function: Function, n: int) -> None:
    x = np.linspace(-2, 2, n)
    assert kinds(fused(with_gradients(function), x)).count("run") == 1
    check(with_gradients(function), x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: [ops.sin(x) + y, ops.sin(x) * y],
        lambda x, y: ops.where(x > y, x * 2, y - 1),
        lambda x, y: [(x * y).sum(), (x * y).amax(), (x - y).amin(), (x - y).mean()],
        lambda x, y: (x * y).float() + 1,
        lambda x, y: ((x > 0) & (y > 0)).float() * 2,
        lambda x, y: x * x.sum() + y * (x * y).mean(),
        lambda x, y: [x[2:] * y[:-2] + x[1:-1], x * 2],
        lambda x, y: (x.reshape(-1, 1) * y.reshape(-1, 1)).sin().reshape(-1),
        lambda x, y: (x * y + y.sum()) / (x * x + 1).sum(),
        lambda x, y: ops.exp(x) * 0 + ops.cumsum(ops.sin(x) * y, 0),
    ],
)
def test_runs_of_all_kinds(function: Function) -> None:
    x, y = np.linspace(-2, 2, N), np.cos(np.arange(N))
    assert "run" in kinds(fused(function, x, y))
    check(function, x, y)


def test_second_derivatives() -> None:
    def product(x: Any, v: Any) -> list[Any]:
        x.requires_grad_()
        (g,) = gradwire.grad(rosenbrock(x), x, create_graph=True)
        return [g.detach(), *gradwire.grad((g * v).sum(), x)]

    check(product, np.linspace(-1, 1, N), np.sin(np.arange(N)))


def test_parts_with_gaps_between_and_far_apart() -> None:
    def parts(x: Any) -> Any:
        return (x[5 : N - 40] * x[20 : N - 25] * x[: N - 45]).sum() + (ops.sin(x[100:]) ** 2).sum()

    check(with_gradients(parts), np.linspace(-1, 1, N))


def test_single_and_half_precision() -> None:
    for dtype in (np.float32, np.float16):
        check(lambda x: [ops.sin(x) * 2 + 1, (x * x).amax()], np.linspace(-1, 1, N).astype(dtype))


def test_results_do_not_depend_on_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.sin(np.arange(N) * 1.1) * 3
    found = []
    for count in (1, 2, 5):
        monkeypatch.setattr(workers, "_processors", lambda count=count: count)
        monkeypatch.setattr(workers, "_pool", None)
        found.append(Plan(fused(with_gradients(wave), x))([x]))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_runs_stop_between_blocks() -> None:
    calls = 0

    def refuse() -> None:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise Cancelled("The caller has gone away.")

    x = np.linspace(-2, 2, 1 << 21)
    plan = Plan(fused(with_gradients(wave), x))
    with pytest.raises(Cancelled), stoppable(refuse):
        plan([x])
    assert plan([x])[1].shape == x.shape


def test_failures_of_helpers_are_told() -> None:
    def make_worker() -> Any:
        def do(number: int) -> None:
            raise ValueError(f"block {number}")

        return do

    with pytest.raises(ValueError, match="block"):
        workers.share(8, make_worker)
