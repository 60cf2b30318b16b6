"""Calls of functions: what they answer, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradwire_engine.errors import GradwireError, LimitError
from gradwire_engine.limits import Limits
from tests.server.functions import LINEAR, SQUARES, Functions, declared, function, node


def test_values_of_all_outputs_or_of_some() -> None:
    functions = Functions()
    functions.put("f", LINEAR)
    inputs = {"X": [[1.0, 2.0], [3.0, 4.0]], "w": [1.0, 1.0]}
    assert functions.call("f", inputs=inputs) == {"outputs": {"y": [3.5, 7.5], "p": [3.0, 7.0]}}
    assert functions.call("f", inputs={**inputs, "b": 1}, outputs=["y"]) == {"outputs": {"y": [4.0, 8.0]}}


def test_value_and_gradients_of_all_floating_inputs_or_of_some() -> None:
    document = function(
        {"x": declared("n"), "k": declared(dtype="int64"), "s": declared()},
        node("y", "mul", "x", "k"),
        node("t", "mul", "y", "s"),
        node("z", "sum", "t"),
    )
    functions = Functions()
    functions.put("f", document)
    inputs = {"x": [1.0, 2.0], "k": 3, "s": 0.5}
    assert functions.call("f", "value_and_grad", inputs=inputs) == {"value": 4.5, "grads": {"x": [1.5, 1.5], "s": 9.0}}
    assert functions.call("f", "value_and_grad", inputs=inputs, wrt=["s"]) == {"value": 4.5, "grads": {"s": 9.0}}


def test_what_the_output_does_not_depend_on_has_the_gradient_zero() -> None:
    document = function({"x": declared("n"), "y": declared(2)}, node("z", "sum", "x"))
    assert Functions().one(document, "value_and_grad", inputs={"x": [1.0, 2.0], "y": [0.0, 0.0]})["grads"]["y"] == [0.0, 0.0]
    constant = function({"x": declared("n")}, node("z", "mul", 2.0, {"data": 3.0, "dtype": "float64"}))
    assert Functions().one(constant, "value_and_grad", inputs={"x": [1.0]}) == {"value": 6.0, "grads": {"x": [0.0]}}


def test_an_output_that_is_an_input() -> None:
    assert Functions().one(function({"x": declared()}, outputs=["x"]), "value_and_grad", inputs={"x": 3.0}) == {
        "value": 3.0,
        "grads": {"x": 1.0},
    }


def test_gradients_that_start_from_given_ones() -> None:
    functions = Functions()
    functions.put("f", LINEAR)
    inputs = {"X": [[1.0, 2.0], [3.0, 4.0]], "w": [1.0, 1.0]}
    answer = functions.call("f", "vjp", inputs=inputs, grad_outputs={"y": [1.0, 0.0], "p": [0.0, 2.0]}, wrt=["w", "b"])
    assert answer == {"outputs": {"y": [3.5, 7.5], "p": [3.0, 7.0]}, "grads": {"w": [7.0, 10.0], "b": 1.0}}
    functions.put("g", SQUARES)
    assert functions.call("g", "vjp", inputs={"x": [3.0]}, grad_outputs={"z": None})["grads"] == {"x": [6.0]}


def test_one_function_for_inputs_of_any_shape() -> None:
    functions = Functions()
    functions.put("f", SQUARES)
    for n in (1, 2, 5, 100):
        assert functions.call("f", "value_and_grad", inputs={"x": [1.0] * n}) == {"value": float(n), "grads": {"x": [2.0] * n}}
    empty = {"data": [], "dtype": "float64", "shape": [0]}
    assert functions.call("f", "value_and_grad", inputs={"x": empty}) == {"value": 0.0, "grads": {"x": []}}


def test_several_results_of_an_operation_and_custom_functions() -> None:
    document = function(
        {"x": declared("n")},
        node("s", "sort", "x"),
        node("y", "functions.twice", "s.0"),
        node("z", "sum", "y"),
        outputs=["z", "s.1"],
        functions={
            "twice": {
                "forward": {"inputs": ["a"], "nodes": [node("b", "mul", "a", 2)], "outputs": ["b"]},
                "backward": {"inputs": ["grad_b"], "nodes": [node("g", "mul", "grad_b", 10)], "outputs": {"a": "g"}},
            }
        },
    )
    functions = Functions()
    functions.put("f", document)
    assert functions.call("f", inputs={"x": [2.0, 1.0]}) == {"outputs": {"z": 6.0, "s.1": [1, 0]}}
    assert functions.call("f", "value_and_grad", output="z", inputs={"x": [2.0, 1.0]})["grads"] == {"x": [10.0, 10.0]}


def test_a_seed_makes_random_operations_repeatable() -> None:
    functions = Functions()
    functions.put("f", function({"x": declared("n")}, node("r", "rand_like", "x"), node("y", "mul", "x", "r")))
    first = functions.call("f", inputs={"x": [1.0] * 8}, seed=7)
    assert functions.call("f", inputs={"x": [1.0] * 8}, seed=7) == first
    assert functions.call("f", inputs={"x": [1.0] * 8}, seed=8) != first


def test_the_default_dtype_is_the_functions_own() -> None:
    nodes = node("y", "zeros", [2]), node("z", "add", "y", "x")
    inputs = {"x": declared(dtype="int64")}
    functions = Functions()
    functions.put("single", function(inputs, *nodes))
    functions.put("double", function(inputs, *nodes, default_dtype="float64"))
    dtypes = [
        functions.service.call(name, "evaluate", {"inputs": {"x": 1}}, owner=None, limits=Limits(), check=lambda: None)["outputs"]["z"][
            "dtype"
        ]
        for name in ("single", "double")
    ]
    assert dtypes == ["float32", "float64"]


def test_answers_share_nothing_with_the_function_or_the_inputs() -> None:
    document = function({"x": declared(2), "d": declared(2, default=[1.0, 2.0])}, outputs=["x", "d", "t"]) | {
        "nodes": [node("t", "flip", "x", [0]), node("c", "mul", {"data": [1.0], "dtype": "float64"}, 1)]
    }
    functions = Functions()
    functions.put("f", document)
    given = np.array([3.0, 4.0])
    for _ in range(2):
        answer = functions.service.call("f", "evaluate", {"inputs": {"x": given}}, owner=None, limits=Limits(), check=lambda: None)
        for tensor, expected in zip(answer["outputs"].values(), ([3.0, 4.0], [1.0, 2.0], [4.0, 3.0]), strict=True):
            assert tensor["data"].tolist() == expected
            tensor["data"][...] = -1
    assert given.tolist() == [3.0, 4.0]


X2 = {"x": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("form", "document", "code", "pointer"),
    [
        ("evaluate", [], "invalid_type", ""),
        ("evaluate", {"input": X2}, "unknown_field", "/input"),
        ("evaluate", {"inputs": []}, "invalid_type", "/inputs"),
        ("evaluate", {}, "missing_input", "/inputs"),
        ("evaluate", {"inputs": {"xx": [1.0]}}, "unknown_input", "/inputs/xx"),
        ("evaluate", {"inputs": {**X2, "b": 1}}, "unknown_input", "/inputs/b"),
        ("evaluate", {"inputs": {"x": {"data": [1.0], "dtype": "float32"}}}, "dtype_mismatch", "/inputs/x/dtype"),
        ("evaluate", {"inputs": {"x": [[1.0]]}}, "shape_mismatch", "/inputs/x"),
        ("evaluate", {"inputs": {"x": 1.0}}, "shape_mismatch", "/inputs/x"),
        ("evaluate", {"inputs": {"x": [1.0, "a"]}}, "invalid_tensor", "/inputs/x/1"),
        ("evaluate", {"inputs": {"x": [1.0, 10**400]}}, "integer_out_of_range", "/inputs/x/1"),
        ("evaluate", {"inputs": {"x": [[]]}}, "shape_required", "/inputs/x"),
        ("evaluate", {"inputs": {"x": None}}, "invalid_tensor", "/inputs/x"),
        ("evaluate", {"inputs": X2, "outputs": "z"}, "invalid_type", "/outputs"),
        ("evaluate", {"inputs": X2, "outputs": ["y"]}, "unknown_output", "/outputs/0"),
        ("evaluate", {"inputs": X2, "seed": 1.5}, "invalid_type", "/seed"),
        ("value_and_grad", {"inputs": X2, "outputs": ["z"]}, "unknown_field", "/outputs"),
        ("value_and_grad", {"inputs": X2, "output": "zz"}, "unknown_output", "/output"),
        ("value_and_grad", {"inputs": X2, "output": ["z"]}, "unknown_output", "/output"),
        ("value_and_grad", {"inputs": X2, "wrt": "x"}, "invalid_type", "/wrt"),
        ("value_and_grad", {"inputs": X2, "wrt": ["w"]}, "unknown_input", "/wrt/0"),
        ("value_and_grad", {"inputs": X2, "wrt": []}, "nothing_to_differentiate", "/wrt"),
        ("vjp", {"inputs": X2}, "missing_field", ""),
        ("vjp", {"inputs": X2, "grad_outputs": [1.0]}, "invalid_type", "/grad_outputs"),
        ("vjp", {"inputs": X2, "grad_outputs": {}}, "invalid_type", "/grad_outputs"),
        ("vjp", {"inputs": X2, "grad_outputs": {"y": 1.0}}, "unknown_output", "/grad_outputs/y"),
        ("vjp", {"inputs": X2, "grad_outputs": {"z": [1.0, 2.0]}}, "shape_mismatch", "/grad_outputs/z"),
        ("vjp", {"inputs": X2, "grad_outputs": {"z": {"data": 1, "dtype": "int64"}}}, "dtype_mismatch", "/grad_outputs/z/dtype"),
    ],
)
def test_mistakes_in_calls_are_found_and_located(form: str, document: Any, code: str, pointer: str) -> None:
    functions = Functions()
    functions.put("f", SQUARES)
    with pytest.raises(GradwireError) as caught:
        functions.service.call("f", form, document, owner=None, limits=Limits(), check=lambda: None)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert caught.value.detail


def test_close_names_are_suggested() -> None:
    functions = Functions()
    functions.put("f", function({"weights": declared(2)}, node("loss", "sum", "weights")))
    for form, document, expected in (
        ("evaluate", {"inputs": {"weight": [1.0, 2.0]}}, "Did you mean 'weights'?"),
        ("value_and_grad", {"inputs": {"weights": [1.0, 2.0]}, "output": "los"}, "Did you mean 'loss'?"),
        ("value_and_grad", {"inputs": {"weights": [1.0, 2.0]}, "wrt": ["weight"]}, "Did you mean 'weights'?"),
    ):
        with pytest.raises(GradwireError, match=expected.replace("?", r"\?")):
            functions.call("f", form, **document)


@pytest.mark.parametrize(
    ("document", "form", "call", "code", "pointer", "message"),
    [
        (
            function({"x": declared("n")}, node("y", "mul", "x", 2)),
            "value_and_grad",
            {},
            "not_scalar",
            "/output",
            "Expected the output 'y' to be a scalar Tensor, got tensor with 1 dims",
        ),
        (
            function({"x": declared("n")}, node("y", "mul", "x", 2)),
            "vjp",
            {"grad_outputs": {"y": None}},
            "gradient_required",
            "/grad_outputs/y",
            "grad can be implicitly created only for scalar outputs",
        ),
        (
            function({"x": declared("n")}, node("y", "argmax", "x")),
            "value_and_grad",
            {},
            "no_grad_fn",
            "/output",
            "element 0 of tensors does not require grad and does not have a grad_fn",
        ),
        (
            function({"x": declared("n")}, node("y", "sum", "x"), node("z", "mul", "y", 2), outputs=["y", "z"]),
            "value_and_grad",
            {},
            "missing_field",
            "",
            "'output' has to name one of them: y, z.",
        ),
    ],
)
def test_what_cannot_be_differentiated(document: Any, form: str, call: Any, code: str, pointer: str | None, message: str) -> None:
    with pytest.raises(GradwireError) as caught:
        Functions().one(document, form, inputs=X2, **call)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert message in caught.value.detail


def test_an_integer_cannot_be_differentiated_by() -> None:
    document = function({"k": declared("n", dtype="int64")}, node("y", "sum", "k"))
    with pytest.raises(GradwireError, match=r"would have to be of floating point, and there are k: int64\[n\]\.$") as caught:
        Functions().one(document, "value_and_grad", inputs={"k": [1]})
    assert (caught.value.code, caught.value.pointer) == ("nothing_to_differentiate", "")
    with pytest.raises(GradwireError, match="Only Tensors of floating point and complex dtype can require gradients") as caught:
        Functions().one(document, "value_and_grad", inputs={"k": [1]}, wrt=["k"])
    assert (caught.value.code, caught.value.pointer) == ("not_differentiable", "/wrt/0")


def test_shapes_that_a_node_does_not_take_are_said_with_the_node() -> None:
    with pytest.raises(GradwireError) as caught:
        Functions().one(function({"x": declared("n")}, node("y", "reshape", "x", [2, -1])), inputs={"x": [1.0, 2.0, 3.0]})
    assert caught.value.pointer is None
    assert "shape '[2, -1]' is invalid for input of size 3 (at /nodes/0 of the function" in caught.value.detail


def test_the_limits_are_those_of_the_call() -> None:
    functions = Functions()
    functions.put("f", function({"x": declared("n")}, node("y", "outer", "x", "x"), node("z", "sum", "y")))
    inputs = {"x": [1.0] * 100}
    assert functions.call("f", inputs=inputs) == {"outputs": {"z": 10_000.0}}
    for limits in (Limits(tensor_bytes=79_999), Limits(program_bytes=100_000), Limits(work=5_000), Limits(nodes=0)):
        with pytest.raises(LimitError):
            functions.call("f", "value_and_grad", inputs=inputs, limits=limits)
    assert functions.call("f", inputs=inputs, limits=Limits(tensor_bytes=80_000)) == {"outputs": {"z": 10_000.0}}


def test_a_custom_backward_is_held_against_the_limits() -> None:
    huge = {
        "forward": {"inputs": ["a"], "nodes": [node("b", "mul", "a", 2)], "outputs": ["b"]},
        "backward": {
            "inputs": ["grad_b"],
            "nodes": [node("m", "ones", [10**6, 10**6]), node("s", "sum", "m"), node("g", "mul", "grad_b", "s")],
            "outputs": {"a": "g"},
        },
    }
    document = function({"x": declared()}, node("y", "functions.huge", "x"), functions={"huge": huge})
    assert Functions().one(document, inputs={"x": 1.0}) == {"outputs": {"y": 2.0}}
    with pytest.raises(LimitError):
        Functions().one(document, "value_and_grad", inputs={"x": 1.0})


def test_a_dry_run_says_what_a_call_gives_and_takes() -> None:
    functions = Functions()
    functions.put("f", SQUARES)
    document = {"inputs": {"x": [1.0] * 100}}

    def run(form: str, **limits: int) -> Any:
        return functions.service.dry_run("f", form, document, owner=None, limits=Limits(**limits), check=lambda: None)

    said = run("value_and_grad")
    assert said["inputs"] == {"x": {"dtype": "float64", "shape": [100]}}
    assert said["value"] == {"dtype": "float64", "shape": []}
    assert said["grads"] == {"x": {"dtype": "float64", "shape": [100]}}
    assert said["fits"] is True
    assert said["refusal"] is None
    assert said["largest_tensor_bytes"] == 800
    forward = run("evaluate")
    assert forward["outputs"] == {"z": {"dtype": "float64", "shape": []}}
    assert forward["operations"] == 2 < said["operations"]
    # x, x * x, their sum, and the sum once more in the answer.
    assert forward["peak_bytes"] == 1616 < said["peak_bytes"]
    assert 0 < forward["work"] < said["work"]
    refused = run("value_and_grad", program_bytes=1_000)
    assert (refused["fits"], refused["refusal"]["code"]) == (False, "program_too_large")
    assert {**refused, "fits": True, "refusal": None} == said


TEXT = {"inputs": {"x": declared("n"), "a": declared()}, "program": "x = x * a\ny = x.log()\ny = y.sum()", "outputs": ["x", "y"]}


def test_a_function_may_be_text() -> None:
    functions = Functions()
    functions.put("f", TEXT)
    inputs = {"x": [1.0, 2.0], "a": 2.0}
    assert functions.call("f", inputs=inputs, outputs=["x"]) == {"outputs": {"x": [2.0, 4.0]}}
    answer = functions.call("f", "value_and_grad", inputs=inputs, output="y")
    assert answer == {"value": pytest.approx(np.log(8.0)), "grads": {"x": [1.0, 0.5], "a": 1.0}}
    checks: Any = {"owner": None, "limits": Limits(), "check": lambda: None}
    assert functions.service.gradcheck("f", {"inputs": inputs, "outputs": ["y"]}, **checks)["ok"]
    found = functions.service.nan_check("f", {"inputs": {"x": [1.0, -2.0], "a": 2.0}}, **checks)["found"]
    assert (found["name"], found["op"], found["pointer"], found["line"], found["column"]) == ("y_1", "log", "/program", 2, 5)


def test_nodes_and_the_text_that_says_the_same_have_one_hash() -> None:
    functions = Functions()
    nodes = function(SQUARES["inputs"], node("y", "mul", "x", "x"), node("z", "sum", "y"))
    first, _ = functions.put("f", nodes)
    second, is_new = functions.put("f", {"inputs": SQUARES["inputs"], "program": "square = x * x\nz = square.sum()", "outputs": ["z"]})
    assert (first["hash"], is_new) == (second["hash"], False)


@pytest.mark.parametrize(
    ("program", "line", "column"),
    [("y = x @ w\nz = y.sum()", 1, 5), ("y = x * 2\nz = nothing(y)", 2, 5), ("import os\nz = x.sum()", 1, 1)],
)
def test_errors_in_a_text_have_a_place(program: str, line: int, column: int) -> None:
    with pytest.raises(GradwireError) as raised:
        Functions().put("f", {"inputs": {"x": declared("n", 3), "w": declared(4)}, "program": program, "outputs": ["z"]})
    assert (raised.value.pointer, raised.value.line, raised.value.column) == ("/program", line, column)


def test_errors_of_calls_show_the_place_in_a_text() -> None:
    functions = Functions()
    functions.put("f", {"inputs": {"x": declared("n")}, "program": "y = x.reshape(-1, 2)\nz = y.sum()", "outputs": ["z"]})
    with pytest.raises(GradwireError, match=r"y = x.reshape") as raised:
        functions.call("f", inputs={"x": [1.0, 2.0, 3.0]})
    assert raised.value.pointer is None


@pytest.mark.parametrize("form", ["evaluate", "value_and_grad", "hessian"])
def test_what_fails_for_some_values_only_is_shown_in_the_text(form: str) -> None:
    functions = Functions()
    inputs = {"x": declared("n", 2), "i": declared(1, dtype="int64")}
    functions.put("f", {"inputs": inputs, "program": "t = x.index_select(0, i)\nz = t.sum()", "outputs": ["z"]})
    given = {"x": [[1.0, 2.0]], "i": [0]}
    assert functions.call("f", "evaluate", inputs=given)["outputs"]["z"] == 3.0
    with pytest.raises(GradwireError, match=r"1 \| t = x.index_select") as raised:
        functions.call("f", form, inputs={**given, "i": [7]})
    assert (raised.value.pointer, raised.value.line) == (None, 1)


TWICE: dict[str, Any] = {
    "forward": {"inputs": ["a", "k"], "program": "t = a * 2\nb = t.index_select(0, k)", "outputs": ["b"]},
    "save": ["k"],
    "backward": {"inputs": ["grad_b", "k"], "program": "g = torch.index_select(grad_b * 2, 0, k - k)", "outputs": {"a": "g"}},
}


def test_bodies_of_custom_functions_may_be_text() -> None:
    functions = Functions()
    inputs = {"x": declared("n"), "i": declared(1, dtype="int64")}
    document = {"inputs": inputs, "program": "z = functions.twice(x, i).sum()", "functions": {"twice": TWICE}, "outputs": ["z"]}
    functions.put("f", document)
    assert functions.call("f", "value_and_grad", inputs={"x": [3.0], "i": [0]}) == {"value": 6.0, "grads": {"x": [2.0]}}
    with pytest.raises(GradwireError, match=r"2 \| b = t.index_select") as raised:
        functions.call("f", inputs={"x": [3.0], "i": [5]})
    assert (raised.value.pointer, raised.value.line, raised.value.column) == (None, 2, 5)
    assert raised.value.detail.endswith("\n  in /functions/twice/forward/program of the function")
    wrong = {**TWICE, "forward": {**TWICE["forward"], "program": "b = a.nothing(k)"}}
    with pytest.raises(GradwireError) as refused:
        functions.put("f", {**document, "functions": {"twice": wrong}})
    assert (refused.value.pointer, refused.value.line) == ("/functions/twice/forward/program", 1)


def test_what_callers_share_shows_each_their_own_text() -> None:
    service = Functions().service
    inputs = {"x": declared("n", 2), "i": declared(1, dtype="int64")}
    for owner, name in (("a", "secret"), ("b", "open")):
        text = f"{name} = x.index_select(0, i)\nz = {name}.sum()"
        service.put("f", service.prepare({"inputs": inputs, "program": text, "outputs": ["z"]}, check=lambda: None), owner=owner)
    for owner, name in (("a", "secret"), ("b", "open")):
        given = {"inputs": {"x": [[1.0, 2.0]], "i": [7]}}
        with pytest.raises(GradwireError, match=f"{name} = x.index_select"):
            service.call("f", "evaluate", given, owner=owner, limits=Limits(), check=lambda: None)


def test_a_name_that_means_something_else_meanwhile() -> None:
    functions = Functions(definitions_bytes=0)
    first, _ = functions.put("f", SQUARES)
    assert functions.call("f", inputs={"x": [2.0]}) == {"outputs": {"z": 4.0}}
    functions.put("f", function(SQUARES["inputs"], node("y", "mul", "x", 3), node("z", "sum", "y")))
    assert functions.call("f", inputs={"x": [2.0]}) == {"outputs": {"z": 6.0}}
    assert functions.call(f"f@{first['hash']}", inputs={"x": [2.0]}) == {"outputs": {"z": 4.0}}
