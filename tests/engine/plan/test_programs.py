"""Programs as traces: forward, backward, and what cannot be one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradwire_engine.autograd import walk_back
from gradwire_engine.errors import GradwireError
from gradwire_engine.execute import Runner
from gradwire_engine.limits import Limits
from gradwire_engine.meta import meta_of_array
from gradwire_engine.parse import parse
from gradwire_engine.plan import compile_trace
from gradwire_engine.plan.programs import trace_program
from gradwire_engine.program import Program
from gradwire_engine.tensor import Tensor

from .graphs import close


def program(nodes: list[dict[str, Any]], outputs: list[str], inputs: list[str], **more: Any) -> Program:
    return parse({"nodes": nodes, "outputs": outputs, **more}, inputs, Limits())


LINEAR = program(
    [
        {"name": "p", "op": "matmul", "args": ["X", "w"]},
        {"name": "r", "op": "sub", "args": ["p", [1.0, 2.0]]},
        {"name": "s", "op": "mul", "args": ["r", "r"]},
        {"name": "loss", "op": "mean", "args": ["s"]},
    ],
    ["loss", "r"],
    ["X", "w"],
)
ARRAYS = {"X": np.arange(6, dtype=np.float32).reshape(2, 3), "w": np.array([0.5, -1.0, 2.0], np.float32)}


def test_forward_and_backward() -> None:
    traced = trace_program(LINEAR.body, {n: meta_of_array(a) for n, a in ARRAYS.items()}, backward=["loss"], wrt=["w", "X", "p"])
    found = compile_trace(traced)(list(ARRAYS.values()))
    values: dict[str, Any] = {n: Tensor._wrap(a) for n, a in ARRAYS.items()}
    for tensor in values.values():
        tensor.requires_grad_()
    Runner(lambda: None).run(LINEAR.body, values)
    gradients = walk_back([values["loss"]], [None], [values[n] for n in ("w", "X", "p")])
    for result, expected in zip(found, [values["loss"], values["r"], *gradients], strict=True):
        close(result, expected._data)


def test_cotangents_are_inputs() -> None:
    metas = {n: meta_of_array(a) for n, a in ARRAYS.items()}
    cotangent = np.array([1.0, -3.0], np.float32)
    traced = trace_program(LINEAR.body, metas, backward=["r"], cotangents={"r": meta_of_array(cotangent)}, wrt=["w"])
    found = compile_trace(traced)([*ARRAYS.values(), cotangent])
    np.testing.assert_allclose(found[2], ARRAYS["X"].T @ cotangent)


def test_what_is_not_reached_has_zeros() -> None:
    body = program([{"name": "y", "op": "sum", "args": ["a"]}], ["y"], ["a", "b"]).body
    metas = {n: meta_of_array(np.ones(2)) for n in "ab"}
    found = compile_trace(trace_program(body, metas, backward=["y"], wrt=["a", "b"]))([np.ones(2), np.ones(2)])
    np.testing.assert_array_equal(found[2], [0.0, 0.0])


def test_custom_functions_and_constants() -> None:
    functions = {
        "cube": {
            "forward": {"inputs": ["x"], "nodes": [{"name": "y", "op": "pow", "args": ["x", 3]}], "outputs": ["y"]},
            "save": ["x"],
            "backward": {
                "inputs": ["grad_y", "x"],
                "nodes": [{"name": "g", "op": "mul", "args": ["grad_y", "x"]}],
                "outputs": {"x": "g"},
            },
        }
    }
    nodes: list[dict[str, Any]] = [
        {"name": "c", "op": "functions.cube", "args": ["x"]},
        {"name": "n", "op": "rand_like", "args": [[1.0, 2.0]]},
        {"name": "y", "op": "sum", "args": ["c"]},
    ]
    body = program(nodes, ["y", "n"], ["x"], functions=functions).body
    plan = compile_trace(trace_program(body, {"x": meta_of_array(np.ones(2))}, backward=["y"], wrt=["x"]))
    y, first, g = plan([np.array([2.0, 3.0])])
    assert y == 35.0
    np.testing.assert_array_equal(g, [2.0, 3.0])
    # Noise on a constant is drawn when the plan is called, not when it is made.
    assert not np.array_equal(first, plan([np.array([2.0, 3.0])])[1])


def test_shapes_that_depend_on_values_are_refused_with_their_place() -> None:
    body = program([{"name": "y", "op": "nonzero", "args": ["x"]}], ["y"], ["x"]).body
    with pytest.raises(GradwireError, match=r"torch\.where or masked_fill") as refused:
        trace_program(body, {"x": meta_of_array(np.ones(2))})
    assert (refused.value.code, refused.value.pointer) == ("data_dependent_shape", "/nodes/0")


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(GradwireError, match="'q' is not the name"):
        trace_program(LINEAR.body, {n: meta_of_array(a) for n, a in ARRAYS.items()}, backward=["loss"], wrt=["q"])
