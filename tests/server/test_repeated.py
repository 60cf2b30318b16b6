"""Programs that come again run as plans, and answer what they answered when they ran node by node."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from gradwire_engine.errors import GradwireError
from gradwire_engine.limits import Limits
from gradwire_server.schemas.examples import REQUESTS
from gradwire_server.services.evaluate import evaluate
from gradwire_server.services.repeated import EvaluateRepeated, Planned
from tests.server.functions import node
from tests.server.sessions import plain

CUBE = {
    "forward": {"inputs": ["a"], "nodes": [node("b", "pow", "a", 3)], "outputs": ["b"]},
    "save": ["a"],
    "backward": {"inputs": ["grad_b", "a"], "nodes": [node("g", "mul", "grad_b", "a")], "outputs": {"a": "g"}},
}
X = {"x": {"data": [2.0, 3.0], "requires_grad": True}}


def program(*nodes: Any, outputs: Any = None, inputs: Any = None, **more: Any) -> dict[str, Any]:
    return {"inputs": X if inputs is None else inputs, "nodes": list(nodes), "outputs": outputs or [nodes[-1]["name"]], **more}


LINEAR = program(
    node("p", "matmul", "X", "w"),
    node("r", "sub", "p", [1.0, 2.0]),
    node("s", "mul", "r", "r"),
    node("loss", "mean", "s"),
    outputs=["loss", "r", "w"],
    inputs={"X": [[1.0, 2.0], [3.0, 4.0]], "w": {"data": [0.5, -1.0], "requires_grad": True}},
    backward="loss",
    wrt=["w", "r"],
)
PROGRAMS = {
    "linear": LINEAR,
    "values alone": program(node("y", "exp", "x")),
    "cotangent": program(node("y", "exp", "x"), backward={"y": [1.0, -1.0]}),
    "not reached": program(node("y", "sum", "x"), inputs={**X, "b": {"data": [1.0], "requires_grad": True}}, backward="y"),
    "custom function": program(node("c", "functions.cube", "x"), node("y", "sum", "c"), functions={"cube": CUBE}, backward="y"),
    "float64": program(node("y", "mul", "x", 0.1), default_dtype="float64", backward={"y": [1, 1]}),
    "whole numbers": program(node("y", "mul", "x", 3), inputs={"x": [1, 2]}),
    "random": program(node("n", "rand_like", "x"), node("y", "mul", "n", "x"), outputs=["n", "y"], seed=5, backward={"y": [1.0, 1.0]}),
    "text": {"inputs": X, "program": "x = x * 2\ny = x.log().sum()", "outputs": ["x", "y"], "backward": "y"},
    "several outputs": program(node("m", "max", "x", 0), outputs=["m.0", "m.1"], backward="m.0"),
    "shape that depends on values": program(node("i", "nonzero", "x"), node("y", "sum", "x"), outputs=["i", "y"], backward="y"),
    **{f"example {name}": example["value"] for name, example in REQUESTS.items()},
}


@pytest.fixture
def repeated() -> EvaluateRepeated:
    return EvaluateRepeated()


def send(service: Any, document: Any, limits: Limits | None = None) -> Any:
    return plain(service(document, limits=limits or Limits(), check=lambda: None))


def plans(service: EvaluateRepeated) -> list[Planned]:
    return [entry.plan for entry in service._plans._entries.values() if entry.plan is not None and entry.plan.plan is not None]


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_time_is_as_the_first(repeated: EvaluateRepeated, name: str) -> None:
    document = PROGRAMS[name]
    first = outcome(evaluate, document)
    for _ in range(4):
        compare(outcome(repeated, document), first)
    depends = name == "shape that depends on values" or "code" in first
    assert bool(plans(repeated)) == (not depends and not document.get("include") and not document.get("create_graph"))


def outcome(service: Any, document: Any) -> Any:
    try:
        return send(service, document)
    except GradwireError as error:
        return {"code": error.code, "pointer": error.pointer}


def compare(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            compare(found[key], expected[key])
    elif isinstance(expected, list) and expected and isinstance(expected[0], dict):
        for one, other in zip(found, expected, strict=True):
            compare(one, other)
    elif isinstance(expected, list) and expected and not isinstance(expected[0], str):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-6, nan_ok=True)
    else:
        assert found == expected


def test_other_elements_and_other_shapes(repeated: EvaluateRepeated) -> None:
    document = program(node("y", "mul", "x", "x"), node("z", "sum", "y"), backward="z")
    for data in ([1.0], [2.0], [5.0], [1.0, 2.0], [3.0, 4.0], [0.5, 0.5], [1.5, 2.5, 3.5]):
        answer = send(repeated, {**document, "inputs": {"x": {"data": data, "requires_grad": True}}})
        assert answer["grads"]["x"]["data"] == [2 * x for x in data]
    assert len(plans(repeated)) == 2


def test_errors_that_only_values_make_have_their_place(repeated: EvaluateRepeated) -> None:
    document = program(node("t", "mul", "A", 1.0), node("y", "linalg.inv", "t"), inputs={"A": [[1.0, 0.0], [0.0, 1.0]]})
    for _ in range(3):
        send(repeated, document)
    assert plans(repeated)
    with pytest.raises(GradwireError) as raised:
        send(repeated, {**document, "inputs": {"A": [[1.0, 1.0], [1.0, 1.0]]}})
    assert raised.value.pointer == "/nodes/1"


def test_limits_hold_for_plans_too(repeated: EvaluateRepeated) -> None:
    document = program(node("y", "outer", "x", "x"), inputs={"x": [1.0] * 100})
    for _ in range(3):
        send(repeated, document)
    for limits in (Limits(tensor_bytes=39_999), Limits(program_bytes=40_000), Limits(work=5_000)):
        with pytest.raises(GradwireError) as raised:
            send(repeated, document, limits)
        with pytest.raises(GradwireError) as expected:
            send(evaluate, document, limits)
        assert (raised.value.code, raised.value.pointer) == (expected.value.code, expected.value.pointer)


def test_without_a_seed_every_time_is_another(repeated: EvaluateRepeated) -> None:
    document = program(node("n", "rand_like", "x"))
    drawn = [tuple(send(repeated, document)["outputs"]["n"]["data"]) for _ in range(5)]
    assert len(set(drawn)) == 5
    assert plans(repeated)


def test_at_once_from_several_threads(repeated: EvaluateRepeated) -> None:
    wrong: list[Any] = []

    def work(value: float) -> None:
        for _ in range(50):
            given = {**LINEAR, "inputs": {"X": [[value, 0.0], [0.0, value]], "w": {"data": [1.0, 1.0], "requires_grad": True}}}
            found = send(repeated, given)["outputs"]["r"]["data"]
            if found != [value - 1.0, value - 2.0]:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(float(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(plans(repeated)) == 1


@pytest.mark.parametrize("document", [5, None, {}, {"inputs": 5, "nodes": [], "outputs": []}, {"seed": "x", "nodes": [], "outputs": []}])
def test_what_is_no_request_is_refused_every_time(repeated: EvaluateRepeated, document: Any) -> None:
    for _ in range(4):
        with pytest.raises(GradwireError) as raised:
            send(repeated, document)
        with pytest.raises(GradwireError) as expected:
            send(evaluate, document)
        assert (raised.value.code, raised.value.pointer) == (expected.value.code, expected.value.pointer)
