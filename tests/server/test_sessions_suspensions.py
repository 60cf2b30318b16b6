"""Backward passes that wait for functions and hooks of the client's."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_server.services.sessions.limits import SessionLimits
from gradwire_server.services.sessions.service import EngineSessions
from tests.server.sessions import SQUARE, Caller, backward, create, op


def function(name: Any, title: str, inputs: list[str | None], outputs: list[str], **more: Any) -> dict[str, Any]:
    return {"do": "function", "name": name, "function": title, "inputs": inputs, "outputs": outputs, **more}


def hook(name: str, of: str, kind: str = "tensor") -> dict[str, Any]:
    return {"do": "hook", "name": name, "of": of, "kind": kind}


def resume(suspension: str, grads: Any = None) -> dict[str, Any]:
    return {"do": "resume", "suspension": suspension, "grads": grads}


# y = exp(x) computed by the client, z = sum(y).
EXPONENTIAL = (
    create("x", [0.0, 1.0], requires_grad=True),
    op("e", "exp", "x", no_grad=True),
    function(["y"], "MyExp", ["x", None], ["e"], saved=["e"]),
    op("z", "sum", "y"),
)


def test_a_function_of_the_clients() -> None:
    caller = Caller()
    caller.do(*EXPONENTIAL)
    (found,) = caller.do({"do": "read", "name": "y", "what": ["meta"]})
    assert (found["meta"]["grad_fn"], found["meta"]["requires_grad"]) == ("MyExpBackward", True)
    suspended = caller.suspend(op("w", "mul", "z", 3), backward("w"))
    expires = suspended.pop("expires_at")
    assert expires.endswith("Z")
    assert suspended == {
        "id": "s1",
        "instruction": 1,
        "kind": "function",
        "function": "MyExp",
        "of": "y",
        "needs_input_grad": [True, False],
        "grads": ["s1.0"],
        "create_graph": False,
    }
    # The gradient is an ordinary tensor, and other batches may run.
    assert caller.read("s1.0") == [3.0, 3.0]
    assert caller.service.get(caller.id, owner=None)["suspensions"] == ["s1"]
    assert caller.do(op("g", "mul", "s1.0", "y", no_grad=True), resume("s1", ["g", None])) == [None, None]
    assert caller.grad("x") == pytest.approx([3.0, 3 * 2.7182818])
    assert caller.fail({"do": "read", "name": "s1.0"})["code"] == "undefined_name"


def test_what_stands_behind_a_backward_that_waits_is_not_done() -> None:
    caller = Caller()
    caller.do(*EXPONENTIAL)
    status, document = caller.send({"seq": 2, "instructions": [backward("z"), op(None, "zero_", "x.data")]})
    assert (status, document["results"]) == (200, [])
    assert caller.read("x") == [0.0, 1.0]
    # Asked once more, it is answered once more.
    caller = Caller()
    caller.do(*EXPONENTIAL)
    batch = {"seq": 2, "instructions": [backward("z")]}
    assert caller.send(batch) is caller.send(batch)
    assert caller.service.get(caller.id, owner=None)["suspensions"] == ["s1"]


def test_several_in_one_walk() -> None:
    caller = Caller()
    caller.do(
        *EXPONENTIAL,
        op("d", "mul", "y", 2, no_grad=True),
        function("t", "Twice", ["y"], ["d"]),
        op("s", "sum", "t"),
        hook("h", "y"),
    )
    assert caller.suspend(backward("s"))["function"] == "Twice"
    following = caller.suspend(op("g", "mul", "s1.0", 2), resume("s1", ["g"]))
    assert (following["id"], following["kind"], following["hook"], following["of"]) == ("s2", "tensor", "h", "y")
    last = caller.suspend(resume("s2"))
    assert (last["id"], last["function"], last["grads"]) == ("s3", "MyExp", ["s3.0"])
    assert caller.read("s3.0") == [2.0, 2.0]
    caller.do(op("h", "mul", "s3.0", "y", no_grad=True), resume("s3", ["h", None]))
    assert caller.grad("x") == pytest.approx([2.0, 2 * 2.7182818])


def test_a_backward_within_a_backward() -> None:
    caller = Caller()
    caller.do(*EXPONENTIAL, create("p", [5.0], requires_grad=True), op("q", "mul", "p", "p"), hook("inner", "q"))
    assert caller.suspend(backward("z"))["id"] == "s1"
    assert caller.suspend(backward("q"))["id"] == "s2"
    problem = caller.fail(resume("s1", ["s1.0", None]))
    assert (problem["status"], problem["code"], problem["innermost"]) == (409, "not_innermost", "s2")
    assert problem["pointer"] == "/instructions/0/suspension"
    caller.do(resume("s2"))
    assert caller.grad("p") == [10.0]
    caller.do(resume("s1", ["s1.0", None]))
    assert caller.grad("x") == [1.0, 1.0]


@pytest.mark.parametrize(
    ("kind", "of", "grads", "answer", "grad"),
    [
        ("tensor", "y", ["s1.0"], ["ten"], [40.0, 60.0]),
        ("tensor", "x", ["s1.0"], ["ten"], [10.0, 10.0]),
        ("tensor", "y", ["s1.0"], [[1.0, 0.0]], [4.0, 0.0]),
        ("node_pre", "y", ["s1.0"], ["ten"], [40.0, 60.0]),
        ("node_pre", "x", ["s1.0"], ["ten"], [10.0, 10.0]),
        ("node", "y", ["s1.0"], ["ten", "s1.i1"], [12.0, 13.0]),
        ("post_accumulate", "x", [], None, [4.0, 6.0]),
        ("node", "x", ["s1.0"], None, [4.0, 6.0]),
    ],
)
def test_hooks_of_every_kind(kind: str, of: str, grads: list[str], answer: Any, grad: list[float]) -> None:
    caller = Caller()
    caller.do(*SQUARE, create("ten", [10.0, 10.0]), hook("h", of, kind))
    suspended = caller.suspend(backward("z", retain_graph=True))
    assert (suspended["kind"], suspended["hook"], suspended["of"], suspended["grads"]) == (kind, "h", of, grads)
    assert "function" not in suspended
    if kind == "node" and of == "y":
        assert suspended["grad_inputs"] == ["s1.i0", "s1.i1"]
        assert caller.read("s1.i0") == [2.0, 3.0]
    caller.do(resume("s1", answer))
    assert caller.grad("x") == grad
    caller.do({"do": "set", "name": "x", "grad": None})
    # Without an answer everything stays as it is, and without the hook nothing waits.
    caller.suspend(backward("z", retain_graph=True))
    caller.do(resume("s2"))
    assert caller.grad("x") == [4.0, 6.0]
    caller.do({"do": "unhook", "names": ["h"]}, backward("z"))
    assert caller.grad("x") == [8.0, 12.0]


def test_gradients_by_name_through_a_function() -> None:
    caller = Caller()
    caller.do(*EXPONENTIAL)
    grad = {"do": "grad", "name": ["g"], "outputs": ["z"], "inputs": ["x"]}
    assert caller.suspend(grad)["kind"] == "function"
    assert caller.do(resume("s1", [[5.0, 6.0], None])) == [{"names": ["g"]}]
    assert (caller.read("g"), caller.grad("x")) == ([5.0, 6.0], None)


def test_derivatives_of_derivatives_through_a_function() -> None:
    caller = Caller()
    caller.do(*EXPONENTIAL)
    suspended = caller.suspend({"do": "grad", "name": ["g"], "outputs": "z", "inputs": "x", "create_graph": True})
    assert suspended["create_graph"] is True
    caller.do(op("m", "mul", "s1.0", "y"), resume("s1", ["m", None]), op("s", "sum", "g"))
    # y is used in the gradient, so the function is on the way again.
    assert caller.suspend(backward("s"))["function"] == "MyExp"
    caller.do(op("n", "mul", "s2.0", "y", no_grad=True), resume("s2", ["n", None]))
    assert caller.grad("x") == pytest.approx([1.0, 2.7182818])


def test_zeros_where_no_gradient_arrived_only_if_wanted() -> None:
    for materialize in (True, False):
        caller = Caller()
        caller.do(create("x", [1.0], requires_grad=True), create("a", [1.0]), create("b", [2.0]))
        caller.do(function(["p", "q"], "Two", ["x"], ["a", "b"], materialize_grads=materialize), op("z", "sum", "q"))
        assert caller.suspend(backward("z"))["grads"] == ["s1.0" if materialize else None, "s1.1"]
        if materialize:
            assert caller.read("s1.0") == [0.0]
        assert caller.read("s1.1") == [1.0]


def test_outputs_without_a_gradient_and_inputs_that_were_written() -> None:
    caller = Caller()
    caller.do(create("x", [1.0], requires_grad=True), op("y", "mul", "x", 2), create("i", [3.0]), op(None, "add_", "y.data", 1))
    caller.do(function([None, "j"], "F", ["y"], ["y", "i"], dirty=["y"], non_differentiable=["i"]))
    found = caller.do(*({"do": "read", "name": name, "what": ["meta"]} for name in ("y", "j")))
    assert [result["meta"]["grad_fn"] for result in found] == ["FBackward", None]


@pytest.mark.parametrize(
    ("grads", "code", "pointer"),
    [
        (None, "invalid_type", "/grads"),
        ("g", "invalid_type", "/grads"),
        (["nothing", None], "undefined_name", "/grads/0"),
        ([[[1.0], [2.0, 3.0]], None], "ragged_tensor", "/grads/0/1"),
    ],
)
def test_an_answer_that_is_none_leaves_the_pass_waiting(grads: Any, code: str, pointer: str) -> None:
    caller = Caller()
    caller.do(*EXPONENTIAL)
    caller.suspend(backward("z"))
    problem = caller.fail(resume("s1", grads))
    assert (problem["status"], problem["code"], problem["pointer"]) == (422, code, "/instructions/0" + pointer)
    caller.do(resume("s1", ["s1.0", None]))
    assert caller.grad("x") == [1.0, 1.0]


@pytest.mark.parametrize(
    ("grads", "detail"),
    [
        (["s1.0"], "function MyExpBackward returned an incorrect number of gradients (expected 2, got 1)"),
        (["s1.0", "s1.0"], "function MyExpBackward returned a gradient different than None at position 2"),
        ([[1.0, 2.0, 3.0], None], "Function MyExpBackward returned an invalid gradient at index 0 - got [3]"),
    ],
)
def test_an_answer_that_does_not_fit_ends_the_pass(grads: Any, detail: str) -> None:
    caller = Caller()
    caller.do(*EXPONENTIAL)
    caller.suspend(backward("z"))
    problem = caller.fail(resume("s1", grads))
    assert problem["detail"].startswith(detail)
    assert problem["exception"] == "RuntimeError"
    assert caller.fail(resume("s1", ["z", None]))["code"] == "no_suspension"


def test_an_error_of_the_clients_ends_the_pass() -> None:
    caller = Caller()
    caller.do(*EXPONENTIAL)
    caller.suspend(backward("z"))
    problem = caller.fail({"do": "resume", "suspension": "s1", "error": "ValueError: no \ud800 today"})
    assert (problem["status"], problem["detail"], problem["exception"]) == (422, "ValueError: no \ud800 today", "RuntimeError")
    assert caller.service.get(caller.id, owner=None)["suspensions"] == []
    assert caller.grad("x") is None


def test_an_answer_is_taken_once() -> None:
    caller = Caller()
    caller.do(*SQUARE, hook("h", "y"))
    caller.suspend(backward("z"))
    caller.do(resume("s1"))
    problem = caller.fail(resume("s1"))
    assert (problem["status"], problem["code"]) == (404, "no_suspension")


def test_ids_do_not_take_the_clients_names() -> None:
    caller = Caller()
    caller.do(*SQUARE, create("s1", 1.0), hook("h", "y"))
    assert caller.suspend(backward("z"))["id"] == "s2"
    assert caller.fail(create("s2", 1.0))["code"] == "duplicate_name"
    caller.do(resume("s2"), create("s2", 2.0))


def test_as_many_wait_as_are_allowed() -> None:
    caller = Caller(suspensions=2)
    caller.do(*SQUARE, hook("h", "y"))
    for _ in range(2):
        caller.suspend(backward("z", retain_graph=True))
    problem = caller.fail(backward("z", retain_graph=True))
    assert (problem["status"], problem["code"]) == (422, "too_many_suspensions")
    caller.do(resume("s2"), resume("s1"))
    assert caller.grad("x") == [8.0, 12.0]


def test_an_answer_that_comes_too_late() -> None:
    now = 1000.0
    service = EngineSessions(SessionLimits(suspension_seconds=10), clock=lambda: now)
    caller = Caller(service)
    caller.do(create("x", [1.0] * 50_000, requires_grad=True), op("y", "mul", "x", 2), op("z", "sum", "y"), hook("h", "x"))
    before = caller.used()
    suspended = caller.suspend(backward("z", retain_graph=True))
    assert suspended["expires_at"] == "1970-01-01T00:16:50.000Z"
    assert caller.used() > before + 200_000
    now += 9.9
    service.sweep()
    assert caller.read("s1.0")[0] == 2.0
    now += 0.2
    service.sweep()
    assert service.get(caller.id, owner=None)["suspensions"] == []
    assert caller.used() < before + 20_000
    problem = caller.fail(resume("s1"))
    assert (problem["status"], problem["code"], problem["pointer"]) == (410, "suspension_expired", "/instructions/0/suspension")
    # The graph was kept, so another walk may begin.
    caller.suspend(backward("z"))
    caller.do(resume("s2"))
    assert caller.grad("x")[0] == 2.0


def test_what_expired_is_found_by_the_next_batch_too() -> None:
    now = 0.0
    caller = Caller(EngineSessions(SessionLimits(suspension_seconds=10), clock=lambda: now))
    caller.do(*SQUARE, hook("h", "y"))
    caller.suspend(backward("z", retain_graph=True))
    now = 5.0
    caller.suspend(backward("z", retain_graph=True))
    now = 11.0
    # The outer one began first, so its time is over first.
    caller.do(resume("s2"))
    assert caller.fail(resume("s1"))["code"] == "suspension_expired"
