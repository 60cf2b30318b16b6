from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from gradwire import conversations
from gradwire.drivers import run
from gradwire.errors import NotFound, ServiceDeadlineExceeded, ServiceRuntimeError
from gradwire.local import LocalTransport
from gradwire.transport import Request
from tests.client.support import SQUARE, plain_lists
from tests.test_layout import installed_by_extras

PLAIN_PROGRAM = """
import sys

for name in sys.argv[1:]:
    sys.modules[name] = None

import numpy as np

from gradwire.api import Client
from gradwire.errors import ServiceRuntimeError

client = Client()
program = {"inputs": {"x": {"data": np.array([2.0, 3.0]), "requires_grad": True}},
           "nodes": [{"name": "z", "op": "dot", "args": ["x", "x"]}], "outputs": ["z"], "backward": "z"}
print(client.evaluate(program)["grads"]["x"]["data"].tolist())
with client.session() as session:
    session.batch([{"do": "create", "name": "x", "tensor": program["inputs"]["x"]},
                   {"do": "op", "name": "z", "op": "dot", "args": ["x", "x"]},
                   {"do": "backward", "of": "z"}])
    print(session.grad("x")["data"].tolist())
    try:
        session.batch([{"do": "backward", "of": "z"}])
    except ServiceRuntimeError as error:
        print(error)
"""


def test_the_plain_install_is_enough() -> None:
    environment = {"PYTHONWARNINGS": "error", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_PROGRAM, *installed_by_extras()], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == second == "[4.0, 6.0]"
    assert third.startswith("Trying to backward through the graph a second time")


def test_nothing_is_shared_with_the_caller() -> None:
    transport = LocalTransport()
    given = np.array([2.0, 3.0])
    opened = run(conversations.open_session(), transport)
    instructions: list[dict[str, Any]] = [
        {"do": "create", "name": "x", "tensor": {"data": given}},
        {"do": "read", "name": "x", "what": ["value"]},
    ]
    first = run(conversations.send_batch(opened["id"], 1, instructions), transport).results[1]["value"]["data"]
    given[:] = 0.0
    first[:] = 0.0
    assert plain_lists(run(conversations.read_tensor(opened["id"], "x"), transport)["data"]) == [2.0, 3.0]
    given[:] = [2.0, 3.0]
    # The answer that was kept is not what the caller wrote to.
    again = run(conversations.send_batch(opened["id"], 1, instructions), transport).results[1]["value"]["data"]
    assert plain_lists(again) == [2.0, 3.0]


def test_answers_do_not_share_memory_with_each_other() -> None:
    document = {**SQUARE, "nodes": [*SQUARE["nodes"], {"name": "v", "op": "view", "args": ["y", [2, 1]]}], "outputs": ["y", "v", "z"]}
    outputs = LocalTransport().send(Request("POST", "/v1/evaluate", body=document)).document["outputs"]
    outputs["y"]["data"][:] = 0.0
    assert plain_lists(outputs["v"]["data"]) == [[4.0], [9.0]]


def test_sessions_belong_to_their_transport() -> None:
    one, other = LocalTransport(), LocalTransport()
    session = run(conversations.open_session(), one)["id"]
    assert run(conversations.get_session(session), one)["id"] == session
    with pytest.raises(NotFound) as caught:
        run(conversations.get_session(session), other)
    assert (caught.value.status, caught.value.code) == (404, "unknown_session")
    one.close()
    with pytest.raises(NotFound):
        run(conversations.get_session(session), one)


def test_sessions_stay_unless_they_are_asked_not_to() -> None:
    transport = LocalTransport()
    assert run(conversations.open_session(), transport)["expires_at"] > "2100"
    session = run(conversations.open_session(ttl_seconds=0.01), transport)["id"]
    time.sleep(0.02)
    with pytest.raises(NotFound):
        run(conversations.get_session(session), transport)


def test_time_is_bounded_where_asked_for() -> None:
    nodes = [{"name": f"n{i}", "op": "exp", "args": ["a"]} for i in range(1000)]
    slow = {"inputs": {"a": np.zeros(100_000)}, "nodes": nodes, "outputs": ["n999"]}
    with pytest.raises(ServiceDeadlineExceeded, match=r"within the 0\.05 seconds"):
        run(conversations.evaluate(slow, seconds=0.05), LocalTransport())


def test_threads_share_a_transport() -> None:
    transport = LocalTransport()
    values: list[float] = []

    def work(start: float) -> None:
        session = run(conversations.open_session(default_dtype="float64"), transport)["id"]
        run(conversations.send_batch(session, 1, [{"do": "create", "name": "x", "tensor": {"data": np.array(start)}}]), transport)
        for seq in range(2, 12):
            add = {"do": "op", "name": "x", "op": "add_", "args": ["x", 1.0]}
            run(conversations.send_batch(session, seq, [add]), transport)
        values.append(float(run(conversations.read_tensor(session, "x"), transport)["data"]))

    threads = [threading.Thread(target=work, args=(float(start),)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(values) == [start + 10.0 for start in range(8)]


def test_what_is_not_there_is_a_problem_too() -> None:
    response = LocalTransport().send(Request("GET", "/v1/nothing"))
    assert (response.status, response.document["code"]) == (404, "not_found")


def test_a_failure_of_the_engine_is_no_answer() -> None:
    class Broken:
        def evaluate(self, *arguments: object, **options: object) -> None:
            raise KeyError("a bug")

    with pytest.raises(KeyError):
        LocalTransport(Broken()).send(Request("POST", "/v1/evaluate", body=SQUARE))


def test_errors_name_the_instruction() -> None:
    transport = LocalTransport()
    session = run(conversations.open_session(), transport)["id"]
    wrong = {"do": "op", "name": "y", "op": "mm", "args": ["x", "x"]}
    answer = run(conversations.send_batch(session, 1, [{"do": "create", "name": "x", "tensor": [[1.0, 2.0, 3.0]]}, wrong]), transport)
    assert (answer.failed_instruction, len(answer.results)) == (1, 1)
    assert isinstance(answer.problem, ServiceRuntimeError)
    assert answer.problem.pointer is not None
    assert answer.problem.pointer.startswith("/instructions/1")
