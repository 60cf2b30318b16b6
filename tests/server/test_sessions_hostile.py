"""What is refused is refused whole and at once: without traces, without long work, and within the books of the memory."""

from __future__ import annotations

import gc
import time
import tracemalloc
from typing import Any

import pytest

from gradwire_engine.limits import Limits
from gradwire_server.app import create_app
from gradwire_server.services.sessions.brief import Brief
from gradwire_server.settings import Settings
from tests.server.sessions import SQUARE, Caller, backward, create, finish, op
from tests.server.support import call

SECONDS = 1.0


@pytest.mark.parametrize("name", [["a", "b"], [], ["c", "c"], ["c", None]])
def test_an_operation_in_place_with_another_number_of_names_writes_nothing(name: Any) -> None:
    caller = Caller()
    caller.do(create("c", [1.0, 2.0]))
    for instruction in (op(name, "mul_", "c", 2), op(name, "setitem", "c", [0], 7.0), op(name, "normal_", "c")):
        problem = caller.fail(instruction)
        assert (problem["code"], problem["pointer"]) == ("output_count", "/instructions/0/name")
    assert caller.read("c") == [1.0, 2.0]


@pytest.mark.parametrize("name", ["c", ["c"], ["d"], [None], None])
def test_an_operation_in_place_may_say_its_one_name_in_a_list(name: Any) -> None:
    caller = Caller()
    caller.do(create("c", [1.0, 2.0]), op(name, "mul_", "c", 2))
    assert caller.read("c") == [2.0, 4.0]


@pytest.mark.parametrize(
    "instruction",
    [
        op(["r", "q"], "rand", [3]),
        op(["r", "q"], "nn.functional.dropout", "c"),
        op(["r", "q"], "bernoulli", "c"),
        op(["r", "q"], "normal_", "c"),
    ],
)
def test_a_wrong_number_of_names_draws_no_random_numbers(instruction: Any) -> None:
    caller, other = Caller(document={"seed": 7}), Caller(document={"seed": 7})
    caller.do(create("c", [0.5] * 40))
    assert caller.fail(instruction)["code"] == "output_count"
    for each in (caller, other):
        each.do(op("r", "rand", [3]))
    assert caller.read("r") == other.read("r")


def test_a_wrong_number_of_names_leaves_running_statistics_alone() -> None:
    caller = Caller()
    caller.do(create("x", [[1.0], [3.0]]), create("m", [0.0]), create("v", [1.0]))
    call = op(["a", "b"], "nn.functional.batch_norm", "x", "m", "v", kwargs={"training": True})
    assert caller.fail(call)["pointer"] == "/instructions/0/name"
    assert (caller.read("m"), caller.read("v")) == ([0.0], [1.0])


def test_random_numbers_that_were_interrupted_are_drawn_again() -> None:
    class Enough(Exception):
        pass

    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks > 3:
            raise Enough

    caller, other = Caller(document={"seed": 7}), Caller(document={"seed": 7})
    status, _ = caller.send({"instructions": [op("big", "rand", [2_000_000])]}, check)
    assert status >= 400
    assert checks > 3
    for each in (caller, other):
        each.do(op("r", "rand", [3]))
    assert caller.read("r") == other.read("r")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"data": "n", "grad": "wrong"}, "/grad"),
        ({"data": "i", "requires_grad": True}, "/requires_grad"),
        ({"requires_grad": True, "grad": "wrong"}, "/grad"),
        ({"grad": "n", "retain_grad": True}, "/retain_grad"),
        ({"data": "n", "requires_grad": False, "grad": None, "retain_grad": True}, "/retain_grad"),
    ],
)
def test_a_set_that_is_refused_sets_nothing(fields: Any, pointer: str) -> None:
    caller = Caller()
    caller.do(create("y", [1.0, 2.0]), create("n", [5.0, 6.0]), create("wrong", [1.0]), create("i", [1, 2]), create("g", [3.0, 3.0]))
    caller.do({"do": "set", "name": "y", "grad": "g"})
    assert caller.fail({"do": "set", "name": "y", **fields})["pointer"] == "/instructions/0" + pointer
    found = caller.do({"do": "read", "name": "y", "what": ["value", "grad"]})[0]
    assert (found["value"]["data"], found["value"]["requires_grad"], found["grad"]["data"]) == ([1.0, 2.0], False, [3.0, 3.0])


def test_reads_beyond_the_size_of_an_answer_are_refused_one_by_one() -> None:
    caller = Caller(answer_bytes=2**20)
    caller.do(create("one", [1.0]), op("big", "expand", "one", [2**17]), op("flags", "expand", [True], [2**19]))
    problem = caller.fail({"do": "read", "name": "big"}, {"do": "read", "name": "big"}, {"do": "read", "name": "big"})
    assert (problem["status"], problem["code"], problem["pointer"]) == (422, "answer_too_large", "/instructions/2")
    assert "1,572,864 bytes" in problem["detail"]
    assert "1,048,576 bytes" in problem["detail"]
    caller.do({"do": "read", "name": "flags"})
    caller.do({"do": "read", "name": "big", "what": ["meta"]}, {"do": "read", "name": "one"})


def test_the_time_is_also_watched_while_the_answer_is_written() -> None:
    application = create_app(Settings(request_seconds=0.3))
    path = "/v1/sessions/" + call(application, "POST", "/v1/sessions").json()["id"]
    instructions = [create("one", [1.5]), op("big", "expand", "one", [2**24]), {"do": "read", "name": "big"}, {"do": "read", "name": "big"}]
    start = time.perf_counter()
    answer = call(application, "POST", path + "/batch", json={"seq": 1, "instructions": instructions})
    assert time.perf_counter() - start < 0.3 + SECONDS
    assert answer.json()["code"] == "deadline_exceeded"
    # The batch was carried out, and the session goes on.
    assert call(application, "POST", path + "/batch", json={"seq": 2, "instructions": [{"do": "read", "name": "one"}]}).status_code == 200


@pytest.mark.parametrize("count", [40_000, 1_000_000])
def test_very_many_names_are_checked_in_no_time(count: int) -> None:
    caller = Caller()
    caller.do(*SQUARE)
    names = [f"a{i}" for i in range(count)]
    start = time.perf_counter()
    problem = caller.fail(op(names, "clone", "x"))
    assert time.perf_counter() - start < SECONDS
    assert problem["code"] == ("output_count" if count == 40_000 else "too_many_names")


@pytest.mark.parametrize(
    ("what", "place"),
    [(["value", "value"], "/1"), (["meta", "grad", "meta"], "/2"), (["value"] * 100_000, "")],
)
def test_the_same_is_not_read_twice(what: list[str], place: str) -> None:
    caller = Caller()
    caller.do(*SQUARE)
    problem = caller.fail({"do": "read", "name": "x", "what": what})
    assert (problem["code"], problem["pointer"]) == ("invalid_value", "/instructions/0/what" + place)


@pytest.mark.parametrize(
    "instruction",
    [
        {"do": "create", "tensor": "x.data"},
        {"do": "hook", "of": "x", "kind": "tensor"},
        {"do": "hook", "of": "x", "kind": "node"},
    ],
)
def test_names_and_hooks_count_for_what_they_take(instruction: dict[str, Any]) -> None:
    caller = Caller()
    caller.do(*SQUARE)
    gc.collect()
    before = caller.used()
    tracemalloc.start()
    try:
        names = [f"{'n' * 40}{i}" for i in range(2000)]
        caller.do(*({**instruction, "name": name} for name in names))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caller.used() - before == pytest.approx(taken, rel=0.4)
    caller.do({"do": "unhook" if instruction["do"] == "hook" else "delete", "names": names})
    assert caller.used() == before


@pytest.mark.parametrize("instruction", [{"do": "create", "tensor": "x.data"}, {"do": "hook", "of": "x", "kind": "tensor"}])
def test_names_and_hooks_beyond_the_memory_are_refused(instruction: dict[str, Any]) -> None:
    caller = Caller(session_bytes=100_000)
    caller.do(*SQUARE)
    status, document = caller.send({"instructions": [{**instruction, "name": f"n{i}"} for i in range(1000)]})
    assert (status, document["code"]) == (507, "session_memory")
    assert 100 < document["instruction"] < 400


@pytest.mark.parametrize("literal", [[2, 2], {"data": [2, 2]}])
@pytest.mark.parametrize("kind", ["tensor", "node", "node_pre"])
def test_whole_numbers_answer_a_hook(kind: str, literal: Any) -> None:
    caller = Caller()
    caller.do(*SQUARE, {"do": "hook", "name": "h", "of": "y", "kind": kind})
    suspended = caller.suspend(backward("z"))
    grads = [literal, literal] if kind == "node" else [literal]
    caller.do({"do": "resume", "suspension": suspended["id"], "grads": grads})
    assert caller.grad("x") == ([4.0, 4.0] if kind == "node" else [8.0, 12.0])


def test_whole_numbers_answer_a_function() -> None:
    caller = Caller()
    caller.do(create("x", [2.0, 3.0], requires_grad=True), create("out", [1.0, 1.0]))
    caller.do({"do": "function", "name": ["f"], "function": "F", "inputs": ["x"], "outputs": ["out"]}, op("z", "sum", "f"))
    suspended = caller.suspend(backward("z"))
    caller.do({"do": "resume", "suspension": suspended["id"], "grads": [[2, 2]]})
    assert caller.grad("x") == [2.0, 2.0]


HOOKED = (*SQUARE, {"do": "hook", "name": "h", "of": "y", "kind": "tensor"})


@pytest.mark.parametrize("answer", [{"grads": None}, {"error": "no"}])
def test_a_name_that_became_the_clients_own_outlives_the_suspension_of_that_name(answer: dict[str, Any]) -> None:
    caller = Caller()
    caller.do(*HOOKED)
    assert caller.suspend(backward("z"))["id"] == "s1"
    caller.do({"do": "delete", "names": ["s1"]}, create("s1", [5.0, 5.0]))
    caller.send({"instructions": [{"do": "resume", "suspension": "s1", **answer}]})
    assert caller.read("s1") == [5.0, 5.0]


def test_a_name_that_became_the_clients_own_outlives_a_suspension_that_expires() -> None:
    caller = Caller(suspension_seconds=0.05)
    caller.do(*HOOKED)
    caller.suspend(backward("z"))
    caller.do({"do": "delete", "names": ["s1"]}, create("s1", [5.0, 5.0]))
    time.sleep(0.1)
    assert caller.read("s1") == [5.0, 5.0]
    assert caller.fail({"do": "resume", "suspension": "s1", "grads": None})["code"] == "suspension_expired"


def test_functions_without_names_are_refused_when_the_memory_is_full() -> None:
    caller = Caller(session_bytes=100_000)
    caller.do(*SQUARE)
    again = {"do": "function", "name": [None], "function": "F", "inputs": ["y"], "outputs": ["y"], "dirty": ["y"]}
    status, document = caller.send({"instructions": [again] * 1000})
    assert (status, document["code"]) == (507, "session_memory")
    assert caller.used() <= 100_000


def at_once(caller: Caller, *instructions: Any) -> dict[str, Any]:
    """The answer of a batch that is begun as one that takes no time to speak of."""
    brief = Brief(Limits(tensor_bytes=4000, program_bytes=24_000, nodes=10, work=100_000), seconds=10.0, answer_bytes=2000)
    with caller.service.turn(caller.id, owner=None) as turn:
        document = {"instructions": list(instructions)}
        work = caller.service.begin(caller.id, document, owner=None, check=lambda: None, finish=finish, turn=turn)
        work.advance(brief) or work.advance()
        return work.result[1]


def test_one_suspension_too_many_is_answered_alike_however_the_batch_is_begun() -> None:
    for carry_out in (at_once, Caller.fail):
        caller = Caller(suspensions=1)
        caller.do(*HOOKED, op("q", "mul", "y", "y"), op("w", "sum", "q"))
        caller.suspend(backward("z", retain_graph=True))
        assert carry_out(caller, backward("w"))["code"] == "too_many_suspensions"


def test_gradients_without_names_left_are_answered_alike_however_the_batch_is_begun() -> None:
    for carry_out in (at_once, Caller.fail):
        caller = Caller(session_tensors=5)
        caller.do(create("v", [1.0, 1.0], requires_grad=True), create("x", [2.0, 3.0], requires_grad=True))
        caller.do(op("y", "mul", "x", "v"), op("z", "sum", "y"))
        assert carry_out(caller, {"do": "grad", "name": "g", "outputs": "z", "inputs": ["x", "v"]})["code"] == "too_many_names"
