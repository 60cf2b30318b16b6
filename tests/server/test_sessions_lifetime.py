"""How sessions begin and end, whose they are, and how many there may be."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gradwire_engine.errors import GradwireError
from gradwire_server.problems import Problem
from gradwire_server.services.sessions.errors import ListingNeedsKeys, SessionBusy, TooManySessions, UnknownSession
from gradwire_server.services.sessions.limits import SessionLimits
from gradwire_server.services.sessions.service import EngineSessions
from gradwire_server.services.sessions.turns import Turns
from tests.server.sessions import Caller, create


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_new_session() -> None:
    created = EngineSessions(SessionLimits(), clock=Clock()).create({}, owner=None)
    assert re.fullmatch("[0-9a-f]{32}", created["id"])
    assert (created["seq"], created["api"], created["expires_at"]) == (0, "v1", "1970-01-01T00:10:00.000Z")
    assert created.keys() == {"id", "expires_at", "seq", "version", "api", "ops"}


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (None, "", "invalid_type"),
        ([], "", "invalid_type"),
        ({"ttl": 5}, "/ttl", "unknown_field"),
        ({"ttl_seconds": 0}, "/ttl_seconds", "invalid_type"),
        ({"ttl_seconds": "60"}, "/ttl_seconds", "invalid_type"),
        ({"ttl_seconds": True}, "/ttl_seconds", "invalid_type"),
        ({"ttl_seconds": 3601}, "/ttl_seconds", "ttl_too_long"),
        ({"ttl_seconds": 10**400}, "/ttl_seconds", "ttl_too_long"),
        ({"default_dtype": "int64"}, "/default_dtype", "type_error"),
        ({"default_dtype": None}, "/default_dtype", "unknown_dtype"),
        ({"seed": 1.5}, "/seed", "invalid_type"),
        ({"seed": 2**64}, "/seed", "invalid_type"),
    ],
)
def test_what_a_new_session_cannot_be(document: Any, pointer: str, code: str) -> None:
    with pytest.raises(GradwireError) as caught:
        EngineSessions(SessionLimits()).create(document, owner=None)
    assert (caught.value.code, caught.value.pointer, Problem.of(caught.value).status) == (code, pointer, 422)


def test_a_session_that_is_not_used_ends() -> None:
    clock = Clock()
    service = EngineSessions(SessionLimits(), clock=clock)
    used, unused = Caller(service, {"ttl_seconds": 10}), Caller(service, {"ttl_seconds": 10})
    clock.now = 6.0
    used.do(create("x", 1.0))
    unused_id = unused.id
    clock.now = 10.0
    with pytest.raises(UnknownSession, match="It may have expired or been deleted"):
        service.get(unused_id, owner=None)
    assert service.get(used.id, owner=None)["expires_at"] == "1970-01-01T00:00:20.000Z"
    clock.now = 19.9
    assert service.tensor(used.id, "x", owner=None)["data"] == 1.0
    clock.now = 29.8
    used.do(create("y", 1.0))
    clock.now = 60.0
    service.sweep()
    assert service._memory.used == 0


def test_a_session_at_work_does_not_end() -> None:
    clock = Clock()
    service = EngineSessions(SessionLimits(), clock=clock)
    caller = Caller(service, {"ttl_seconds": 10})
    with service.turn(caller.id, owner=None):
        clock.now = 100.0
        service.sweep()
        assert service.get(caller.id, owner=None)["seq"] == 0
    assert service.get(caller.id, owner=None)["expires_at"] == "1970-01-01T00:01:50.000Z"


def test_a_session_that_was_deleted_is_gone() -> None:
    caller = Caller()
    caller.do(create("x", [1.0]))
    caller.service.delete(caller.id, owner=None)
    for call in (caller.service.get, caller.service.delete, caller.service.turn):
        with pytest.raises(UnknownSession):
            call(caller.id, owner=None)
    with pytest.raises(UnknownSession):
        caller.send({"instructions": []})
    assert caller.service._memory.used == 0


@pytest.mark.parametrize("id", ["", "0" * 32, "x", "../..", "\x00"])
def test_an_id_that_never_was(id: str) -> None:
    with pytest.raises(UnknownSession):
        EngineSessions(SessionLimits()).get(id, owner=None)


def test_what_one_owner_made_another_cannot_see() -> None:
    service = EngineSessions(SessionLimits())
    caller = Caller(service, owner="one")
    caller.do(create("x", [1.0]))
    for owner in ("two", None, ""):
        for call in (service.get, service.delete, service.turn):
            with pytest.raises(UnknownSession):
                call(caller.id, owner=owner)
        with pytest.raises(UnknownSession):
            service.batch(caller.id, {"instructions": []}, owner=owner, check=lambda: None, finish=lambda answer: answer)
        for look in (service.tensor, service.grad, service.graph):
            with pytest.raises(UnknownSession):
                look(caller.id, "x", owner=owner)
    assert caller.read("x") == [1.0]


def test_owners_list_their_own_sessions_in_pages() -> None:
    clock = Clock()
    service = EngineSessions(SessionLimits(), clock=clock)
    mine = sorted(Caller(service, owner="one").id for _ in range(5))
    Caller(service, owner="two")
    first = service.list(owner="one", limit=3, cursor=None)
    second = service.list(owner="one", limit=3, cursor=first["next"])
    assert [item["id"] for item in first["items"] + second["items"]] == mine
    assert (first["next"], second["next"]) == (mine[2], None)
    assert service.list(owner="one", limit=5, cursor="")["next"] is None
    assert service.list(owner="three", limit=5, cursor=None) == {"items": [], "next": None}
    # To look at the list keeps nothing alive.
    clock.now = 600.0
    assert service.list(owner="one", limit=5, cursor=None)["items"] == []
    with pytest.raises(ListingNeedsKeys) as caught:
        service.list(owner=None, limit=5, cursor=None)
    assert (Problem.of(caught.value).status, caught.value.code) == (403, "listing_needs_keys")


def test_there_are_as_many_sessions_as_are_allowed() -> None:
    clock = Clock()
    service = EngineSessions(SessionLimits(sessions=2), clock=clock)
    first = Caller(service, {"ttl_seconds": 10})
    Caller(service)
    with pytest.raises(TooManySessions) as caught:
        Caller(service)
    problem = Problem.of(caught.value)
    assert (problem.status, problem.code, problem.headers) == (429, "too_many_sessions", {"Retry-After": "10"})
    service.delete(first.id, owner=None)
    Caller(service, {"ttl_seconds": 10})
    clock.now = 11.0
    Caller(service)


def test_turns_come_in_order_and_the_queue_is_bounded() -> None:
    left: list[int] = []
    turns = Turns(2, lambda: left.append(1))
    first, second, third = (turns.join() for _ in range(3))
    with pytest.raises(SessionBusy) as caught:
        turns.join()
    assert (Problem.of(caught.value).status, caught.value.headers) == (429, {"Retry-After": "1"})
    assert [turn.future.done() for turn in (first, second, third)] == [True, False, False]
    second.future.cancel()
    first.release()
    first.release()
    assert not third.future.done()  # it is the turn of one who no longer waits, and says so
    second.release()
    assert third.future.done()
    assert turns.busy
    third.release()
    assert not turns.busy
    assert len(left) == 3
