from __future__ import annotations

import pytest

from gradwire import conversations, drivers, errors
from gradwire.conversations import BatchAnswer, Retries
from gradwire.transport import AnswerTimeout, ConnectFailed, ConnectionLost, Response, TransportError, UnreadableAnswer
from tests.client.support import Script, refusal

QUICK = Retries(attempts=4, first_seconds=0.001, most_seconds=0.005)
DONE = Response(200, {"outputs": {}})
BATCH = Response(200, {"seq": 3, "results": [None, {"value": 1}]})


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waiting times, which are not waited for."""
    times: list[float] = []
    monkeypatch.setattr("gradwire.drivers.time.sleep", times.append)
    return times


def test_evaluate_asks_once_and_gives_the_document(slept: list[float]) -> None:
    script = Script([DONE])
    assert drivers.run(conversations.evaluate({"outputs": []}, seconds=2.5), script) == {"outputs": {}}
    (request,) = script.requests
    assert (request.method, request.path, request.body, request.seconds, request.tensors) == (
        "POST",
        "/v1/evaluate",
        {"outputs": []},
        2.5,
        True,
    )
    assert slept == []


@pytest.mark.parametrize(
    "first",
    [
        ConnectFailed("Refused."),
        ConnectionLost("Cut."),
        refusal(429, "too_many_requests"),
        refusal(503, "draining"),
        Response(502, "<html>Bad gateway</html>"),
        Response(504, None),
    ],
    ids=lambda first: type(first).__name__ if isinstance(first, TransportError) else str(first.status),
)
def test_what_may_pass_is_asked_again(first: Response | TransportError, slept: list[float]) -> None:
    for conversation, last in [
        (conversations.evaluate({}, retries=QUICK), DONE),
        (conversations.info(retries=QUICK), DONE),
        (conversations.send_batch("s", 3, [], retries=QUICK), BATCH),
    ]:
        script = Script([first, first, last])
        drivers.run(conversation, script)
        script.close()
        assert script.requests[0] is script.requests[1] is script.requests[2]
    assert len(slept) == 6
    assert all(0 < seconds <= 0.0075 for seconds in slept)


def test_waits_grow_and_follow_retry_after(slept: list[float]) -> None:
    retries = Retries(attempts=5, first_seconds=1.0, most_seconds=3.0)
    answers: list[Response | TransportError] = [*(ConnectFailed("Refused.") for _ in range(4)), DONE]
    drivers.run(conversations.evaluate({}, retries=retries), Script(answers))
    for seconds, middle in zip(slept, [1.0, 2.0, 3.0, 3.0], strict=True):
        assert middle / 2 <= seconds <= middle * 1.5
    slept.clear()
    answers = [refusal(429, "too_many_requests", headers={"retry-after": "3"}), DONE]
    drivers.run(conversations.evaluate({}, retries=retries), Script(answers))
    assert slept == [3.0]


def test_who_asks_for_too_long_a_wait_is_not_asked_again(slept: list[float]) -> None:
    script = Script([refusal(429, "too_many_sessions", headers={"retry-after": "600"})])
    with pytest.raises(errors.Unavailable):
        drivers.run(conversations.open_session(retries=QUICK), script)
    assert slept == []


def test_attempts_are_bounded(slept: list[float]) -> None:
    lost = [ConnectionLost(f"Cut {i}.") for i in range(4)]
    script = Script(lost)
    with pytest.raises(ConnectionLost, match=r"Cut 3\.") as caught:
        drivers.run(conversations.evaluate({}, retries=QUICK), script)
    assert caught.value is lost[3]
    assert (len(script.requests), len(slept)) == (4, 3)
    script = Script([refusal(503, "draining", f"Draining {i}.") for i in range(4)])
    with pytest.raises(errors.Unavailable, match=r"Draining 3\."):
        drivers.run(conversations.info(retries=QUICK), script)
    script.close()


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422, 500, 507])
def test_what_will_not_pass_is_not_asked_again(status: int, slept: list[float]) -> None:
    script = Script([refusal(status, "some_code")])
    with pytest.raises(errors.ServiceError) as caught:
        drivers.run(conversations.evaluate({}, retries=QUICK), script)
    assert (caught.value.status, caught.value.code) == (status, "some_code")
    assert slept == []


def test_a_program_that_ran_out_of_time_is_not_run_again() -> None:
    for answer in (AnswerTimeout("Late."), UnreadableAnswer("HTML.")):
        with pytest.raises(type(answer)):
            drivers.run(conversations.evaluate({}, retries=QUICK), Script([answer]))
    with pytest.raises(errors.ServiceDeadlineExceeded):
        drivers.run(conversations.evaluate({}, retries=QUICK), Script([refusal(504, "deadline_exceeded")]))


def test_a_batch_that_may_still_be_running_is_asked_for_again(slept: list[float]) -> None:
    answer = drivers.run(
        conversations.send_batch("s", 3, [], retries=QUICK), Script([AnswerTimeout("Late."), refusal(504, "deadline_exceeded"), BATCH])
    )
    assert answer == BatchAnswer(3, [None, {"value": 1}])
    assert len(slept) == 2


def test_a_batch_tells_what_failed() -> None:
    failed = refusal(
        422, "shape_mismatch", "mat1 and mat2", exception="RuntimeError", pointer="/instructions/1", seq=3, instruction=1, results=[None]
    )
    script = Script([failed])
    answer = drivers.run(conversations.send_batch("a b/c", 3, [{"do": "seed", "value": 0}]), script)
    assert script.requests[0].path == "/v1/sessions/a%20b%2Fc/batch"
    assert script.requests[0].body == {"seq": 3, "instructions": [{"do": "seed", "value": 0}]}
    assert (answer.seq, answer.results, answer.failed_instruction, answer.suspended) == (3, [None], 1, None)
    assert isinstance(answer.problem, errors.ServiceRuntimeError)
    assert (str(answer.problem), answer.problem.pointer) == ("mat1 and mat2", "/instructions/1")


def test_an_instruction_out_of_time_used_its_number_up(slept: list[float]) -> None:
    late = refusal(504, "deadline_exceeded", seq=3, instruction=0, results=[])
    answer = drivers.run(conversations.send_batch("s", 3, [{}], retries=QUICK), Script([late]))
    assert (answer.failed_instruction, slept) == (0, [])
    assert isinstance(answer.problem, errors.ServiceDeadlineExceeded)


def test_a_batch_that_was_refused_as_a_whole_raises() -> None:
    for response, kind in [
        (refusal(409, "seq_gap", expected=2), errors.Conflict),
        (refusal(404, "unknown_session"), errors.NotFound),
        (refusal(422, "missing_field", exception="ValueError"), errors.ServiceValueError),
    ]:
        with pytest.raises(kind):
            drivers.run(conversations.send_batch("s", 3, []), Script([response]))


def test_a_suspended_batch_says_so() -> None:
    suspended = {"id": "s1", "instruction": 0, "kind": "function", "grads": ["s1.0"]}
    answer = drivers.run(conversations.send_batch("s", 1, [{}]), Script([Response(200, {"seq": 1, "results": [], "suspended": suspended})]))
    assert answer.suspended == suspended


def test_ops_are_read_page_by_page() -> None:
    script = Script([Response(200, {"items": [{"name": "abs"}], "next": "abs"}), Response(200, {"items": [{"name": "add"}], "next": None})])
    assert [op["name"] for op in drivers.run(conversations.list_ops(), script)] == ["abs", "add"]
    assert [dict(request.params) for request in script.requests] == [{}, {"cursor": "abs"}]


def test_a_session_deleted_unheard_is_deleted(slept: list[float]) -> None:
    gone = refusal(404, "unknown_session")
    drivers.run(conversations.delete_session("s", retries=QUICK), Script([ConnectionLost("Cut."), gone]))
    with pytest.raises(errors.NotFound):
        drivers.run(conversations.delete_session("s", retries=QUICK), Script([refusal(503, "draining"), gone]))
    assert len(slept) == 2


def test_sessions_are_opened_with_what_is_asked_for() -> None:
    script = Script([Response(201, {"id": "1", "seq": 0})] * 2)
    drivers.run(conversations.open_session(), script)
    drivers.run(conversations.open_session(ttl_seconds=5, default_dtype="float64", seed=0), script)
    assert [request.body for request in script.requests] == [{}, {"ttl_seconds": 5, "default_dtype": "float64", "seed": 0}]


def test_waiting_leaves_the_callers_random_numbers_alone() -> None:
    import random

    random.seed(1)
    expected = random.random()
    random.seed(1)
    drivers.run(conversations.evaluate({}, retries=QUICK), Script([ConnectFailed("Refused."), DONE]))
    assert random.random() == expected
