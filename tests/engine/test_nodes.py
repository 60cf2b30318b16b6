"""Nodes as users hold them: their classes and names, and calling one by hand."""

from __future__ import annotations

from typing import Any

import pytest

import gradwire_engine as gradwire
from gradwire_engine.autograd import Function
from gradwire_engine.errors import TensorRuntimeError, TensorTypeError
from gradwire_engine.node import OpNode


def leaf(*values: float) -> Any:
    return gradwire.tensor(list(values), requires_grad=True)


def test_the_class_of_a_node_has_its_name() -> None:
    x = leaf(1.0, 2.0)
    y = x * x
    y[0] = 3.0
    written = y.sum().grad_fn.next_functions[0][0]
    assert [type(n).__name__ for n in (x.exp().grad_fn, written, written.next_functions[0][0])] == [
        "ExpBackward0",
        "CopySlices",
        "MulBackward0",
    ]
    view = y[:1]
    y.mul_(2)
    assert type(view.grad_fn).__name__ == view.grad_fn.name() == "AsStridedBackward0"


def test_the_class_is_one_for_all_nodes_of_a_name() -> None:
    x = leaf(1.0)
    assert type(x.exp().grad_fn) is type(x.exp().grad_fn)
    assert issubclass(type(x.exp().grad_fn), OpNode)


def test_a_node_that_was_looked_at_is_walked_like_others() -> None:
    x = leaf(1.0, 2.0)
    y = (x * x).exp().sum()
    node = y.grad_fn
    while node is not None:
        node = node.next_functions[0][0] if node.next_functions else None
    y.backward()
    z = leaf(1.0, 2.0)
    (z * z).exp().sum().backward()
    assert x.grad.equal(z.grad)


def test_names_of_leaves_and_writes_have_a_namespace_but_their_texts_have_not() -> None:
    x = leaf(1.0, 2.0)
    end = (x * 2).grad_fn.next_functions[0][0]
    assert (end.name(), end.short_name, repr(end).split()[0]) == ("torch::autograd::AccumulateGrad", "AccumulateGrad", "<AccumulateGrad")
    y = x * 2
    y[0] = 1.0
    assert (y.grad_fn.name(), y.grad_fn.short_name) == ("torch::autograd::CopySlices", "CopySlices")
    assert "grad_fn=<CopySlices>" in repr(y)


def test_a_node_is_called_with_gradients() -> None:
    x = leaf(3.0)
    g = (x**2).grad_fn(gradwire.tensor([1.0]))
    assert g.tolist() == [6.0]
    assert g.requires_grad
    both = (x * leaf(5.0)).grad_fn(gradwire.tensor([2.0]))
    assert [t.tolist() for t in both] == [[10.0], [6.0]]
    node = (x**2).grad_fn
    with gradwire.no_grad():
        assert not node(gradwire.tensor([1.0])).requires_grad
    assert (x * 2).grad_fn(None) == (None, None)


def test_a_node_called_by_hand_keeps_what_it_saved() -> None:
    node = (leaf(3.0) ** 2).grad_fn
    assert node(gradwire.tensor([1.0])).equal(node(gradwire.tensor([1.0])))


def test_the_end_of_a_path_accumulates() -> None:
    x = leaf(1.0, 2.0)
    end = (x * 2).grad_fn.next_functions[0][0]
    assert end(gradwire.ones(2)) == ()
    assert end(gradwire.ones(2)) == ()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_node_refuses_what_is_no_gradient() -> None:
    node = leaf(1.0).exp().grad_fn
    with pytest.raises(TensorTypeError, match="expected 1 arguments, got 0 instead"):
        node()
    with pytest.raises(TensorTypeError, match="argument 0 is not a Variable"):
        node(1.0)


def test_a_node_that_gave_up_what_it_saved_refuses() -> None:
    y = leaf(1.0).exp()
    y.sum().backward()
    with pytest.raises(TensorRuntimeError, match="Trying to backward through the graph a second time"):
        y.grad_fn(gradwire.ones(1))


def test_the_context_of_a_function_has_its_name() -> None:
    seen: list[str] = []

    class Twice(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            seen.append(type(ctx).__name__)
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    y = Twice.apply(leaf(1.0))
    assert [*seen, type(y.grad_fn).__name__, y.grad_fn.name()] == ["TwiceBackward"] * 3


def test_functions_are_not_to_be_instantiated() -> None:
    class Nothing(Function):
        pass

    with pytest.warns(DeprecationWarning, match=r"Nothing'> should not be instantiated\. Methods on autograd functions are all static"):
        Nothing()
