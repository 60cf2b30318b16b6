"""Handles and their history: moves to another node, versions, classes that derive from a recorder, operators that refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gw
from gradwire_engine.errors import TensorTypeError
from gradwire_engine.gradcheck import gradcheck
from gradwire_engine.meta import meta_of_array
from gradwire_engine.modes import GENERATOR, current_generator, manual_seed
from gradwire_engine.node import Version
from gradwire_engine.random import Generator
from gradwire_engine.symbolic import Symbol, Trace
from gradwire_engine.tensor import Tensor
from gradwire_engine.value import Value


class Parameter(Tensor):
    """A user's own kind of tensor."""


class Scaled(Parameter):
    """One that derives from it, and adds something of its own."""

    scale = 2.0


def derived(kind: type[Tensor], *values: float) -> Any:
    return kind._wrap(np.array(values, np.float32)).requires_grad_()


def test_a_write_through_a_view_moves_what_the_base_retains() -> None:
    x = gw.tensor([1.0, 2.0], requires_grad=True)
    y = x.clone()
    y.retain_grad()
    before = y.grad_fn
    y[0] = 5.0
    assert y.grad_fn is not before
    assert before.retained == {}
    assert y.retains_grad
    y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0]
    assert x.grad.tolist() == [0.0, 1.0]


def test_a_view_that_is_looked_at_again_still_retains() -> None:
    x = gw.tensor([[1.0, 2.0]], requires_grad=True)
    y = x.clone()
    view = y[0:1]
    view.retain_grad()
    y.mul_(3)
    view.sum().backward()
    assert view.grad.tolist() == [[1.0, 1.0]]


def test_a_transpose_in_place_keeps_the_gradient_in_the_new_shape() -> None:
    x = gw.tensor([[1.0, 2.0]], requires_grad=True)
    y = x.clone()
    y.retain_grad()
    y.t_()
    (y * gw.tensor([[3.0], [4.0]])).sum().backward()
    assert y.grad.tolist() == [[3.0], [4.0]]
    assert x.grad.tolist() == [[3.0, 4.0]]


def test_moving_leaves_what_others_retain_at_the_old_node() -> None:
    first, second = (gw.tensor([1.0, 2.0], requires_grad=True) * 1).unbind(0)
    node = first.grad_fn
    first.retain_grad()
    second.retain_grad()
    first._move_to((gw.tensor(2.0, requires_grad=True) * 2).grad_fn, 0)
    assert list(node.retained) == [1]
    assert first.retains_grad
    assert second.retains_grad


def test_every_kind_of_write_counts_once() -> None:
    version = Version()
    version.bump()
    assert version.count == 1
    x = gw.tensor([[1.0, 2.0]])
    view = x[0]
    view.mul_(2)
    x.t_()
    assert (x._version, view._version) == (2, 2)


@pytest.mark.parametrize("kind", [Parameter, Scaled])
def test_classes_that_derive_from_tensor_compute_as_tensors(kind: type[Tensor]) -> None:
    p, x = derived(kind, 1.0, 2.0), gw.tensor([3.0, 4.0], requires_grad=True)
    results = [p * x, x * p, p * p, p + 1, 2 - p, gw.stack([p, x]), gw.where(x > 3, p, x), p.sum(), p[0], p.detach(), p.data, x.matmul(p)]
    assert [type(r) for r in results] == [Tensor] * len(results)
    (p * x + x * p).sum().backward()
    assert type(p.grad) is Tensor
    assert p.grad.tolist() == [6.0, 8.0]
    assert x.grad.tolist() == [2.0, 4.0]


def test_classes_that_derive_from_tensor_are_written_in_place() -> None:
    p, x = derived(Parameter, 1.0, 2.0), gw.tensor([3.0, 4.0], requires_grad=True)
    target = p
    with gw.no_grad():
        target.mul_(2)
        target[0] = 7.0
    assert target is p
    assert type(target) is Parameter
    (target * x).sum().backward()
    assert x.grad.tolist() == [7.0, 4.0]
    other = Parameter._wrap(np.array([1.0, 1.0], np.float32))
    other *= x
    assert type(other) is Parameter
    assert type(gw.autograd.grad(other.sum(), [x], create_graph=True)[0]) is Tensor


def test_a_class_directly_under_value_is_a_recorder() -> None:
    assert [k._recorder for k in (Tensor, Symbol, Parameter, Scaled)] == [Tensor, Symbol, Tensor, Tensor]
    other: Any = type("Other", (Value,), {})
    assert other._recorder is other


def test_a_derived_tensor_is_a_constant_of_a_trace() -> None:
    trace = Trace()
    p = Parameter._wrap(np.array([1.0, 2.0], np.float32))
    with trace.recording():
        s = trace.input(meta_of_array(np.zeros(2, np.float32)))
        results = [s * p, p * s]
    assert [type(r) for r in results] == [Symbol, Symbol]


def test_gradcheck_leaves_its_input_as_it_was_when_the_function_fails() -> None:
    x = gw.tensor([1.0, 2.0], dtype=gw.float64, requires_grad=True)
    calls = 0

    def fails_in_the_middle(v: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise ZeroDivisionError
        return v * v

    with pytest.raises(ZeroDivisionError):
        gradcheck(fails_in_the_middle, [x])
    assert x.tolist() == [1.0, 2.0]


def test_seeding_reaches_the_context_that_has_a_generator_and_no_other() -> None:
    outside = current_generator()
    state = outside.initial_seed()
    token = GENERATOR.set(Generator())
    try:
        assert manual_seed(state + 1) is not outside
    finally:
        GENERATOR.reset(token)
    assert current_generator() is outside
    assert outside.initial_seed() == state


def test_tensors_hash_by_identity() -> None:
    x, p = gw.tensor([1.0]), derived(Parameter, 1.0)
    assert "__hash__" not in Value.__dict__
    assert {x: 1, p: 2}[p] == 2
    assert hash(x) == id(x)


def ended_symbol() -> Any:
    trace = Trace()
    with trace.recording():
        return trace.input(meta_of_array(np.zeros(3, np.float32)))


@pytest.mark.parametrize(
    "use",
    [lambda s: s * 2, lambda s: 2 * s, lambda s: s**2, lambda s: 1 / s, lambda s: s == 1, lambda s: gw.ones(3) * s, lambda s: s @ s],
    ids=["mul", "rmul", "pow", "rtruediv", "eq", "tensor_first", "matmul"],
)
def test_what_the_engine_refuses_reaches_the_user_of_an_operator(use: Any) -> None:
    with pytest.raises(TensorTypeError, match="cannot be used after it ended"):
        use(ended_symbol())


class Guest:
    """Knows how to handle a tensor beside itself."""

    def __radd__(self, other: Any) -> str:
        return "radd"

    def __rpow__(self, other: Any) -> str:
        return "rpow"

    def __rtruediv__(self, other: Any) -> str:
        return "rtruediv"

    def __truediv__(self, other: Any) -> Any:
        return NotImplemented


def test_an_operand_that_no_op_takes_has_its_turn() -> None:
    x: Any = gw.tensor([1.0, 2.0])
    assert (x + Guest(), x ** Guest(), x / Guest()) == ("radd", "rpow", "rtruediv")
    assert (x == "a", x != None) == (False, True)  # noqa: E711
    uses: list[Callable[[], Any]] = [lambda: x - "a", lambda: Guest() / x, lambda: x @ 2, lambda: x & None, lambda: {} % x]
    for use in uses:
        with pytest.raises(TypeError, match="unsupported operand type"):
            use()
    y: Any = x
    y += Guest()
    assert y == "radd"
