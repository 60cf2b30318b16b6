"""Plans whose long runs are machine code: the results of NumPy within rounding, before, while and after it takes over."""

from __future__ import annotations

import gc
import logging
import math
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import gradwire_engine as gradwire
from gradwire_engine.dtypes import Array
from gradwire_engine.op import ops
from gradwire_engine.plan import fuse, runs
from gradwire_engine.plan.native import background, blocks
from gradwire_engine.plan.native.background import Background

from .graphs import Function, close, eagerly, plan_of, with_gradients
from .test_random_programs import NUMBERS, PROGRAMS, build, derivatives, inputs

needs_llvm = pytest.mark.skipif(not background.available(), reason="machine code needs llvmlite")
N = 3 * (runs._BLOCK_BYTES // 8) + 17 + fuse.LONG


def wave(x: Any) -> Any:
    return (ops.tanh(ops.sin(x) * ops.exp(-(x**2)) + x) ** 2).sum()


def rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def check(function: Function, arrays: Sequence[Array]) -> None:
    plan = plan_of(function, arrays)
    assert plan.make_native()
    before = [a.copy() for a in arrays]
    expected = eagerly(function, arrays)
    for _ in range(2):
        for found, wanted in zip(plan(arrays), expected, strict=True):
            close(found, wanted)
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


@needs_llvm
@pytest.mark.parametrize("n", [N, fuse.LONG + 1, 9 * (runs._BLOCK_BYTES // 8), 9 * (runs._BLOCK_BYTES // 8) + 1])
@pytest.mark.parametrize("function", [rosenbrock, wave])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_and_gradients(function: Function, n: int, dtype: Any) -> None:
    check(with_gradients(function), [np.linspace(-2, 2, n).astype(dtype)])


@needs_llvm
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
        with_gradients(lambda x, y: ((x[5 : N - 40] * x[20 : N - 25] * y[: N - 45]) ** 2).sum()),
        lambda x, y: (x.reshape(-1, 1) * y.reshape(-1, 1)).sin().reshape(-1),
        lambda x, y: [ops.sigmoid(x) * y, ops.nn.functional.silu(x) + 1, ops.nn.functional.softplus(x) * y],
        lambda x, y: [ops.tan(x) * y, ops.exp2(x) + ops.log2(y), abs(x) ** 2.5],
        lambda x, y: [ops.log(x) * y, ops.log1p(x) - y, ops.expm1(x) + ops.sqrt(y)],
        lambda x, y: [ops.sin(x * 1e9) + 1, ops.cos(x) * 1e-300 / (y * 0)],
    ],
)
def test_runs_of_all_kinds(function: Function) -> None:
    check(function, [np.linspace(-2, 2, N), np.cos(np.arange(N))])


@needs_llvm
def test_second_derivatives() -> None:
    def product(x: Any, v: Any) -> list[Any]:
        x.requires_grad_()
        (g,) = gradwire.grad(rosenbrock(x), x, create_graph=True)
        return [g.detach(), *gradwire.grad((g * v).sum(), x)]

    check(product, [np.linspace(-1, 1, N), np.sin(np.arange(N))])


@needs_llvm
@pytest.mark.parametrize(("function", "n", "count"), [(wave, 2_048, 1), (wave, 500, 0), (wave, 10_000, 1), (rosenbrock, 10_000, 0)])
def test_shorter_runs_where_they_pay(function: Function, n: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(-2, 2, n)
    assert len(plan_of(with_gradients(function), [x])._runs) == count
    check(with_gradients(function), [x])
    monkeypatch.setattr(fuse, "available", lambda: False)
    assert not plan_of(with_gradients(function), [x])._runs


@needs_llvm
def test_one_array_as_two_operands() -> None:
    x = np.linspace(-1, 1, N)
    check(lambda a, b: [a * b + 1, ops.sin(a) - b], [x, x])


@needs_llvm
def test_blocks_with_turns_that_are_too_many_are_numpys() -> None:
    x = np.linspace(-2, 2, N)
    x[20_000], x[-1] = 1e12, np.inf
    plan = plan_of(lambda x: [ops.sin(x) * 2 + 1, ops.cos(x).sum()], [x])
    expected = plan([x])
    assert plan.make_native()
    for found, wanted in zip(plan([x]), expected, strict=True):
        close(found, wanted)


@needs_llvm
@settings(max_examples=40, deadline=None)
@given(PROGRAMS, NUMBERS)
def test_random_programs(instructions: list[tuple[int, int, int]], seed: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fuse, "LONG", 6)
        patched.setattr(fuse, "SHORT", 6)
        patched.setattr(runs, "_BLOCK_BYTES", 256)
        function = derivatives(build(instructions))
        arrays = inputs(seed, [(101,), (101,), ()])
        expected = eagerly(function, arrays)
        plan = plan_of(function, arrays)
        plan.make_native()
        for found, wanted in zip(plan(arrays), expected, strict=True):
            finite = np.isfinite(wanted)
            scale = max(1.0, float(np.max(np.abs(wanted[finite]), initial=0.0)))
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11 * scale)


@needs_llvm
@pytest.mark.parametrize("function", [lambda x: x.long() * 3 + 1, lambda x: x.half() * 2 + 1, lambda x: abs(x) ** 0.3 + 1])
def test_what_machine_code_does_not_do_stays_with_numpy(function: Function) -> None:
    x = np.linspace(-2, 2, N)
    plan = plan_of(function, [x])
    assert not plan.make_native()
    for found, wanted in zip(plan([x]), eagerly(function, [x]), strict=True):
        close(found, wanted)


@needs_llvm
def test_it_takes_over_while_threads_call(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.sin(np.arange(N) * 1.1) * 2
    plan = plan_of(with_gradients(wave), [x])
    expected = plan([x])
    (run,) = plan._runs
    run._until_native = 3 * run._saved
    failures: list[BaseException] = []
    stop = threading.Event()

    def call() -> None:
        try:
            while not stop.is_set():
                for found, wanted in zip(plan([x]), expected, strict=True):
                    close(found, wanted)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(500):
        if run.is_native or failures:
            break
        threading.Event().wait(0.02)
    threading.Event().wait(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert run.is_native


@needs_llvm
def test_runs_that_are_rarely_called_are_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Refusing()
    monkeypatch.setattr(background, "background", refusing)
    x = np.linspace(-1, 1, N)
    plan = plan_of(wave, [x])
    (run,) = plan._runs
    calls = math.ceil(runs._WORTH_COMPILING / run._saved)
    for _ in range(calls - 1):
        plan([x])
    assert refusing.asked == 0
    plan([x])
    assert refusing.asked == 1
    # There was no room, so it asks again when as much was done once more.
    for _ in range(calls):
        plan([x])
    assert refusing.asked == 2


class Refusing(Background):
    """Has no room, and counts who asks."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def submit(self, work: Callable[[], None]) -> bool:
        self.asked += 1
        return False


@needs_llvm
def test_a_failure_to_compile_leaves_the_run_to_numpy(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("LLVM ERROR: this processor is unknown")

    monkeypatch.setattr(blocks, "Machine", fail)
    x = np.linspace(-1, 1, N)
    plan = plan_of(with_gradients(wave), [x])
    expected = plan([x])
    (run,) = plan._runs
    run._until_native = 1
    with caplog.at_level(logging.WARNING):
        plan([x])
        background.background.wait()
    assert "this processor is unknown" in caplog.text
    assert not run.is_native
    caplog.clear()
    for found, wanted in zip(plan([x]), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    background.background.wait()
    assert not caplog.records


def test_without_llvm_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "available", lambda: False)
    refusing = Refusing()
    monkeypatch.setattr(background, "background", refusing)
    x = np.linspace(-1, 1, N)
    plan = plan_of(wave, [x])
    (run,) = plan._runs
    run._until_native = 1
    plan([x])
    assert not plan.make_native()
    assert refusing.asked == 0


@needs_llvm
def test_the_code_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(-1, 1, N)
    with_code = plan_of(wave, [x]).nbytes
    monkeypatch.setattr(background, "available", lambda: False)
    assert with_code - plan_of(wave, [x]).nbytes == blocks.CODE_BYTES


@needs_llvm
def test_plans_that_are_given_up_are_not_kept() -> None:
    x = np.linspace(-1, 1, N)
    plan = plan_of(wave, [x])
    assert plan.make_native()
    run = weakref.ref(plan._runs[0])
    del plan
    gc.collect()
    assert run() is None


def test_work_in_the_background() -> None:
    found: list[int] = []
    begun, go = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        go.wait(10)
        found.append(-1)

    some = Background()
    assert some.submit(first)
    assert begun.wait(10)
    accepted = [some.submit(lambda i=i: found.append(i)) for i in range(100)]  # type: ignore[misc]
    assert accepted == [True] * 32 + [False] * 68
    go.set()
    some.wait()
    assert found == [-1, *range(32)]
    some.close()
    assert not some.submit(lambda: found.append(99))


PROGRAM = """
import os, warnings
import numpy as np
from gradwire_engine.meta import meta_of_array
from gradwire_engine.op import ops
from gradwire_engine.plan import compile_trace
from gradwire_engine.symbolic import trace
warnings.simplefilter("ignore", DeprecationWarning)  # there are threads where it is forked, which is what is tested
x = np.linspace(-1, 1, 100_000)

def plan_of(k):
    plan = compile_trace(trace(lambda x: (ops.tanh(ops.sin(x) * ops.exp(-(x**2)) + x) ** 2).sum() * k, [meta_of_array(x)]))
    plan._runs[0]._until_native = 1
    return plan
"""


def run_python(text: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True, env={**os.environ, **environment}
    )
    assert done.stderr == ""
    return done.stdout


def test_importing_the_engine_does_not_import_llvm() -> None:
    assert run_python("import sys, gradwire_engine.plan; print('llvmlite' in sys.modules)") == "False\n"


@needs_llvm
def test_a_process_may_end_while_something_is_being_compiled() -> None:
    text = (
        PROGRAM
        + """
kept = [plan_of(k) for k in range(6)]
for plan in kept:
    plan([x])
print("done")
"""
    )
    assert run_python(text) == "done\n"


@needs_llvm
@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system has no fork.")
def test_a_process_may_be_forked_while_something_is_being_compiled() -> None:
    text = (
        PROGRAM
        + """
for k in range(5):
    plan_of(k)([x])
    child = os.fork()
    if child == 0:
        plan = plan_of(k)
        assert plan.make_native()
        plan([x])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
print("done")
"""
    )
    assert run_python(text) == "done\n"


@needs_llvm
def test_machine_code_is_given_no_address_of_memory_that_was_freed() -> None:
    text = (
        PROGRAM
        + """
plan = plan_of(1)
expected = plan([x])[0]
assert plan.make_native()
print(abs(plan([x])[0] / expected - 1) < 1e-12)
"""
    )
    # Python then overwrites what is freed.
    assert run_python(text, PYTHONMALLOC="debug") == "True\n"
