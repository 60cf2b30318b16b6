"""Programs as text over HTTP and in this process: answers under the names of variables, and problems with line and column."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire import Client
from gradwire.errors import ServiceError
from gradwire_engine.errors import GradwireError
from gradwire_engine.limits import Limits
from gradwire_server.app import create_app
from gradwire_server.services.evaluate import evaluate
from gradwire_server.settings import Settings
from tests.server.support import call

X = {"x": {"data": [2.0, 3.0], "requires_grad": True}}


def run(program: str, **rest: Any) -> dict[str, Any]:
    """The answer."""
    return evaluate({"inputs": X, "program": program, **rest}, limits=Limits(), check=lambda: None)


def test_names_are_those_of_variables() -> None:
    answer = run("y = x * x\nx = y + 1\nz = x.sum()\nw = z\n", outputs=["x", "w", "z"], backward="w", wrt=["x", "y", "w"])
    assert {name: t["data"].tolist() for name, t in answer["outputs"].items()} == {"x": [5.0, 10.0], "w": 15.0, "z": 15.0}
    # The input x, whatever x has become since.
    assert {name: t["data"].tolist() for name, t in answer["grads"].items()} == {"x": [4.0, 6.0], "y": [1.0, 1.0], "w": 1.0}


def test_backward_starts_at_the_last_value() -> None:
    answer = run("x = x * 3", outputs=["x"], backward={"x": [1.0, 10.0]})
    assert answer["grads"]["x"]["data"].tolist() == [3.0, 30.0]


def test_what_was_written_over_is_no_start() -> None:
    with pytest.raises(ValueError, match="'v' is not defined"):
        run("z = x * 2\nv = z[0]\nz[0] = 1", outputs=["z"], backward="v")


PROBLEMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"program": "import os", "outputs": []},
        {"code": "unsupported_syntax", "pointer": "/program", "line": 1, "column": 1, "exception": "ValueError"},
    ),
    (
        {"program": "y = x * 2\nz = torch.mm(y,\n    torch.ones(2))", "outputs": ["z"]},
        {"code": "shape_mismatch", "pointer": "/program", "line": 2, "column": 5, "exception": "RuntimeError"},
    ),
    (
        {"program": "z = x.sum(\n    dim=3)", "outputs": ["z"]},
        {"code": "dim_out_of_range", "pointer": "/program", "line": 1, "column": 5, "exception": "IndexError"},
    ),
    (
        {"program": "z = torch.zeros(10**6, 10**6)", "outputs": ["z"]},
        {"code": "tensor_too_large", "pointer": "/program", "line": 1, "column": 5},
    ),
    ({"program": "z = x * 2"}, {"code": "missing_field", "pointer": ""}),
    ({"program": "z = x * 2", "outputs": ["q"]}, {"code": "undefined_name", "pointer": "/outputs/0"}),
    ({"program": "z = x", "nodes": [], "outputs": ["z"]}, {"code": "unknown_field", "pointer": "/program"}),
    ({"program": "z = x * 2", "outputs": ["z"], "backward": "z"}, {"pointer": "/backward"}),
]


@pytest.mark.parametrize(("document", "members"), PROBLEMS)
def test_problems(document: dict[str, Any], members: dict[str, Any]) -> None:
    answer = call(create_app(Settings()), "POST", "/v1/evaluate", json={"inputs": X, **document})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem.items() >= members.items()
    assert ("line" in problem) == ("line" in members)
    with pytest.raises(ServiceError) as caught:
        Client().evaluate({"inputs": X, **document})
    assert (caught.value.line, caught.value.column) == (members.get("line"), members.get("column"))
    assert caught.value.detail == problem["detail"]


def test_the_words_of_torch_come_first() -> None:
    with pytest.raises(RuntimeError) as caught:
        run("z = torch.mm(x, x)", outputs=["z"])
    assert str(caught.value).split("\n")[1:] == ["  1 | z = torch.mm(x, x)", "    |     ^^^^^^^^^^^^^^"]


def test_data_dependent_shapes_run() -> None:
    assert run("z = x[x > 2.5] * 2", outputs=["z"])["outputs"]["z"]["data"].tolist() == [6.0]


CUBE: dict[str, Any] = {
    "forward": {"inputs": ["x"], "program": "s = x * x\ny = s * x", "outputs": ["y"]},
    "save": ["x"],
    "backward": {"inputs": ["grad_y", "x"], "program": "gx = grad_y * (x * x * 3)", "outputs": {"x": "gx"}},
}


def test_bodies_of_functions_as_text() -> None:
    answer = run("z = functions.cube(x).sum()", functions={"cube": CUBE}, outputs=["z"], backward="z")
    assert answer["outputs"]["z"]["data"] == 35.0
    assert answer["grads"]["x"]["data"].tolist() == [12.0, 27.0]


@pytest.mark.parametrize(
    ("part", "text", "line", "column"),
    [("forward", "s = x * x\ny = s @ torch.ones(3)", 2, 5), ("backward", "a = x * 2\n\ngx = torch.mm(a, grad_y)", 3, 6)],
)
def test_errors_in_bodies_show_the_place(part: str, text: str, line: int, column: int) -> None:
    wrong = {**CUBE, part: {**CUBE[part], "program": text}}
    with pytest.raises(GradwireError) as raised:
        run("z = functions.cube(x).sum()", functions={"cube": wrong}, outputs=["z"], backward="z")
    error = raised.value
    assert (error.pointer, error.line, error.column) == (f"/functions/cube/{part}/program", line, column)
    assert f"  {line} | {text.splitlines()[-1]}\n" in error.detail
