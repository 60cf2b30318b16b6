"""Small requests that ask for much: each is refused or stopped, and soon."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gradwire_engine.errors import DeadlineExceeded, GradwireError, LimitError
from gradwire_engine.limits import Limits
from gradwire_engine.stopping import CHECK
from gradwire_server.compute import INLINE_LIMITS, Allowance
from gradwire_server.services.evaluate import evaluate
from gradwire_server.settings import Settings
from tests.server.support import app, call

X = {"x": {"data": [1.0, 2.0], "requires_grad": True}}


def node(name: str, op: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "args": list(args), "kwargs": kwargs}


def document(*nodes: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"inputs": X, "nodes": list(nodes), "outputs": [], **rest}


def refused(request: dict[str, Any], limits: Limits | None = None) -> tuple[str, str | None]:
    """Code and pointer of the refusal, which must come soon."""
    start = time.perf_counter()
    with pytest.raises(GradwireError) as caught:
        evaluate(request, limits=limits or Limits(), check=lambda: None)
    assert time.perf_counter() - start < 5
    assert isinstance(caught.value, LimitError)
    return caught.value.code, caught.value.pointer


@pytest.mark.parametrize(
    "nodes",
    [
        [node("a", "randint", -(2**62), 2**62, [3000, 3000]), node("y", "mm", "a", "a")],
        [node("a", "ones", [5000, 5000]), node("y", "mm", "a", "a"), node("z", "mm", "y", "a"), node("w", "mm", "z", "a")],
        [node("a", "ones", [1, 1, 40_000]), node("y", "conv_transpose1d", "a", "a")],
        [node("a", "rand", [30_000_000]), node("y", "polygamma", 2, "a")],
        [node("a", "full", [20_000_000], 1e300, dtype="float64"), node("y", "remainder", "a", 1e-300)],
        [node("y", "tensor", [[0.5]] * 1_000_000)],
        [node(f"y{i}", "stack", ["x"] * 4000) for i in range(90)],
    ],
    ids=lambda nodes: str(nodes[-1]["op"]),
)
def test_a_deadline_holds_within_a_node(nodes: list[dict[str, Any]]) -> None:
    allowance = Allowance(0.2)
    start = time.perf_counter()
    with pytest.raises(DeadlineExceeded):
        evaluate(document(*nodes), limits=Limits(), check=allowance.check)
    assert time.perf_counter() - start < 5
    assert CHECK.get() is None


def test_too_much_work_is_refused_with_the_numbers() -> None:
    nodes = [node("a", "ones", [200, 200]), node("y", "mm", "a", "a")]
    evaluate(document(*nodes), limits=Limits(work=9_000_000), check=lambda: None)
    assert refused(document(*nodes), Limits(work=8_000_000)) == ("too_much_work", "/nodes/1")
    with pytest.raises(LimitError, match="bring the work of the program to 8,040,000 multiply-adds, more than the 8,000,000"):
        evaluate(document(*nodes), limits=Limits(work=8_000_000), check=lambda: None)


def test_what_takes_more_than_a_moment_does_not_run_inline() -> None:
    for op in ("linalg.svd", "linalg.eigh"):
        assert refused(document(node("a", "eye", 90), node("y", op, "a")), INLINE_LIMITS)[0] == "too_much_work"
    evaluate(document(node("a", "eye", 90), node("y", "mm", "a", "a")), limits=INLINE_LIMITS, check=lambda: None)


def test_work_is_a_setting() -> None:
    assert Settings(work=5).limits() == Limits(work=5)
    assert call(app(work=5), "GET", "/v1/info").json()["limits"]["work"] == 5
    with pytest.raises(ValueError, match="work"):
        Settings(work=0)


def test_too_many_inputs_are_refused_before_they_are_read() -> None:
    assert refused({"inputs": {f"x{i}": 1.0 for i in range(300_000)}, "nodes": [], "outputs": []}) == ("too_many_inputs", "/inputs")


def test_many_references_are_refused() -> None:
    nodes = [node(f"y{i}", "stack", ["x"] * 2000) for i in range(50)]
    assert refused(document(*nodes), Limits(nodes=1000)) == ("too_many_references", "/nodes/2/args/0/0")


def test_many_starts_of_backward_are_refused() -> None:
    assert refused(document(node("y", "sum", "x"), backward=["y"] * 100_001)) == ("too_many_outputs", "/backward")


def test_gradients_are_counted_before_they_are_made() -> None:
    nodes = [*(node(f"v{i}", "unsqueeze", "x", 0) for i in range(3)), node("y", "sum", "v0")]
    request = document(*nodes, backward="y", wrt=["v0", "v1", "v2"])
    # The input counts twice because of the gradients, then each gradient once.
    need = 2 * (2 * 4 + 4) + 3 * 2 * 4
    evaluate(request, limits=Limits(program_bytes=need), check=lambda: None)
    code, _ = refused(request, Limits(program_bytes=need - 1))
    assert code == "program_too_large"


def test_gradients_of_large_views_are_refused() -> None:
    views = [node(f"v{i}", "expand", "s", [60_000_000]) for i in range(30)]
    nodes = [node("s", "sum", "x"), *views, node("y", "select", "v0", 0, 0)]
    assert refused(document(*nodes, backward="y", wrt=[f"v{i}" for i in range(30)]))[0] == "program_too_large"


def test_a_gradient_that_is_wanted_twice_is_answered_once() -> None:
    answer = evaluate(document(node("y", "sum", "x"), backward="y", wrt=["x", "x"]), limits=Limits(), check=lambda: None)
    assert list(answer["grads"]) == ["x"]
