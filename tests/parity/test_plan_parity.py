"""Random programs as plans against torch: values, gradients, and gradients of gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.plan.graphs import plan_of
from tests.engine.plan.test_random_programs import derivatives, inputs

torch = pytest.importorskip("torch")

# Written with methods and operators alone, so that torch's tensors and symbols take the same program.
UNARY: list[Callable[[Any], Any]] = [
    lambda a: a.sin(),
    lambda a: a.tanh(),
    lambda a: (-a * a).exp(),
    lambda a: 1 - a,
    lambda a: a**3,
    lambda a: a / (a * a + 1),
    lambda a: (a * a + 1).log(),
    lambda a: a.relu() * 2,
    lambda a: a.sigmoid(),
    lambda a: a.sum(0, True) * a if a.ndim else a,
    lambda a: a.mean() - a,
    lambda a: a.t() if a.ndim == 2 else a,
    lambda a: a.reshape(-1)[1:] if a.numel() > 1 else a,
    lambda a: a.softmax(-1) if a.ndim else a,
    lambda a: a.logsumexp(-1) if a.ndim else a,
    lambda a: a.cumsum(0) if a.ndim else a,
    lambda a: a.clamp(-0.5, 0.5),
    lambda a: a.abs(),
]
BINARY: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - b * 2,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + 1),
    lambda a, b: a.maximum(b),
    lambda a, b: a.where(a > b, b * 3),
    lambda a, b: a @ b,
]


def build(instructions: list[tuple[int, int, int]]) -> Callable[..., Any]:
    def run(*given: Any) -> Any:
        values = list(given)
        for kind, first, second in instructions:
            a, b = values[first % len(values)], values[second % len(values)]
            try:
                values.append(UNARY[kind](a) if kind < len(UNARY) else BINARY[kind - len(UNARY)](a, b))
            except RuntimeError:
                continue
        return sum((v.sum() for v in values[-3:]), values[0].sum() * 0)

    return run


def by_torch(function: Callable[..., Any], arrays: list[Any]) -> list[Any]:
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    value = function(*tensors)
    first = torch.autograd.grad(value, tensors, create_graph=True, materialize_grads=True)
    total = sum(((g * (k + 1)).sum() for k, g in enumerate(first)), value * 0)
    second = torch.autograd.grad(total, tensors, materialize_grads=True)
    return [r.detach().numpy() for r in (value, *first, *second)]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=10),
    st.integers(0, 2**32 - 1),
)
def test_plans_agree_with_torch(instructions: list[tuple[int, int, int]], seed: int) -> None:
    arrays = inputs(seed, [(3, 4), (4,), (), (4, 4)])
    function = build(instructions)
    expected = by_torch(function, arrays)
    for found, wanted in zip(plan_of(derivatives(function), arrays)(arrays), expected, strict=True):
        finite = np.isfinite(wanted)
        scale = max(1.0, float(np.max(np.abs(wanted[finite]), initial=0.0)))
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-10 * scale)
