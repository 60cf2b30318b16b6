"""Random programs: eager tensors and plans agree, in values, gradients and gradients of gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradwire_engine as gradwire
from gradwire_engine.dtypes import Array
from gradwire_engine.op import ops
from gradwire_engine.plan import fuse, runs

from .graphs import eagerly, plan_of

Instruction = tuple[int, int, int]
UNARY: list[Callable[[Any], Any]] = [
    lambda a: ops.sin(a),
    lambda a: ops.tanh(a),
    lambda a: ops.exp(-a * a),
    lambda a: -a,
    lambda a: a * 0.5,
    lambda a: 1 - a,
    lambda a: a**2,
    lambda a: ops.sigmoid(a),
    lambda a: a / (a * a + 1),
    lambda a: ops.sqrt(a * a + 1),
    lambda a: ops.nn.functional.relu(a),
    lambda a: a.sum(),
    lambda a: a.mean(),
    lambda a: a.sum(-1, True) if a.ndim else a,
    lambda a: a.t() if a.ndim == 2 else a,
    lambda a: a.reshape(-1),
    lambda a: a[1:] if a.ndim and a.shape[0] > 1 else a,
    lambda a: a[..., :-1] if a.ndim and a.shape[-1] > 1 else a,
    lambda a: a[0] if a.ndim else a,
    lambda a: a.float().double() * 1,
    lambda a: ops.softmax(a, -1) if a.ndim else a,
    lambda a: ops.logsumexp(a, -1) if a.ndim else a,
    lambda a: ops.where(a > 0, a, a * 0.1),
    lambda a: ops.cumsum(a, 0) if a.ndim else a,
    lambda a: a.clone(),
    lambda a: a * ops.ones_like(a),
]
BINARY: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + 1),
    lambda a, b: ops.maximum(a, b),
    lambda a, b: ops.where(a > b, a, b),
    lambda a, b: a @ b,
    lambda a, b: ops.stack([a, b]),
]


def build(instructions: Sequence[Instruction]) -> Callable[..., Any]:
    """The program that the numbers stand for; what does not fit in shape is left out."""

    def run(*inputs: Any) -> Any:
        values = list(inputs)
        for kind, first, second in instructions:
            a, b = values[first % len(values)], values[second % len(values)]
            chosen: Any = UNARY[kind] if kind < len(UNARY) else BINARY[kind - len(UNARY)]
            try:
                values.append(chosen(a) if kind < len(UNARY) else chosen(a, b))
            except RuntimeError:
                continue
        return sum((v.sum() for v in values[-3:]), values[0].sum() * 0)

    return run


def derivatives(function: Callable[..., Any]) -> Callable[..., Any]:
    """The value of a function, its gradients, and the gradients of their weighted sum."""

    def run(*inputs: Any) -> list[Any]:
        for x in inputs:
            x.requires_grad_()
        value = function(*inputs)
        first = gradwire.grad(value, inputs, create_graph=True, materialize_grads=True)
        total: Any = sum(((g * (k + 1)).sum() for k, g in enumerate(first)), value * 0)
        second = gradwire.grad(total, inputs, materialize_grads=True)
        return [r.detach() for r in (value, *first, *second)]

    return run


def check(instructions: Sequence[Instruction], arrays: Sequence[Array]) -> None:
    function = derivatives(build(instructions))
    expected = eagerly(function, arrays)
    before = [a.copy() for a in arrays]
    plan = plan_of(function, arrays)
    for _ in range(2):
        for found, wanted in zip(plan(arrays), expected, strict=True):
            finite = np.isfinite(wanted)
            scale = max(1.0, float(np.max(np.abs(wanted[finite]), initial=0.0)))
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11 * scale)
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


PROGRAMS = st.lists(
    st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=14
)
NUMBERS = st.integers(0, 2**32 - 1)


def inputs(seed: int, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    random = np.random.default_rng(seed)
    return [np.asarray(random.uniform(-1.5, 1.5, s)) for s in shapes]


@settings(max_examples=120, deadline=None)
@given(PROGRAMS, NUMBERS)
def test_eager_and_plan_agree(instructions: list[Instruction], seed: int) -> None:
    check(instructions, inputs(seed, [(3, 4), (4,), (), (4, 4)]))


@settings(max_examples=60, deadline=None)
@given(PROGRAMS, NUMBERS)
def test_fused_programs_agree(instructions: list[Instruction], seed: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        # Blocks so small that arrays of a few elements are done in several.
        patched.setattr(fuse, "LONG", 6)
        patched.setattr(fuse, "SHORT", 6)
        patched.setattr(runs, "_BLOCK_BYTES", 64)
        check(instructions, inputs(seed, [(37,), (37,), ()]))
