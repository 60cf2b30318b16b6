"""Where functions are kept: in memory and in a file, by several threads and several processes, and through a kill."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gradwire_engine.errors import GradwireError
from gradwire_server.services.functions.condition import Condition
from gradwire_server.services.functions.errors import PreconditionFailed, UnknownFunction
from gradwire_server.serving import listen
from gradwire_server.store.functions import FunctionStore, NoRoom, Room, Version
from gradwire_server.store.memory_functions import MemoryFunctions
from gradwire_server.store.sqlite_functions import SqliteFunctions, UnusableStore
from tests.server.functions import SQUARES, Functions, declared, function, node

ROOM = Room(versions=10, owner_versions=10, bytes=10_000)


def version(name: str = "f", hash: str = "1", document: bytes = b"{}", owner: str = "") -> Version:
    return Version(owner, name, hash, document, 1.0)


def accept(current: str | None) -> None:
    """A condition that always holds."""


def refuse(current: str | None) -> None:
    raise PreconditionFailed("It does not hold.", current)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FunctionStore]:
    made: FunctionStore = MemoryFunctions() if request.param == "memory" else SqliteFunctions(tmp_path / "functions.sqlite3")
    yield made
    made.close()


def test_versions_and_which_is_current(store: FunctionStore) -> None:
    assert store.get("", "f") is None
    assert store.put(version(hash="1"), ROOM, accept) is None
    assert store.put(version(hash="2"), ROOM, accept) == "1"
    assert store.get("", "f") == version(hash="2")
    assert store.get("", "f", "1") == version(hash="1")
    assert store.put(version(hash="1", document=b"[]"), ROOM, accept) == "2"
    assert store.get("", "f") == version(hash="1", document=b"[]")
    assert [v.hash for v in store.versions("", "f")] == ["1", "2"]
    assert store.delete("", "f", "2", accept)
    assert not store.delete("", "f", "2", accept)
    assert store.delete("", "f", None, accept)
    assert not store.delete("", "f", None, accept)
    assert store.versions("", "f") == []


def test_owners_and_pages(store: FunctionStore) -> None:
    for name in ("b", "a", "c"):
        store.put(version(name), ROOM, accept)
    store.put(version("a", "7", owner="other"), ROOM, accept)
    assert [v.name for v in store.page("", "", 2)] == ["a", "b"]
    assert [v.name for v in store.page("", "b", 2)] == ["c"]
    assert [v.hash for v in store.page("other", "", 9)] == ["7"]
    store.delete("other", "a", None, accept)
    assert store.get("", "a") is not None


def test_a_condition_that_does_not_hold_leaves_everything_as_it_is(store: FunctionStore) -> None:
    store.put(version(hash="1"), ROOM, accept)
    for change in (lambda: store.put(version(hash="2"), ROOM, refuse), lambda: store.delete("", "f", None, refuse)):
        with pytest.raises(PreconditionFailed) as caught:
            change()
        assert caught.value.members == {"hash": "1"}
    assert store.get("", "f") == version(hash="1")
    assert store.put(version(hash="2"), ROOM, accept) == "1"


@pytest.mark.parametrize("room", [Room(1, 9, 9_000), Room(9, 1, 9_000), Room(9, 9, 100)])
def test_there_is_no_room_for_ever_more(store: FunctionStore, room: Room) -> None:
    store.put(version(document=b"a" * 60), room, accept)
    with pytest.raises(NoRoom):
        store.put(version("g", document=b"a" * 60), room, accept)
    assert store.get("", "g") is None
    assert store.put(version(document=b"a" * 60), room, accept) == "1"


def test_the_generation_tells_that_something_changed(store: FunctionStore) -> None:
    seen = [store.generation()]
    assert store.generation() == seen[0]
    store.put(version(), ROOM, accept)
    seen.append(store.generation())
    store.delete("", "f", None, accept)
    seen.append(store.generation())
    assert len(set(seen)) == 3


def test_of_many_who_make_the_same_name_one_does(store: FunctionStore) -> None:
    functions = Functions(store)
    made = threading.Barrier(8)

    def put(k: int) -> bool:
        prepared = functions.service.prepare(function({"x": declared()}, node("y", "mul", "x", k)), check=lambda: None)
        made.wait(10)
        try:
            return functions.service.put("f", prepared, owner=None, condition=Condition(none_match=frozenset({"*"})))[1]
        except PreconditionFailed:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(put, range(8))) == 1
    assert len(functions.service.get("f", owner=None)["versions"]) == 1


def test_a_function_may_be_deleted_while_it_is_called(store: FunctionStore) -> None:
    functions = Functions(store)
    outcomes: set[str] = set()
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            try:
                assert functions.call("f", inputs={"x": [1.0, 2.0]}) == {"outputs": {"z": 5.0}}
                outcomes.add("answered")
            except UnknownFunction:
                outcomes.add("unknown")

    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(call) for _ in range(2)]
        deadline = time.monotonic() + 10
        while outcomes != {"answered", "unknown"} and time.monotonic() < deadline:
            functions.put("f", SQUARES)
            time.sleep(0.005)
            functions.service.delete("f", owner=None)
            time.sleep(0.005)
        stop.set()
        for done in calls:
            done.result(10)
    assert outcomes == {"answered", "unknown"}


def test_a_file_outlives_the_store(tmp_path: Path) -> None:
    path = tmp_path / "functions.sqlite3"
    first = Functions(SqliteFunctions(path))
    described, _ = first.put("f", {**SQUARES, "description": "äöü"})
    first.service.close()
    again = Functions(SqliteFunctions(path))
    assert again.call("f", "value_and_grad", inputs={"x": [3.0]}) == {"value": 9.0, "grads": {"x": [6.0]}}
    assert {name: again.service.get("f", owner=None)[name] for name in described} == described


def test_two_that_have_the_same_file_see_what_the_other_does(tmp_path: Path) -> None:
    path = tmp_path / "functions.sqlite3"
    one, two = Functions(SqliteFunctions(path)), Functions(SqliteFunctions(path))
    one.put("f", SQUARES)
    assert two.call("f", inputs={"x": [3.0]}) == {"outputs": {"z": 9.0}}
    one.put("f", function({"x": declared("n")}, node("z", "sum", "x")))
    assert two.call("f", inputs={"x": [3.0]}) == {"outputs": {"z": 3.0}}
    one.service.delete("f", owner=None)
    with pytest.raises(UnknownFunction):
        two.call("f", inputs={"x": [3.0]})


def test_files_that_are_no_store(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("This is no database. " * 100, encoding="utf-8")
    with pytest.raises(UnusableStore, match="cannot be used"):
        SqliteFunctions(text)
    later = tmp_path / "later"
    database = sqlite3.connect(later)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(UnusableStore, match="later version"):
        SqliteFunctions(later)


def test_a_stored_function_is_read_again_whatever_the_limits_are_now(tmp_path: Path) -> None:
    path = tmp_path / "functions.sqlite3"
    Functions(SqliteFunctions(path)).put("f", SQUARES)
    small = Functions(SqliteFunctions(path), functions=1, function_bytes=1)
    assert small.call("f", inputs={"x": [3.0]}) == {"outputs": {"z": 9.0}}
    with pytest.raises(GradwireError):
        small.put("g", SQUARES)


def _request(url: str, method: str, document: Any = None) -> Any:
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def _server(port: int, data_dir: Path) -> subprocess.Popen[bytes]:
    program = "import sys; from gradwire_server.serving import serve; from gradwire_server.settings import Settings; "
    program += "serve(Settings(port=int(sys.argv[1]), data_dir=sys.argv[2], compute_threads=1))"
    started = subprocess.Popen([sys.executable, "-c", program, str(port), str(data_dir)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            _request(f"http://127.0.0.1:{port}/healthz", "GET")
            return started
        except (urllib.error.URLError, ConnectionError):
            assert started.poll() is None
            time.sleep(0.05)
    raise AssertionError("The server did not start.")


def _killed(server: subprocess.Popen[bytes]) -> None:
    os.kill(server.pid, signal.SIGKILL)
    server.wait(20)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="This system has no SIGKILL.")
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    functions = f"http://127.0.0.1:{port}/v1/functions"
    acknowledged: list[str] = []

    def put(until: Callable[[], bool]) -> None:
        for i in range(100_000):
            if until():
                return
            try:
                acknowledged.append(_request(f"{functions}/f{i}", "PUT", {**SQUARES, "description": "a" * i})["name"])
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                return

    server = _server(port, tmp_path)
    try:
        killed = threading.Event()
        writer = threading.Thread(target=put, args=(killed.is_set,))
        writer.start()
        deadline = time.monotonic() + 30
        while len(acknowledged) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        # In the middle of the next one.
        _killed(server)
        killed.set()
        writer.join(30)
    assert len(acknowledged) >= 5
    server = _server(port, tmp_path)
    try:
        found = [item["name"] for item in _request(f"{functions}?limit=1000", "GET")["items"]]
        # One more may have been written whose answer did not arrive.
        assert set(acknowledged) <= set(found)
        assert len(found) <= len(acknowledged) + 1
        answer = _request(f"{functions}/{acknowledged[-1]}/value_and_grad", "POST", {"inputs": {"x": [3.0]}})
        assert answer["grads"]["x"]["data"] == [6.0]
    finally:
        _killed(server)


def test_what_was_registered_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = Functions()
    functions.put("f", SQUARES)

    def refuse(*args: Any) -> Any:
        raise AssertionError("It was read again.")

    monkeypatch.setattr("gradwire_server.services.functions.service.read_definition", refuse)
    assert functions.call("f", inputs={"x": [1.0, 2.0]}) == {"outputs": {"z": 5.0}}
    assert functions.service.get("f", owner=None)["function"] == SQUARES
