"""Half precision beside Python's numbers, which torch does not round to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.meta import meta_of_array
from gradwire_engine.plan import compile_trace
from gradwire_engine.symbolic import trace

torch = pytest.importorskip("torch")

X = np.concatenate([np.random.default_rng(0).normal(size=500), [0.0, np.inf, -np.inf, np.nan]]).astype(np.float16)


@pytest.mark.parametrize("number", [0.1, 1 / 3, 3e9, 1e-9, -7.7, 3, 100_003])
@pytest.mark.parametrize(
    "function",
    [
        lambda x, number: x * number,
        lambda x, number: number * x,
        lambda x, number: x / number,
        lambda x, number: number / x,
        lambda x, number: x + number,
        lambda x, number: number - x,
    ],
)
def test_arithmetic_with_a_number(function: Callable[[Any, Any], Any], number: float) -> None:
    theirs = function(torch.from_numpy(X), number).numpy()
    plan = compile_trace(trace(lambda x: function(x, number), [meta_of_array(X)]))
    for ours in (function(gradwire.tensor(X), number).numpy(), plan([X])[0]):
        assert ours.dtype == np.float16
        np.testing.assert_array_equal(ours, theirs)


Y, Z = (np.random.default_rng(seed).normal(size=X.size).astype(np.float16) for seed in (1, 2))


@pytest.mark.parametrize("number", [0.1, 1 / 3, -7.7])
@pytest.mark.parametrize(
    "function",
    [
        lambda t, x, y, z, number: t.addcmul(x, y, z, value=number),
        lambda t, x, y, z, number: t.addcdiv(x, y, z, value=number),
        lambda t, x, y, z, number: t.lerp(x, y, number),
        lambda t, x, y, z, number: t.nn.functional.leaky_relu(x, number),
    ],
)
def test_operations_of_several_steps(function: Callable[..., Any], number: float) -> None:
    theirs = function(torch, *[torch.from_numpy(a) for a in (X, Y, Z)], number).numpy()
    plan = compile_trace(trace(lambda *args: function(gradwire.ops, *args, number), [meta_of_array(a) for a in (X, Y, Z)]))
    eager = function(gradwire.ops, *[gradwire.tensor(a) for a in (X, Y, Z)], number).numpy()
    for ours in (eager, plan([X, Y, Z])[0]):
        assert ours.dtype == np.float16
        # The order of the steps may differ, which shows in single precision and so in few elements.
        assert np.mean((ours != theirs) & ~(np.isnan(ours) & np.isnan(theirs))) < 0.01


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "logcumsumexp"])
def test_what_runs_along_a_dimension_is_accumulated_in_single_precision(name: str) -> None:
    x = np.concatenate([Y, [60_000, 60_000, -60_000]]).astype(np.float16)
    theirs = getattr(torch, name)(torch.from_numpy(x), 0).numpy()
    plan = compile_trace(trace(lambda x: getattr(gradwire.ops, name)(x, 0), [meta_of_array(x)]))
    for ours in (getattr(gradwire.ops, name)(gradwire.tensor(x), 0).numpy(), plan([x])[0]):
        assert ours.dtype == np.float16
        np.testing.assert_array_equal(ours, theirs)
