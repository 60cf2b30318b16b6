"""The memory of sessions: every byte counted once, for as long as something needs it, and refused before it is taken."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from gradwire_server.services.sessions.limits import SessionLimits
from gradwire_server.services.sessions.memory import Account, Memory
from gradwire_server.services.sessions.service import EngineSessions
from tests.server.sessions import Caller, backward, create, op

N = 100_000
ARRAY = 4 * N
# What is counted beside the elements, for the handful of tensors of a test.
SLACK = 10_000


def make(name: str, *, requires_grad: bool = False) -> dict[str, object]:
    return op(name, "ones", N, kwargs={"requires_grad": requires_grad})


def arrays(caller: Caller) -> float:
    """How many arrays of N floats are counted."""
    count, rest = divmod(caller.used(), ARRAY)
    assert rest < SLACK
    return count


def test_views_and_second_names_take_nothing() -> None:
    caller = Caller()
    caller.do(
        make("x"), op("v", "view", "x", [N // 10, 10]), op("w", "getitem", "v", [{"slice": [1, None]}]), op("e", "expand", "x", [50, N])
    )
    caller.do({"do": "create", "name": "again", "tensor": "x"}, op("same", "contiguous", "x"), op("d", "detach", "x"))
    assert arrays(caller) == 1
    caller.do({"do": "delete", "names": ["x", "v", "e", "again", "same", "d"]})
    assert arrays(caller) == 1  # the view alone keeps the storage
    caller.do({"do": "delete", "names": ["w"]})
    assert caller.used() < 1_000


def test_what_the_graph_saved_counts_until_backward_gives_it_up() -> None:
    caller = Caller()
    caller.do(make("x", requires_grad=True), op("y", "exp", "x"), op("z", "mul", "y", "y"), op("s", "sum", "z"))
    assert arrays(caller) == 3
    caller.do({"do": "delete", "names": ["x", "y", "z"]})
    assert arrays(caller) == 2  # of z nothing was saved
    caller.do(backward("s", retain_graph=True))
    assert arrays(caller) == 3  # the gradient of x
    caller.do(backward("s"))
    assert arrays(caller) == 2  # x, which its gradient belongs to
    caller.do({"do": "delete", "names": ["s"]})
    assert arrays(caller) == 0


def test_an_array_inside_a_graph_counts_though_nothing_names_it() -> None:
    caller = Caller()
    caller.do(make("x", requires_grad=True), op("y", "nn.functional.softplus", "x"), op("t", "tanh", "y"), op("s", "sum", "t"))
    assert arrays(caller) == 3
    caller.do({"do": "delete", "names": ["y", "t"]})
    assert arrays(caller) == 2  # tanh saved its result, and softplus only x
    caller.do(op(None, "mul_", "x", 2, no_grad=True), op("u", "mul", "x", 3), op(None, "exp_", "u"))
    assert arrays(caller) == 3  # what exp_ saves is its result


def test_a_write_in_place_keeps_what_backward_needs_of_the_old_values() -> None:
    caller = Caller()
    caller.do(make("x", requires_grad=True), op("y", "mul", "x", 2))
    before = arrays(caller)
    caller.do(op(None, "sin_", "y"))
    assert arrays(caller) == before + 1
    caller.do(op("v", "getitem", "y", [{"slice": [0, N // 2]}]), op(None, "mul_", "v", "x.data", no_grad=True) | {"args": ["v", 2.0]})
    assert arrays(caller) == before + 1


def test_recorded_gradients_count_with_their_graph() -> None:
    caller = Caller()
    caller.do(make("x", requires_grad=True), op("y", "pow", "x", 3), op("s", "sum", "y"))
    before = arrays(caller)
    caller.do({"do": "grad", "name": ["g"], "outputs": "s", "inputs": "x", "create_graph": True})
    assert arrays(caller) == before + 1
    caller.do(op("t", "sin", "g"), op("u", "sum", "t"), {"do": "delete", "names": ["g", "t"]})
    assert arrays(caller) == before + 1  # sin saved its argument
    caller.do({"do": "delete", "names": ["u"]})
    assert arrays(caller) == before


def test_the_last_answer_counts_until_the_next_batch() -> None:
    caller = Caller()
    caller.do(make("x"))
    before = caller.used()
    caller.do({"do": "read", "name": "x"}, op(None, "mul_", "x", 1))
    service = caller.service
    service.batch(caller.id, {"instructions": [{"do": "read", "name": "x"}]}, owner=None, check=lambda: None, finish=lambda a: b"a" * ARRAY)
    assert caller.used() == before + ARRAY
    caller.do()
    assert caller.used() == before


def test_a_thousand_steps_leave_one_tensor() -> None:
    caller = Caller(session_bytes=10 * ARRAY)
    caller.do(make("x"))
    for _ in range(10):
        steps = [[op("t", "add", "x", 1), {"do": "delete", "names": ["x"]}, op("x", "add", "t", 0), {"do": "delete", "names": ["t"]}]] * 100
        caller.do(*(instruction for step in steps for instruction in step))
    assert arrays(caller) == 1
    assert caller.read("x")[0] == 1001.0


def test_a_long_tape_of_small_tensors_counts_for_what_python_takes() -> None:
    caller = Caller()
    caller.do(create("x0", [1.0], requires_grad=True))
    gc.collect()
    tracemalloc.start()
    try:
        for start in range(0, 2000, 500):
            caller.do(*(op(f"x{i + 1}", "exp" if i % 2 else "mul", f"x{i}", *([] if i % 2 else [0.5])) for i in range(start, start + 500)))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caller.used() == pytest.approx(taken, rel=0.4)


def test_views_that_remember_a_long_way_count_for_it() -> None:
    caller = Caller(session_bytes=300_000)
    caller.do(create("v0", [1.0]))
    status, document = caller.send({"instructions": [op(f"v{i + 1}", "view", f"v{i}", [1]) for i in range(1000)]})
    assert (status, document["code"]) == (507, "session_memory")
    assert 100 < document["instruction"] < 250
    caller.do({"do": "delete", "names": ["v100", "v101", "v102", "v103"]}, op("w", "neg", "v0"))


def test_the_session_over_its_share_is_refused_more_and_others_are_not() -> None:
    service = EngineSessions(SessionLimits(session_bytes=5 * ARRAY + SLACK))
    caller, other = Caller(service), Caller(service)
    caller.do(*(make(f"x{i}") for i in range(4)))
    problem = caller.fail(make("x4"), make("x5"))
    assert (problem["status"], problem["code"], problem["pointer"]) == (507, "session_memory", "/instructions/1")
    assert "The result of ones would bring the session to 2,40" in problem["detail"]
    assert "more than the 2,010,000 bytes that a session may take." in problem["detail"]
    other.do(*(make(f"x{i}") for i in range(4)))
    caller.do({"do": "delete", "names": ["x0", "x1"]}, make("x5"))


def test_all_sessions_together_have_a_share_too() -> None:
    service = EngineSessions(SessionLimits(sessions_bytes=5 * ARRAY + SLACK))
    caller, other = Caller(service), Caller(service)
    caller.do(*(make(f"x{i}") for i in range(3)))
    problem = other.fail(make("x0"), make("x1"), make("x2"))
    assert (problem["status"], problem["code"]) == (507, "sessions_memory")
    service.delete(caller.id, owner=None)
    other.do(make("x2"))
    assert service._memory.used < 4 * ARRAY


BIG = op("big", "ones", 4 * N, kwargs={"requires_grad": True})
PLAIN = (BIG, {"do": "set", "name": "big", "requires_grad": False}, op("more", "ones", 4 * N))
RECORDED = (BIG, op("q", "mul", "big", "big"), op("s", "sum", "q"))


@pytest.mark.parametrize(
    ("before", "instruction"),
    [
        (PLAIN, op("y", "randn", 1000, 5000)),
        (PLAIN, op("y", "outer", "x", [1.0] * 50)),
        (PLAIN, op("y", "mul", [[1.0]] * 50, "x")),
        (PLAIN, op("y", "kron", "x", [[1.0]] * 50)),
        (PLAIN, op("y", "repeat", "x", 50)),
        (PLAIN, op("y", "nn.functional.one_hot", "i", 10_000_000)),
        (PLAIN, op("y", "add", "i8", 1.5)),
        (PLAIN, op(None, "setitem", "big", [0], 1.0)),
        (PLAIN, op(None, "sin_", "big")),
        (PLAIN, {"do": "read", "name": "big"}),
        (RECORDED, backward("s")),
        (RECORDED, {"do": "grad", "name": ["g"], "outputs": "s", "inputs": "big", "create_graph": True}),
    ],
    ids=lambda i: i.get("op", i["do"]) if isinstance(i, dict) else "",
)
def test_nothing_is_allocated_for_what_is_refused(before: tuple[dict[str, object], ...], instruction: dict[str, object]) -> None:
    caller = Caller(session_bytes=12 * ARRAY)
    caller.do(make("x"), create("i", [1, 2, 3]), op("i8", "ones", 8 * N, kwargs={"dtype": "int8"}), *before)
    gc.collect()
    used = caller.used()
    tracemalloc.start()
    try:
        # Something stands behind it, so that a read has to copy.
        status, problem = caller.send({"instructions": [instruction, create("z", 1.0)]})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (status, problem.get("code"), problem.get("instruction")) == (507, "session_memory", 0), problem
    assert peak < ARRAY
    assert caller.used() < used + SLACK
    assert caller.read("x")[0] == 1.0


def test_a_backward_that_fits_step_by_step_is_carried_out() -> None:
    caller = Caller(session_bytes=12 * ARRAY)
    caller.do(make("x", requires_grad=True), op("y0", "mul", "x", 2))
    for i in range(20):
        caller.do(op(f"y{i + 1}", "add", f"y{i}", 1), {"do": "delete", "names": [f"y{i}"]})
    # Twenty gradients would not fit, but there are never more than a few at a time.
    caller.do(op("s", "sum", "y20"), backward("s"))
    assert caller.do({"do": "read", "name": "x", "what": ["grad"]})[0]["grad"]["data"][0] == 2.0


def test_one_tensor_has_its_own_bound() -> None:
    caller = Caller()
    problem = caller.fail(op("y", "zeros", 2**31))
    assert (problem["status"], problem["code"]) == (422, "tensor_too_large")


def test_names_have_a_bound() -> None:
    caller = Caller(session_tensors=3)
    caller.do(create("a", 1.0), op("b", "max", [1.0, 2.0], 0))
    problem = caller.fail(create("d", 1.0))
    assert (problem["status"], problem["code"]) == (422, "too_many_names")
    caller.do({"do": "delete", "names": ["b"]}, create("d", 1.0), create("e", 1.0))


def test_a_cycle_is_broken_before_memory_is_refused() -> None:
    caller = Caller(session_bytes=10 * ARRAY)
    for i in range(6):
        # x keeps its gradient, whose graph keeps x.
        caller.do(make("x", requires_grad=True), op("y", "mul", "x", "x"), op("s", "sum", "y"), backward("s", create_graph=True))
        caller.do({"do": "delete", "names": ["x", "y", "s"]})
        caller.service._memory._collected = 0.0
        assert i < 6
    gc.collect()
    assert arrays(caller) == 0


def test_a_session_that_ends_gives_everything_back() -> None:
    service = EngineSessions(SessionLimits())
    caller = Caller(service)
    caller.do(make("x", requires_grad=True), op("y", "mul", "x", "x"), op("s", "sum", "y"), backward("s", create_graph=True))
    caller.do({"do": "hook", "name": "h", "of": "y", "kind": "tensor"}, op("t", "sum", "y"))
    caller.suspend(backward("t"))
    service.delete(caller.id, owner=None)
    gc.collect()
    assert service._memory.used == 0


def test_an_id_that_is_used_again_is_another_array() -> None:
    memory = Memory(10**9)
    account = Account(memory, 10**9)
    for _ in range(1000):
        account.count(np.ones(1000))
    assert account.used < 20_000
    kept = [np.ones(1000) for _ in range(10)]
    for array in [*kept, *kept, kept[0][1:]]:
        account.count(array)
    assert 80_000 <= account.used < 90_000
    kept.clear()
    del array
    assert (account.used, memory.used) == (0, 0)


def test_an_answer_is_kept_only_where_all_sessions_together_leave_room() -> None:
    service = EngineSessions(SessionLimits(sessions_bytes=3 * ARRAY))
    one, other = Caller(service), Caller(service)
    one.do(make("x"))
    other.do(make("x"))
    one.do({"do": "read", "name": "x", "what": ["meta"]})
    status, _ = one.service.batch(
        one.id,
        {"instructions": [{"do": "read", "name": "x"}, {"do": "read", "name": "x"}]},
        owner=None,
        check=lambda: None,
        finish=lambda answer: (answer.status, [r and r["value"]["data"].copy() for r in answer.document["results"]]),
    )
    assert status == 507
    assert one.service.get(one.id, owner=None)["seq"] == 3
    assert one.read("x")[:2] == [1.0, 1.0]


def test_what_nodes_keep_of_very_many_inputs_counts() -> None:
    caller = Caller(session_bytes=3_000_000)
    caller.do(create("x", [1.0, 2.0], requires_grad=True), op("e", "ones", 0, kwargs={"requires_grad": True}))
    before = caller.used()
    caller.do({"do": "function", "name": ["f"], "function": "F", "inputs": ["x"], "outputs": ["x"], "saved": ["x"] * 2000})
    assert caller.used() - before > 500_000
    caller.do(op("c", "cat", ["e"] * 1000))
    assert caller.used() - before > 1_300_000
    many = {"do": "function", "name": ["g"], "function": "F", "inputs": ["x"], "outputs": ["x"], "saved": ["x"] * 9000}
    assert caller.fail(many)["code"] == "session_memory"
    caller.do({"do": "delete", "names": ["f", "c"]})
    assert caller.used() <= before


def test_an_instruction_refers_to_so_many_tensors() -> None:
    caller = Caller(instruction_references=100)
    caller.do(create("x", [1.0]))
    caller.do(op("y", "cat", ["x"] * 100))
    assert caller.fail(op("z", "cat", ["x"] * 101))["code"] == "too_many_references"


def test_numbers_in_place_of_tensors_are_refused_by_the_operation() -> None:
    caller = Caller()
    for name in ("erf", "digamma", "logsumexp", "special.erfc"):
        assert caller.fail(op("o", name, -1))["code"] in ("argument_type", "arity")
