"""Value and gradients by a plan, against torch eager, jax.jit and NumPy written by hand; and what compiling takes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradwire_engine as gradwire
from gradwire_engine.dtypes import Array
from gradwire_engine.meta import meta_of_array
from gradwire_engine.plan import Plan, compile_trace
from gradwire_engine.plan.native.background import available
from gradwire_engine.symbolic import trace

from .timing import by_turns, table

Function = Callable[..., Any]


@dataclass
class Row:
    """One piece of work.

    Attributes:
        title: What it is.
        arrays: What is differentiated by.
        build: Makes the function in terms of a library: of its operations and of what makes its tensors out of arrays.
        by_hand: Value and gradients in NumPy, written by hand.
        rounds: How often the contenders take turns.
        repeats: Calls per turn.
    """

    title: str
    arrays: list[Array]
    build: Callable[[Any, Callable[[Array], Any]], Function]
    by_hand: Callable[..., Sequence[Any]] | None
    rounds: int = 40
    repeats: int = 50


def _rosenbrock(lib: Any, const: Any) -> Function:
    return lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def _rosenbrock_by_hand(x: Array) -> Sequence[Any]:
    low, high = x[:-1], x[1:]
    r = low * low
    np.subtract(high, r, r)
    s = 1 - low
    value = 100 * r.dot(r) + s.dot(s)
    g = np.empty_like(x)
    r *= 200
    np.multiply(s, -2, g[:-1])
    g[-1] = 0
    g[1:] += r
    r *= low
    r *= 2
    g[:-1] -= r
    return value, g


def _regression(n: int, k: int) -> Row:
    random = np.random.default_rng(0)
    features, targets = random.normal(size=(n, k)), random.normal(size=n)

    def build(lib: Any, const: Any) -> Function:
        inputs, wanted = const(features), const(targets)

        def loss(w: Any, b: Any) -> Any:
            r = inputs @ w + b - wanted
            return (r * r).mean()

        return loss

    def by_hand(w: Array, b: Array) -> Sequence[Any]:
        r = features @ w
        r += b
        r -= targets
        value = r.dot(r) / n
        r *= 2 / n
        return value, features.T @ r, r.sum()

    return Row("Linear regression 100x3", [random.normal(size=k), np.asarray(0.3)], build, by_hand)


def _network() -> Row:
    random = np.random.default_rng(0)
    single = np.float32
    images, labels = random.normal(size=(32, 784)).astype(single), random.integers(0, 10, 32)
    one_hot = np.eye(10, dtype=single)[labels]

    def build(lib: Any, const: Any) -> Function:
        inputs, wanted = const(images), const(one_hot)

        def loss(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
            hidden = lib.tanh(inputs @ w1 + b1)
            scores = hidden @ w2 + b2
            return (lib.logsumexp(scores, 1) - (scores * wanted).sum(1)).mean()

        return loss

    def by_hand(w1: Array, b1: Array, w2: Array, b2: Array) -> Sequence[Any]:
        hidden = images @ w1
        hidden += b1
        np.tanh(hidden, hidden)
        scores = hidden @ w2
        scores += b2
        largest = scores.max(1, keepdims=True)
        p = np.exp(scores - largest)
        total = p.sum(1, keepdims=True)
        value = (np.log(total) + largest).mean() - (scores * one_hot).sum() / single(32)
        p /= total
        p -= one_hot
        p /= 32
        back = p @ w2.T
        back *= 1 - hidden * hidden
        return value, images.T @ back, back.sum(0), hidden.T @ p, p.sum(0)

    sizes = [(784, 128), (128,), (128, 10), (10,)]
    return Row("MLP 32x784-128-10, float32", [(random.normal(size=s) * 0.05).astype(single) for s in sizes], build, by_hand, 30, 20)


def _wave(dtype: Any) -> Row:
    def build(lib: Any, const: Any) -> Function:
        return lambda x: (lib.tanh(lib.sin(x) * lib.exp(-(x**2)) + x) ** 2).sum()

    def by_hand(x: Array) -> Sequence[Any]:
        s, e = np.sin(x), np.exp(-(x * x))
        t = np.tanh(s * e + x)
        back = 2 * t * (1 - t * t)
        return (t * t).sum(), back * (1 + e * (np.cos(x) - 2 * x * s))

    x = np.random.default_rng(0).normal(size=1_000_000).astype(dtype)
    return Row(f"sum(tanh(sin x * exp(-x^2) + x)^2), n = 1,000,000, {np.dtype(dtype).name}", [x], build, by_hand, 7, 1)


def _chain(lib: Any, const: Any) -> Function:
    def chain(x: Any) -> Any:
        for _ in range(500):
            x = x * 1.001
            x = x + 0.001
        return x

    return chain


def _rows() -> list[Row]:
    random = np.random.default_rng(0)
    rosenbrock = [
        Row(f"Rosenbrock, n = {n:,}", [random.normal(size=n)], _rosenbrock, _rosenbrock_by_hand, rounds, repeats)
        for n, rounds, repeats in ((10, 40, 50), (1_000, 40, 50), (1_000_000, 7, 1))
    ]
    return [
        *rosenbrock,
        _regression(100, 3),
        _network(),
        _wave(np.float64),
        _wave(np.float32),
        Row("1,000 alternating products and sums of numbers", [np.asarray(1.5)], _chain, None, 20, 3),
    ]


def with_gradients(function: Function) -> Function:
    """The function of symbols with its gradients behind its value."""

    def both(*inputs: Any) -> list[Any]:
        for x in inputs:
            x.requires_grad_()
        value = function(*inputs)
        return [value.detach(), *gradwire.grad(value, inputs)]

    return both


def plan_of(row: Row) -> Plan:
    """The plan of a row's value and gradients."""
    function = row.build(gradwire.ops, gradwire.tensor)
    return compile_trace(trace(with_gradients(function), [meta_of_array(a) for a in row.arrays]))


def _gradwire(row: Row) -> Callable[[], Sequence[Any]]:
    plan = plan_of(row)
    plan.make_native()
    return lambda: plan(row.arrays)


def _torch(row: Row) -> Callable[[], Sequence[Any]]:
    import torch

    function = row.build(torch, torch.tensor)
    inputs = [torch.tensor(a, requires_grad=True) for a in row.arrays]

    def run() -> Sequence[Any]:
        value = function(*inputs)
        return value.detach(), *torch.autograd.grad(value, inputs)

    return run


def _jax(row: Row) -> Callable[[], Sequence[Any]]:
    import jax

    jax.config.update("jax_enable_x64", True)

    class Library:
        tanh, sin, exp = jax.numpy.tanh, jax.numpy.sin, jax.numpy.exp
        logsumexp = jax.scipy.special.logsumexp

    function = row.build(Library, jax.numpy.asarray)
    compiled = jax.jit(jax.value_and_grad(function, tuple(range(len(row.arrays)))))
    inputs = [jax.numpy.asarray(a) for a in row.arrays]

    def run() -> Sequence[Any]:
        value, gradients = jax.block_until_ready(compiled(*inputs))
        return value, *gradients

    return run


def _contenders(row: Row) -> dict[str, Callable[[], Sequence[Any]]]:
    """Whoever is installed, each checked to compute what the plan does."""
    found: dict[str, Callable[[], Sequence[Any]]] = {"gradwire": _gradwire(row)}
    for name, make in {"torch eager": _torch, "jax.jit": _jax}.items():
        try:
            found[name] = make(row)
        except ImportError:
            continue
    by_hand = row.by_hand
    if by_hand is not None:
        found["NumPy by hand"] = lambda: by_hand(*row.arrays)
    expected = found["gradwire"]()
    for name, run in found.items():
        for a, b in zip(run(), expected, strict=True):
            tolerance = 1e-9 if b.dtype == np.float64 else 2e-4
            if not np.allclose(np.asarray(a), b, rtol=tolerance, atol=tolerance):
                raise RuntimeError(f"{name} computes something else than gradwire: {row.title}.")
    return found


def _compiling() -> str:
    """What it takes to trace and compile a program of 1,000 nodes and its gradient, with the garbage collector set as the server sets it.

    Otherwise it would now and then go through all that the peers keep, which has nothing to do with the program.
    """

    def program(x: Any) -> Any:
        y = x
        for _ in range(200):
            y = gradwire.ops.tanh(gradwire.ops.sin(y) * x + 0.5) * 0.9
        return y.sum()

    x = np.linspace(-1, 1, 10)

    def run() -> object:
        return compile_trace(trace(with_gradients(program), [meta_of_array(x)]))

    run()
    times = []
    threshold = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000)
    for _ in range(15):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    gc.set_threshold(*threshold)
    gc.unfreeze()
    return f"Trace and compile a program of 1,000 nodes and its gradient\n  gradwire  {sorted(times)[7] * 1e3:10.1f} ms"


def measure() -> str:
    """Runs every row with whichever peers are installed, and gives the tables."""
    code = "with machine code, compiled beforehand," if available() else "without machine code"
    tables = [f"Plans, {code} for long elementwise runs"]
    for row in _rows():
        seconds = by_turns(_contenders(row), rounds=row.rounds, repeats=row.repeats)
        tables.append(table(row.title + ", value + gradients", "us", {k: v * 1e6 for k, v in seconds.items()}, "gradwire"))
    return "\n\n".join([*tables, _compiling()])
