from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gw
from gradwire_engine.errors import Cancelled, TensorRuntimeError
from gradwire_engine.node import Node, edge_of, next_sequence
from gradwire_engine.stopping import CHECK
from gradwire_engine.walk import Walk


class Elsewhere(Node):
    """Doubles its input; its backward is answered from outside the walk."""

    suspends = True

    def __init__(self, source: gw.Tensor) -> None:
        self.edges = (edge_of(source),)
        self.outs = ((source._data.shape, source._data.dtype),)
        self.sequence = next_sequence()

    def name(self) -> str:
        return "ElsewhereBackward"


def doubled_elsewhere(source: gw.Tensor) -> gw.Tensor:
    result = gw.Tensor._wrap(source._data * 2)
    result._node, result._requires_grad = Elsewhere(source), True
    return result  # type: ignore[return-value]


def walk_from(output: gw.Tensor, cotangent: list[float]) -> Walk:
    edge = edge_of(output)
    return Walk([(edge[0], edge[1], np.array(cotangent))], kind=gw.Tensor, create_graph=False, retain_graph=False)


def test_a_walk_suspends_at_a_node_and_goes_on_with_the_answer() -> None:
    x = gw.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    y = doubled_elsewhere(x * 3) * x
    walk = walk_from(y, [1.0, 1.0])
    suspension = walk.advance(None)
    assert suspension is not None
    assert suspension.node.name() == "ElsewhereBackward"
    np.testing.assert_array_equal(suspension.grads[0], [1.0, 2.0])
    waiting: Any = x.grad
    assert waiting is None, "x waits for the contribution that is being computed elsewhere"
    assert walk.advance([suspension.grads[0] * 2]) is None
    np.testing.assert_array_equal(x.grad.numpy(), [12.0, 24.0])


def test_walks_suspend_beside_each_other_and_end_in_any_order() -> None:
    leaves = [gw.tensor([float(k)], dtype="float64", requires_grad=True) for k in range(3)]
    walks = [walk_from(doubled_elsewhere(x * x), [1.0]) for x in leaves]
    suspensions = [walk.advance(None) for walk in walks]
    for walk, suspension in reversed(list(zip(walks, suspensions, strict=True))):
        assert suspension is not None
        assert walk.advance([suspension.grads[0] * 2]) is None
    assert [x.grad.item() for x in leaves] == [0.0, 4.0, 8.0]


def test_a_suspended_walk_leaves_the_callers_modes_alone() -> None:
    x = gw.tensor([1.0], requires_grad=True)
    walk = walk_from(doubled_elsewhere(x * 3), [1.0])
    assert walk.advance(None) is not None
    assert gw.is_grad_enabled()
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.array(1.0) / np.array(0.0)


def test_backward_refuses_a_node_that_only_another_process_can_run() -> None:
    x = gw.tensor([1.0], requires_grad=True)
    with pytest.raises(TensorRuntimeError, match="ElsewhereBackward waits"):
        doubled_elsewhere(x * 3).backward()


def test_a_chain_of_100_000_operations() -> None:
    x = gw.tensor(1.0, dtype="float64", requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + x
    y.backward()
    assert x.grad.item() == 100_001.0


def test_check_stops_the_walk_between_two_nodes() -> None:
    x = gw.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(10):
        y = gw.ops.sin(y)
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise Cancelled("The caller has gone away.")

    token = CHECK.set(check)
    try:
        with pytest.raises(Cancelled):
            y.backward()
    finally:
        CHECK.reset(token)
    assert calls == 4
    assert x.grad is None


def test_rules_reach_the_fourth_order() -> None:
    x = gw.tensor(0.7, dtype="float64", requires_grad=True)
    y: Any = gw.ops.sin(x) * x
    values = []
    for _ in range(4):
        (y,) = gw.grad(y, x, create_graph=True)
        values.append(y.item())
    s, c = np.sin(0.7), np.cos(0.7)
    np.testing.assert_allclose(values, [c * 0.7 + s, 2 * c - 0.7 * s, -3 * s - 0.7 * c, -4 * c + 0.7 * s], rtol=1e-12)


def test_grad_mode_belongs_to_the_thread_that_set_it() -> None:
    inside: list[bool] = []
    with gw.no_grad():
        thread = threading.Thread(target=lambda: inside.append(gw.is_grad_enabled()))
        thread.start()
        thread.join()
    assert inside == [True]


def test_saved_tensors_are_released_after_backward() -> None:
    x = gw.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    node = y.grad_fn.next_functions[0][0]
    assert node.saved
    y.backward()
    assert node.saved is None
