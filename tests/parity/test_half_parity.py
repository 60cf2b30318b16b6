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
