from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire_engine as gw
from gradwire_engine.errors import TensorRuntimeError
from gradwire_engine.execute import Runner
from gradwire_engine.limits import Limits
from gradwire_engine.parse import parse


def call(functions: dict[str, Any], nodes: list[dict[str, Any]], **inputs: gw.Tensor) -> dict[str, Any]:
    program = parse({"functions": functions, "nodes": nodes, "outputs": []}, list(inputs), Limits())
    return Runner(lambda: None).run(program.body, dict(inputs))


def node(name: Any, op: str, *args: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "args": list(args)}


MY_EXP = {
    "forward": {"inputs": ["x"], "nodes": [node("y", "exp", "x")], "outputs": ["y"]},
    "save": ["y"],
    "backward": {"inputs": ["grad_y", "y"], "nodes": [node("gx", "mul", "grad_y", "y")], "outputs": {"x": "gx"}},
}
# Two inputs and two outputs; the gradient of b is withheld.
PAIR = {
    "forward": {"inputs": ["a", "b"], "nodes": [node("s", "add", "a", "b"), node("p", "mul", "a", "b")], "outputs": ["s", "p"]},
    "save": ["b"],
    "backward": {
        "inputs": ["grad_s", "grad_p", "b"],
        "nodes": [node("t", "mul", "grad_p", "b"), node("ga", "add", "grad_s", "t")],
        "outputs": {"a": "ga", "b": None},
    },
}


def leaf(*values: float) -> gw.Tensor:
    return gw.tensor(list(values), dtype="float64", requires_grad=True)


def test_backward_is_the_program_given() -> None:
    x = leaf(0.0, 1.0)
    y = call({"my_exp": MY_EXP}, [node("y", "functions.my_exp", "x")], x=x)["y"]
    assert y.grad_fn.name() == "my_expBackward"
    assert y.grad_fn.next_functions[0][0].name() == "torch::autograd::AccumulateGrad"
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp([0.0, 1.0]))


def test_backward_can_itself_be_differentiated() -> None:
    x = leaf(0.3, -1.0)
    y = call({"my_exp": MY_EXP}, [node("y", "functions.my_exp", "x")], x=x)["y"]
    (g,) = gw.grad(y.sum(), x, create_graph=True)
    (h,) = gw.grad(g.sum(), x, create_graph=True)
    (third,) = gw.grad(h.sum(), x)
    np.testing.assert_allclose(third.numpy(), np.exp([0.3, -1.0]))


def test_several_inputs_and_outputs_with_null_gradients() -> None:
    a, b = leaf(2.0), leaf(5.0)
    values = call({"pair": PAIR}, [node("y", "functions.pair", "a", "b")], a=a, b=b)
    only_p = gw.grad(values["y.1"].sum(), [a, b], allow_unused=True, retain_graph=True)
    assert only_p[0].tolist() == [5.0]
    assert only_p[1] is None
    (values["y.0"].sum() + 10 * values["y.1"].sum()).backward()
    assert a.grad.tolist() == [51.0]
    assert b.grad is None


def test_a_function_can_be_called_twice_and_by_another() -> None:
    twice = {
        **MY_EXP,
        "forward": {"inputs": ["x"], "nodes": [node("e", "functions.my_exp", "x"), node("y", "mul", "e", 1)], "outputs": ["y"]},
    }
    x = leaf(0.5)
    nodes = [node("y", "functions.twice", "x"), node("z", "functions.my_exp", "y"), node("w", "add", "y", "z")]
    call({"my_exp": MY_EXP, "twice": twice}, nodes, x=x)["w"].sum().backward()
    e = np.exp(0.5)
    np.testing.assert_allclose(x.grad.numpy(), [e + np.exp(e) * e])


def test_an_input_used_twice_gets_both_gradients() -> None:
    x = leaf(3.0)
    call({"pair": PAIR}, [node(["s", "p"], "functions.pair", "x", "x")], x=x)["p"].sum().backward()
    assert x.grad.tolist() == [3.0]


def test_an_output_that_is_an_input_keeps_the_inputs_history() -> None:
    same = {
        "forward": {"inputs": ["x"], "nodes": [], "outputs": ["x"]},
        "backward": {"inputs": ["grad_x"], "nodes": [node("g", "mul", "grad_x", 7)], "outputs": {"x": "g"}},
    }
    x = leaf(1.0)
    y = call({"same": same}, [node("y", "functions.same", "x")], x=x)["y"]
    assert x.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [7.0]


def test_saved_tensors_are_guarded_and_released() -> None:
    x = leaf(1.0)
    y = call({"my_exp": MY_EXP}, [node("y", "functions.my_exp", "x")], x=x)["y"]
    with gw.no_grad():
        y.mul_(2)
    with pytest.raises(TensorRuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    z = call({"my_exp": MY_EXP}, [node("y", "functions.my_exp", "x")], x=x)["y"].sum()
    z.backward()
    with pytest.raises(TensorRuntimeError, match="backward through the graph a second time"):
        z.backward()


def test_a_gradient_of_the_wrong_shape_is_refused() -> None:
    wrong = {**MY_EXP, "backward": {"inputs": ["grad_y", "y"], "nodes": [node("gx", "cat", ["y", "y"])], "outputs": {"x": "gx"}}}
    x = leaf(1.0, 2.0)
    y = call({"wrong": wrong}, [node("y", "functions.wrong", "x")], x=x)["y"]
    with pytest.raises(
        TensorRuntimeError, match=r"Function wrongBackward returned an invalid gradient at index 0 - got \[4\] but expected"
    ):
        y.sum().backward()
