"""What the tests of plans share: traces of Python functions, graphs at every stage, and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import gradwire_engine as gradwire
from gradwire_engine.dtypes import Array
from gradwire_engine.meta import meta_of_array
from gradwire_engine.plan import Plan
from gradwire_engine.plan.evaluate import evaluate
from gradwire_engine.plan.ir import Graph
from gradwire_engine.plan.lower import lower
from gradwire_engine.plan.plan import PASSES
from gradwire_engine.plan.verify import verify
from gradwire_engine.symbolic import Trace, trace

Function = Callable[..., Any]


def trace_of(function: Function, arrays: Sequence[Array]) -> Trace:
    """What the function does to tensors of these shapes and dtypes."""
    return trace(function, [meta_of_array(a) for a in arrays])


def graph_of(function: Function, *arrays: Array) -> Graph:
    """The NumPy calls of a function, as they are before any pass."""
    return verified(lower(trace_of(function, arrays)))


def verified(graph: Graph) -> Graph:
    """The graph, which has to be well formed."""
    verify(graph)
    return graph


def plan_of(function: Function, arrays: Sequence[Array]) -> Plan:
    """The plan of a function, whose graph is verified after every pass."""
    graph = verified(lower(trace_of(function, arrays)))
    for step in PASSES:
        graph = verified(step(graph))
    return Plan(graph)


def with_gradients(function: Function) -> Function:
    """The function with the gradients of its (scalar) value behind it."""

    def both(*tensors: Any) -> list[Any]:
        inputs = [t.requires_grad_() for t in tensors]
        value = function(*inputs)
        return [value.detach(), *gradwire.grad(value, inputs, materialize_grads=True)]

    return both


def eagerly(function: Function, arrays: Sequence[Array]) -> list[Array]:
    """What the function gives for eager tensors."""
    results = function(*[gradwire.Tensor._wrap(np.array(a)) for a in arrays])
    return [r._data for r in (results if isinstance(results, (list, tuple)) else [results])]


def kinds(graph: Graph) -> list[str]:
    """What the steps of a graph do."""
    return [step.kind for step in graph.steps]


def called(graph: Graph) -> list[str]:
    """The names of the functions that the steps of a graph call."""
    return [step.function.__name__ for step in graph.steps if step.function is not None]


def same_values(graph: Graph, other: Graph, arrays: Sequence[Array]) -> None:
    """Both compute the same, bit by bit but for the sign of zero."""
    for a, b in zip(evaluate(graph, arrays), evaluate(other, arrays), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def close(found: Array, expected: Array) -> None:
    """Equal within the rounding of their dtype."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    if found.dtype.kind in "fc":
        eps = float(np.finfo(found.dtype).eps)
        finite = expected[np.isfinite(expected)]
        scale = max(1.0, float(np.max(np.abs(finite), initial=0.0)))
        np.testing.assert_allclose(found, expected, rtol=64 * eps, atol=64 * eps * scale)
    else:
        np.testing.assert_array_equal(found, expected)
