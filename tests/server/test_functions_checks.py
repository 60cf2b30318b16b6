"""gradcheck and the search for a NaN."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_engine.errors import GradwireError, LimitError
from gradwire_engine.limits import Limits
from tests.server.functions import LINEAR, SQUARES, Functions, declared, function, node

WRONG = function(
    {"x": declared("n")},
    node("y", "functions.twice", "x"),
    functions={
        "twice": {
            "forward": {"inputs": ["a"], "nodes": [node("b", "mul", "a", 2)], "outputs": ["b"]},
            "backward": {"inputs": ["grad_b"], "nodes": [node("g", "mul", "grad_b", 3)], "outputs": {"a": "g"}},
        }
    },
)


def examine(document: Any, form: str, call: Any, limits: Limits | None = None) -> Any:
    functions = Functions()
    functions.put("f", document)
    return getattr(functions.service, form)("f", call, owner=None, limits=limits or Limits(), check=lambda: None)


def test_a_nan_in_the_body_of_a_function_has_its_place_in_the_text() -> None:
    log = {
        "forward": {"inputs": ["a"], "program": "t = a * 2\nb = t.log()", "outputs": ["b"]},
        "backward": {"inputs": ["grad_b"], "program": "", "outputs": {"a": "grad_b"}},
    }
    document = {"inputs": {"x": declared("n")}, "program": "y = functions.log(x)", "functions": {"log": log}, "outputs": ["y"]}
    found = examine(document, "nan_check", {"inputs": {"x": [1.0, -1.0]}})["found"]
    place = (found["op"], found["pointer"], found["line"], found["column"])
    assert place == ("log", "/functions/log/forward/program", 2, 5)


def test_right_and_wrong_gradients() -> None:
    assert examine(SQUARES, "gradcheck", {"inputs": {"x": [1.0, -2.0]}}) == {"ok": True, "detail": None}
    inputs = {"X": [[1.0, 2.0]], "w": [1.0, 3.0]}
    assert examine(LINEAR, "gradcheck", {"inputs": inputs, "wrt": ["w"], "outputs": ["y"]})["ok"]
    found = examine(WRONG, "gradcheck", {"inputs": {"x": [1.0]}})
    assert found["ok"] is False
    assert found["detail"].startswith("Jacobian mismatch for output 0 with respect to input 0")
    assert examine(WRONG, "gradcheck", {"inputs": {"x": [1.0]}, "rtol": 0.6})["ok"]


def test_random_functions_draw_the_same_in_every_run() -> None:
    document = function({"x": declared("n")}, node("r", "rand_like", "x"), node("y", "mul", "x", "r"))
    assert examine(document, "gradcheck", {"inputs": {"x": [1.0, 2.0]}})["ok"]


@pytest.mark.parametrize(
    ("document", "call", "code", "pointer"),
    [
        (function({"x": declared(dtype="float32")}, node("y", "neg", "x")), {"inputs": {"x": 1}}, "needs_double_precision", "/wrt"),
        (SQUARES, {"inputs": {"x": [1.0]}, "eps": 0}, "invalid_type", "/eps"),
        (SQUARES, {"inputs": {"x": [1.0]}, "step": 1}, "unknown_field", "/step"),
        (SQUARES, {"inputs": {"x": [1.0]}, "wrt": ["y"]}, "unknown_input", "/wrt/0"),
    ],
)
def test_mistakes_in_gradcheck(document: Any, call: Any, code: str, pointer: str) -> None:
    with pytest.raises(GradwireError) as caught:
        examine(document, "gradcheck", call)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_gradcheck_counts_all_its_runs_before_the_first() -> None:
    call = {"inputs": {"x": [1.0] * 100}}
    assert examine(SQUARES, "gradcheck", call, Limits(work=100_000))["ok"]
    with pytest.raises(LimitError, match="gradcheck runs the function 201 times"):
        examine(SQUARES, "gradcheck", call, Limits(work=50_000))


ROOT = function({"x": declared("n")}, node("r", "sqrt", "x"), node("q", "mul", "r", "r"), node("z", "sum", "q"))


@pytest.mark.parametrize(
    ("call", "where", "name", "op", "pointer"),
    [
        ({"inputs": {"x": ["NaN", 1.0]}}, "input", "x", None, "/inputs/x"),
        ({"inputs": {"x": [-1.0, 1.0]}}, "value", "r", "sqrt", "/nodes/0"),
        ({"inputs": {"x": [0.0, 1.0]}, "output": "z"}, "gradient", "x", None, "/inputs/x"),
    ],
)
def test_the_first_nan(call: Any, where: str, name: str, op: str | None, pointer: str) -> None:
    found = {"where": where, "name": name, "op": op, "pointer": pointer, "shape": [2], "count": 1}
    assert examine(ROOT, "nan_check", call) == {"ok": False, "found": found}


def test_no_nan() -> None:
    assert examine(ROOT, "nan_check", {"inputs": {"x": [0.0, 1.0]}}) == {"ok": True, "found": None}
    assert examine(ROOT, "nan_check", {"inputs": {"x": [1.0, 1.0]}, "output": "z"}) == {"ok": True, "found": None}


def test_a_nan_inside_a_custom_function() -> None:
    inner = {
        "forward": {"inputs": ["a"], "nodes": [node("b", "log", "a")], "outputs": ["b"]},
        "backward": {"inputs": ["grad_b"], "nodes": [], "outputs": {"a": "grad_b"}},
    }
    document = function({"x": declared()}, node("y", "functions.inner", "x"), functions={"inner": inner})
    found = examine(document, "nan_check", {"inputs": {"x": -1.0}})["found"]
    assert (found["op"], found["pointer"]) == ("log", "/functions/inner/forward/nodes/0")


def test_gradients_need_an_output() -> None:
    with pytest.raises(GradwireError, match="there is no 'output'"):
        examine(ROOT, "nan_check", {"inputs": {"x": [1.0]}, "wrt": ["x"]})
