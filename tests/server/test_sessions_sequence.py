"""Numbers of batches: what is done once, what is answered again, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_engine.errors import DeadlineExceeded, GradwireError
from gradwire_server.services.sessions.answer import Answer
from gradwire_server.services.sessions.errors import SequenceConflict, UnknownSession
from tests.server.sessions import Caller, create, finish, op

STEP = {"seq": 2, "instructions": [op(None, "add_", "x", 1), {"do": "read", "name": "x"}]}


@pytest.fixture
def caller() -> Caller:
    caller = Caller()
    assert caller.send({"seq": 1, "instructions": [create("x", [1.0])]})[0] == 200
    return caller


def test_the_same_batch_is_carried_out_once_and_answered_again(caller: Caller) -> None:
    first = caller.send(STEP)
    assert first[1]["results"][1]["value"]["data"] == [2.0]
    # Another document with the same meaning, as a client makes it that sends once more.
    again = {"instructions": [dict(reversed(i.items())) for i in STEP["instructions"]], "seq": 2}  # type: ignore[attr-defined]
    assert caller.send(again) is first
    assert caller.read("x") == [2.0]


def test_a_failed_batch_is_answered_again_too(caller: Caller) -> None:
    failing = {"seq": 2, "instructions": [op(None, "add_", "x", 1), op("y", "mull", "x", 2)]}
    first = caller.send(failing)
    assert (first[0], first[1]["code"], first[1]["seq"], first[1]["instruction"]) == (422, "unknown_op", 2, 1)
    assert caller.send(failing) is first
    assert caller.read("x") == [2.0]


@pytest.mark.parametrize(
    ("seq", "code"), [(1, "seq_reused"), (2, "seq_reused"), (4, "seq_gap"), (2**63, "seq_gap")], ids=["old", "last", "gap", "far"]
)
def test_other_numbers_are_refused(caller: Caller, seq: int, code: str) -> None:
    caller.send(STEP)
    with pytest.raises(SequenceConflict) as caught:
        caller.send({"seq": seq, "instructions": [op(None, "add_", "x", 1)]})
    assert (caught.value.code, caught.value.pointer, caught.value.members) == (code, "/seq", {"expected": 3})
    assert caller.send({"seq": 3, "instructions": []}) == (200, {"seq": 3, "results": []})


@pytest.mark.parametrize("one", [1, 1.0, True, "1", None, [1]])
@pytest.mark.parametrize("other", [1, 1.0, True, "1", None, [1]])
def test_what_makes_a_batch_the_same(caller: Caller, one: Any, other: Any) -> None:
    first = caller.send({"seq": 2, "instructions": [{"do": "seed", "value": one}]})
    again = {"seq": 2, "instructions": [{"value": other, "do": "seed"}]}
    if type(one) is type(other):
        assert caller.send(again) is first
    else:
        with pytest.raises(SequenceConflict):
            caller.send(again)


def test_a_batch_without_a_number_is_the_next_one(caller: Caller) -> None:
    step = {"instructions": STEP["instructions"]}
    assert [caller.send(step)[1]["seq"] for _ in range(3)] == [2, 3, 4]
    assert caller.read("x") == [4.0]
    # The number that it got is one like any other.
    assert caller.send({"seq": 5, "instructions": [{"do": "read", "name": "x"}]})[1]["results"][0]["value"]["data"] == [4.0]


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (None, "", "invalid_type"),
        ([], "", "invalid_type"),
        ({}, "", "missing_field"),
        ({"instructions": {}}, "/instructions", "invalid_type"),
        ({"instructions": [], "sequence": 2}, "/sequence", "unknown_field"),
        ({"instructions": [], "seq": "2"}, "/seq", "invalid_type"),
        ({"instructions": [], "seq": 0}, "/seq", "invalid_type"),
        ({"instructions": [], "seq": True}, "/seq", "invalid_type"),
        ({"instructions": [[]] * 6, "seq": 2}, "/instructions", "too_many_instructions"),
    ],
)
def test_an_envelope_that_is_none_uses_no_number_up(document: Any, pointer: str, code: str) -> None:
    caller = Caller(batch_instructions=5)
    caller.do(create("x", [1.0]))
    with pytest.raises(GradwireError) as caught:
        caller.send(document)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert caller.send(STEP)[1]["results"][1]["value"]["data"] == [2.0]


def test_a_batch_that_is_late_before_it_begins_uses_no_number_up(caller: Caller) -> None:
    def late() -> None:
        raise DeadlineExceeded("The time is over.")

    with pytest.raises(DeadlineExceeded):
        caller.send(STEP, late)
    assert caller.send(STEP)[1]["seq"] == 2


def test_an_answer_that_cannot_be_written_leaves_the_batch_carried_out(caller: Caller) -> None:
    tries: list[Answer] = []

    def broken(answer: Answer) -> tuple[int, dict[str, Any]]:
        tries.append(answer)
        if len(tries) == 1:
            raise MemoryError
        return finish(answer)

    service, document = caller.service, {"instructions": STEP["instructions"], "seq": 2}
    for _ in range(2):
        status, answer = service.batch(caller.id, document, owner=None, check=lambda: None, finish=broken)
        assert (status, answer["code"], answer["seq"], answer["instruction"]) == (503, "out_of_memory", 2, 1)
    assert caller.read("x") == [2.0]


def test_an_interruption_ends_the_batch_and_reaches_whoever_called(caller: Caller) -> None:
    left = 2

    def interrupt() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        caller.send(STEP, interrupt)
    status, document = caller.send(STEP)
    assert (status, document["code"], document["instruction"]) == (499, "cancelled", 1)
    assert caller.read("x") == [2.0]


def test_a_failure_of_the_server_is_an_answer_too(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("gradwire_server.services.sessions.instructions.tensors.encode", broken)
    answers: list[Answer] = []
    document = {"instructions": [{"do": "read", "name": "x", "what": ["meta"]}]}
    caller.service.batch(caller.id, document, owner=None, check=lambda: None, finish=answers.append)
    assert (answers[0].status, answers[0].document["code"], answers[0].document["seq"]) == (500, "internal_error", 2)
    assert isinstance(answers[0].error, ZeroDivisionError)
    monkeypatch.undo()
    assert caller.read("x") == [1.0]


def test_the_session_ends_while_batches_wait(caller: Caller) -> None:
    turn = caller.service.turn(caller.id, owner=None)
    caller.service.delete(caller.id, owner=None)
    with turn, pytest.raises(UnknownSession):
        caller.service.batch(caller.id, STEP, owner=None, check=lambda: None, finish=finish, turn=turn)
    with pytest.raises(UnknownSession):
        caller.send(STEP)
