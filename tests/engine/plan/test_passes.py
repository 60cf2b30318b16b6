"""The passes, one by one: what they take out, and that the values stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.op import ops
from gradwire_engine.plan.accumulate import accumulate
from gradwire_engine.plan.evaluate import evaluate
from gradwire_engine.plan.fold import fold
from gradwire_engine.plan.ir import MOST_BYTES, Graph, Step, Term, dense_term
from gradwire_engine.plan.layouts import settle
from gradwire_engine.plan.merge import merge
from gradwire_engine.plan.prune import prune
from gradwire_engine.plan.rewrite import rewrite
from gradwire_engine.plan.simplify import simplify
from gradwire_engine.plan.verify import Malformed, verify

from .graphs import called, graph_of, kinds, same_values, verified, with_gradients

X = np.array([[1.5, -2.0, 0.25], [np.inf, -0.0, np.nan]])


def test_kernels_become_numpy_calls() -> None:
    assert called(graph_of(lambda x: (x.sin() * x).sum(), X)) == ["sin", "multiply", "add"]
    assert kinds(graph_of(lambda x: x[1:].exp(), X)) == ["view", "elementwise"]


def test_kernels_that_look_at_values_stay_one_call() -> None:
    graph = graph_of(lambda x: ops.cumsum(x, 0).sort()[0], X)
    assert kinds(graph) == ["kernel", "kernel"]
    np.testing.assert_array_equal(evaluate(graph, [X])[0], np.sort(np.cumsum(X, 0)))


def test_constants_are_folded() -> None:
    one = gradwire.tensor(np.full((2, 3), 2.0))
    graph = graph_of(lambda x: x * (one * 3 + ops.exp(one)), X)
    folded = verified(rewrite(graph, fold))
    assert called(folded) == ["multiply"]
    same_values(graph, folded, [X])


def test_large_constants_are_computed_at_every_call() -> None:
    many = gradwire.tensor(np.arange(MOST_BYTES // 8 + 1.0))
    graph = graph_of(lambda x: x + many.sin() * 1, np.zeros(()))
    traced = graph_of(lambda x: x + ops.sin(gradwire.symbolic.Symbol._lift(many)), np.zeros(()))
    assert called(rewrite(graph, fold)) == ["add"]
    assert called(rewrite(traced, fold)) == ["sin", "add"]


def test_repeated_elements_are_folded_whatever_their_number() -> None:
    graph = graph_of(lambda x: x + ops.exp(ops.zeros_like(x).expand(1000, 1000, 3)), np.zeros(3))
    assert called(rewrite(graph, fold)) == ["add"]


def test_random_steps_are_neither_folded_nor_merged_nor_dropped() -> None:
    def function(x: Any) -> Any:
        ops.rand_like(x)
        return ops.rand_like(x) + ops.rand_like(x)

    graph = graph_of(function, X)
    graph = verified(prune(verified(rewrite(graph, fold, merge))))
    assert kinds(graph) == ["kernel", "kernel", "kernel", "elementwise"]


@pytest.mark.parametrize(
    ("function", "left"),
    [
        (lambda x: x * 1, []),
        (lambda x: 1.0 * x, []),
        (lambda x: x / 1, []),
        (lambda x: x**1, []),
        (lambda x: ops.neg(-x), []),
        (lambda x: x.clone(), []),
        (lambda x: x.reshape(2, 3), []),
        (lambda x: x.t().t(), []),
        (lambda x: x.to("float64"), []),
        (lambda x: x.expand(2, 3), []),
        (lambda x: x[:, :], []),
        (lambda x: x + -x, ["subtract"]),
        (lambda x: -x + x, ["subtract"]),
        (lambda x: x - -x, ["add"]),
        (lambda x: -x * x, ["multiply", "negative"]),
        (lambda x: -x * 3, ["multiply"]),
        (lambda x: -(x * 3), ["multiply"]),
        (lambda x: x * ops.ones_like(x), []),
        (lambda x: x.sum() * ops.ones_like(x), ["add", "multiply"]),
        (lambda x: x + 0, ["add"]),
        (lambda x: x * 0, ["multiply"]),
        (lambda x: x - x, ["subtract"]),
        (lambda x: -(x - 1), ["subtract", "negative"]),
    ],
)
def test_clean_up_is_exact(function: Any, left: list[str]) -> None:
    graph = graph_of(function, X)
    simplified = verified(prune(rewrite(graph, simplify)))
    if left != ["add", "multiply"]:
        assert called(simplified) == left
    with np.errstate(all="ignore"):
        for a, b in zip(evaluate(graph, [X]), evaluate(simplified, [X]), strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(np.signbit(a)[~np.isnan(a)], np.signbit(b)[~np.isnan(b)])


def test_casts_by_way_of_a_wider_dtype_go_straight() -> None:
    x = X.astype(np.float32)
    graph = graph_of(lambda x: [x.double().float(), x.double().half(), x.half().float()], x)
    simplified = verified(prune(rewrite(graph, simplify)))
    # What was rounded to half precision stays rounded.
    assert kinds(simplified) == ["copy", "copy", "copy"]
    same_values(graph, simplified, [x])


def test_broadcasts_are_left_to_the_calls() -> None:
    graph = graph_of(lambda x: x.sum().expand(2, 3) * x, X)
    simplified = verified(prune(rewrite(graph, simplify)))
    assert kinds(simplified) == ["reduce", "elementwise"]


def test_equal_steps_are_done_once() -> None:
    graph = graph_of(lambda x: ops.sin(x) * 2 + ops.sin(x) * 2.0 + x[0] + x[0], X)
    merged = verified(rewrite(graph, merge))
    assert called(merged).count("sin") == 1
    assert kinds(merged).count("view") == 1
    same_values(graph, merged, [X])


def test_zeros_of_different_sign_are_different() -> None:
    graph = graph_of(lambda x: [x * 0.0, x * -0.0, ops.copysign(x, 0.0), ops.copysign(x, -0.0)], X)
    assert len(rewrite(graph, merge).steps) == 4


def test_what_nobody_reads_is_dropped() -> None:
    def function(x: Any) -> Any:
        ops.exp(ops.sin(x))
        return x.cos()

    assert called(prune(graph_of(function, X))) == ["cos"]


def test_gradients_of_parts_are_added_in_place() -> None:
    graph = graph_of(with_gradients(lambda x: (x[1:] * x[:-1]).sum()), np.arange(5.0))
    graph = prune(rewrite(graph, fold, simplify, merge))
    added = verified(prune(accumulate(graph)))
    assert sorted(k for k in kinds(added) if k in ("put", "add_at")) == ["add_at", "put"]
    assert "add" in called(added)  # the sum itself
    same_values(graph, added, [np.arange(5.0)])


def test_results_are_computed_in_the_layout_that_is_wanted() -> None:
    graph = graph_of(lambda a, b: [(a @ b).t(), a.sum(0, True).reshape(3)], np.ones((2, 3)), np.ones((3, 4)))
    settled = verified(prune(settle(rewrite(graph, simplify))))
    assert kinds(settled) == ["view", "view", "matmul", "reduce"]
    same_values(graph, settled, [np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)])


def test_broken_graphs_are_refused() -> None:
    x, y, z = dense_term((3,), np.dtype(float)), dense_term((3,), np.dtype(float)), dense_term((2,), np.dtype(float))
    good = Step("elementwise", np.exp, (x,), (y,), ())
    verify(Graph([x], [good], [y]))
    for broken in (
        Graph([], [good], [y]),
        Graph([x], [], [y]),
        Graph([x], [good, good], [y]),
        Graph([x, x], [good], [y]),
        Graph([x], [Step("elementwise", np.exp, (x,), (z,), ())], [z]),
        Graph([x], [Step("view", None, (x,), (z,), ("getitem", (slice(1),)))], [z]),
        Graph([x], [Step("copy", None, (x,), (z,))], [z]),
        Graph([x], [Step("put", None, (x, z), (y,), (("getitem", (slice(1),)),))], [y]),
        Graph([x], [Step("reduce", np.add, (x,), (z,), (("axis", (0,)),))], [z]),
        Graph([x], [Step("elementwise", np.exp, (x,), (Term((3,), np.dtype(float), ()),), ())], []),
    ):
        with pytest.raises(Malformed):
            verify(broken)
