"""Functions mapped over a batch: nesting with gradients, custom functions, what is refused, and that nothing is unrolled."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.batching import vmap
from gradwire_engine.batching.rules import RULES
from gradwire_engine.errors import GradwireError, TensorNotImplementedError, TensorRuntimeError, TensorValueError, ValueNeeded
from gradwire_engine.execute import Runner
from gradwire_engine.limits import Limits
from gradwire_engine.meta import dense
from gradwire_engine.op import REGISTRY, Op, Overloads, ops
from gradwire_engine.parse import parse
from gradwire_engine.symbolic import trace

DOUBLE = np.dtype(np.float64)
X = np.random.default_rng(0).normal(size=(5, 3))


def mapped(function: Callable[[Any], Any], x: Any = X, randomness: str = "error") -> Any:
    """A function of one tensor, for every row of ``x``."""
    given = gradwire.tensor(x) if isinstance(x, np.ndarray) else x
    return vmap(lambda named: function(named["x"]), {"x": given}, ["x"], randomness)


def test_every_rule_that_an_op_names_is_there() -> None:
    found = [o for f in REGISTRY.values() for o in (f.overloads if isinstance(f, Overloads) else (f,))]
    assert {o.batch for o in found if o.batch is not None} <= RULES.keys()


def test_an_input_that_is_the_same_for_all_items_gets_a_gradient_for_each() -> None:
    def each(named: Any) -> Any:
        w = named["w"].requires_grad_()
        return gradwire.grad([ops.tanh(w * named["x"]).sum()], [w])[0]

    w = np.array([0.5, -1.0, 2.0])
    found = vmap(each, {"w": gradwire.tensor(w), "x": gradwire.tensor(X)}, ["x"])
    np.testing.assert_allclose(found.numpy(), X * (1 - np.tanh(w * X) ** 2))


def test_gradients_of_both_levels_at_once() -> None:
    """The gradient from outside of what holds a gradient for each item."""
    x = gradwire.tensor(X, requires_grad=True)

    def each(row: Any) -> Any:
        inside = row.requires_grad_()
        return (gradwire.grad([(inside**3).sum()], [inside], create_graph=True)[0] ** 2).sum()

    (g,) = gradwire.grad([mapped(each, x).sum()], [x])
    np.testing.assert_allclose(g.numpy(), 36 * X**3)


def test_a_batch_of_no_items() -> None:
    assert mapped(lambda x: ops.median(ops.softmax(x, 0)), np.zeros((0, 3))).shape == (0,)


def test_what_is_not_mapped_is_repeated() -> None:
    found = vmap(lambda named: (named["w"], ops.ones(2)), {"x": gradwire.tensor(X), "w": gradwire.tensor([1.0])}, ["x"])
    assert [tuple(t.shape) for t in found] == [(5, 1), (5, 2)]


FUNCTION = {
    "scale": {
        "forward": {
            "inputs": ["x", "w"],
            "nodes": [{"name": "y", "op": "mul", "args": ["x", "w"]}],
            "outputs": ["y"],
        },
        "save": ["x", "w"],
        "backward": {
            "inputs": ["grad_y", "x", "w"],
            "nodes": [
                {"name": "gx", "op": "mul", "args": ["grad_y", "w"]},
                {"name": "gw", "op": "mul", "args": ["grad_y", "x"]},
                {"name": "doubled", "op": "mul", "args": ["gw", 2]},
            ],
            "outputs": {"x": "gx", "w": "doubled"},
        },
    }
}


def scaled(x: Any, w: Any) -> Any:
    """A custom function whose gradient by ``w`` is told apart by a factor of two."""
    document = {"functions": FUNCTION, "nodes": [{"name": "y", "op": "functions.scale", "args": ["x", "w"]}], "outputs": ["y"]}
    program = parse(document, ["x", "w"], Limits())
    return Runner(lambda: None).run(program.body, {"x": x, "w": w})["y"]


def test_custom_functions_from_outside() -> None:
    x, w = gradwire.tensor(X, requires_grad=True), gradwire.tensor(2.0, dtype="float64", requires_grad=True)
    y = vmap(lambda named: scaled(named["x"], named["w"]), {"x": x, "w": w}, ["x"])
    gx, gw = gradwire.grad([y], [x, w], [gradwire.tensor(X)])
    np.testing.assert_allclose(gx.numpy(), 2 * X)
    np.testing.assert_allclose(gw.numpy(), 2 * np.sum(X * X))


def test_custom_functions_for_each_item() -> None:
    def each(named: Any) -> Any:
        w = named["w"].requires_grad_()
        return gradwire.grad([scaled(named["x"], w).sum()], [w])[0]

    found = vmap(each, {"x": gradwire.tensor(X), "w": gradwire.tensor(2.0, dtype="float64")}, ["x"])
    np.testing.assert_allclose(found.numpy(), 2 * X.sum(1))


def test_rows_of_cotangents_are_one_walk() -> None:
    x = gradwire.tensor(X[0], requires_grad=True)
    calls = []
    y = ops.sin(x) * x.sum()
    y.grad_fn.register_hook(lambda *_: calls.append(1))
    rows = np.random.default_rng(1).normal(size=(4, 3))
    expected = [gradwire.grad([y], [x], [gradwire.tensor(r)], retain_graph=True)[0].numpy() for r in rows]
    calls.clear()
    (found,) = gradwire.grad([y], [x], [gradwire.tensor(rows)], is_grads_batched=True, create_graph=True)
    np.testing.assert_allclose(found.detach().numpy(), expected)
    assert len(calls) == 1
    assert found.requires_grad


def test_rows_of_cotangents_of_other_sizes_are_refused() -> None:
    x = gradwire.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TensorRuntimeError, match="leading axes of one size"):
        gradwire.grad(
            [x * 1, x * 2], [x], [gradwire.tensor(np.eye(2, dtype="float32")), gradwire.tensor([[1.0, 1.0]])], is_grads_batched=True
        )


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x.sum().item(), "calling .item()"),
        (lambda x: float(x.sum()), "calling .item()"),
        (lambda x: x if x.sum() > 0 else -x, "data-dependent control flow"),
        (lambda x: ops.nonzero(x), "dynamic shape"),
        (lambda x: x[x > 0], "dynamic shape"),
        (lambda x: ops.masked_select(x, x > 0), "dynamic shape"),
        (lambda x: ops.unique(x), "dynamic shape"),
        (lambda x: ops.rand_like(x), "randomness error mode"),
        (lambda x: ops.rand(2), "randomness error mode"),
        (lambda x: ops.rand_like(gradwire.tensor([1.0])), "randomness error mode"),
    ],
)
def test_what_depends_on_elements_is_refused(function: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(TensorRuntimeError, match=re.escape(message)):
        mapped(function)


def test_a_mapped_number_is_no_integer_of_python() -> None:
    with pytest.raises(ValueNeeded, match="as an integer"):
        mapped(lambda x: x[: int(ops.argmax(x))])


def test_writing_in_place_is_refused() -> None:
    with pytest.raises(TensorNotImplementedError, match="out-of-place"):
        mapped(lambda x: x.add_(1))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.sum(x, 1),
        lambda x: ops.sum(x, -2),
        lambda x: ops.transpose(x, 0, 1),
        lambda x: ops.unsqueeze(x, 3),
        lambda x: x + ops.ones(4),
        lambda x: ops.reshape(x, (2, 2)),
        lambda x: ops.mm(x, x),
        lambda x: ops.stack([x, ops.ones(2)]),
        lambda x: ops.linalg.inv(x),
        lambda x: x[3],
        lambda x: ops.expand(x, (2,)),
    ],
)
def test_errors_are_those_of_an_item(function: Callable[[Any], Any]) -> None:
    with pytest.raises(GradwireError) as alone:
        function(gradwire.tensor(X[0]))
    with pytest.raises(type(alone.value)) as batched:
        mapped(function)
    assert batched.value.detail == alone.value.detail


def test_what_cannot_be_mapped_is_refused() -> None:
    x, scalar = gradwire.tensor(X), gradwire.tensor(1.0)
    for inputs, names, message in (
        ({"x": x}, [], "at least one Tensor"),
        ({"x": x}, ["y"], "no input 'y'"),
        ({"x": scalar}, ["x"], "dimensionality 0"),
        ({"x": x, "y": gradwire.tensor([1.0, 2.0])}, ["x", "y"], r"got sizes \[5, 2\]"),
    ):
        with pytest.raises(TensorValueError, match=message):
            vmap(lambda named: named["x"], inputs, names)
    with pytest.raises(TensorRuntimeError, match="Only allowed values for randomness"):
        mapped(lambda x: x, randomness="sometimes")


def test_different_numbers_for_each_item_or_the_same_for_all() -> None:
    gradwire.manual_seed(0)
    different = mapped(lambda x: ops.rand_like(x), randomness="different").numpy()
    assert len({tuple(row) for row in different}) == len(X)
    same = mapped(lambda x: ops.rand_like(x), randomness="same").numpy()
    assert len({tuple(row) for row in same}) == 1
    with pytest.raises(TensorRuntimeError, match="same randomness with a batched tensor"):
        mapped(lambda x: ops.bernoulli(ops.sigmoid(x)), randomness="same")


def test_what_is_drawn_in_a_program_is_drawn_when_it_runs() -> None:
    program = trace(lambda x: mapped(lambda row: row + ops.rand_like(gradwire.tensor([1.0])), x, "different"), [dense((5, 3), DOUBLE)])
    gradwire.manual_seed(0)
    first, second = program.run([X])[0], program.run([X])[0]
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.tanh(x * x).sum(),
        lambda x: ops.outer(x, x) @ x,
        lambda x: ops.median(x * x),
        lambda x: ops.sort(x).values.cumsum(0)[1:],
        lambda x: ops.nn.functional.cross_entropy(x, ops.argmax(x)),
        lambda x: ops.linalg.inv(ops.outer(x, x) + ops.eye(3, dtype="float64")),
        lambda x: x[ops.argsort(x)],
        lambda x: gradwire.grad([ops.softmax(x.requires_grad_(), 0)[0]], [x])[0],
    ],
)
def test_nothing_is_done_item_after_item(function: Callable[[Any], Any]) -> None:
    counts = {len(trace(lambda x: mapped(function, x), [dense((size, 3), DOUBLE)]).instructions) for size in (2, 50)}
    assert len(counts) == 1


class Counted:
    """A kernel that counts its calls."""

    def __init__(self, kernel: Callable[..., Any]) -> None:
        self.kernel = kernel
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.kernel(*args)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("_nll_loss", lambda x: ops.nn.functional.cross_entropy(x, ops.argmax(x))),
        ("_nll_loss_backward", lambda x: gradwire.grad([ops.nn.functional.cross_entropy(x.requires_grad_(), ops.argmax(x))], [x])[0]),
        ("nn.functional.group_norm", lambda x: ops.nn.functional.group_norm(x.reshape(1, 3, 1).expand(1, 3, 2), 1, x)),
        ("nn.functional.layer_norm", lambda x: ops.nn.functional.layer_norm(x, (3,), x)),
        ("_batch_norm", lambda x: ops.nn.functional.batch_norm(x.reshape(3, 1), None, None, x[:1], training=True)),
        ("embedding", lambda x: ops.embedding(x.reshape(3, 1), ops.argsort(x))),
    ],
)
def test_the_kernel_of_one_item_is_not_called_for_a_batch(
    name: str, function: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = np.stack([np.asarray(function(gradwire.tensor(row)).detach()) for row in X])
    of_one = REGISTRY[name]
    assert isinstance(of_one, Op)
    counted = Counted(of_one.kernel)
    monkeypatch.setattr(of_one, "kernel", counted)
    np.testing.assert_allclose(np.asarray(mapped(function)), expected, rtol=1e-12)
    assert counted.calls == 0


def test_positions_outside_of_a_table_are_refused_for_every_item() -> None:
    tables, places = gradwire.tensor(np.ones((2, 3, 1))), gradwire.tensor(np.array([[3], [0]]))
    with pytest.raises(IndexError, match="index out of range in self"):
        vmap(lambda named: ops.embedding(named["t"], named["i"]), {"t": tables, "i": places}, ["t", "i"])
