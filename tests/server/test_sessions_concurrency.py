"""What callers of sessions notice of each other, through a real HTTP server."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx
import pytest

from gradwire_server.app import create_app
from gradwire_server.services import engine_services
from gradwire_server.services.sessions.instructions import INSTRUCTIONS
from gradwire_server.services.sessions.instructions.table import Run, Spec, instruction
from gradwire_server.settings import Settings
from tests.server import sockets
from tests.server.sessions import Caller, backward, create, op
from tests.server.support import problem, running

STEP = [op(None, "add_", "x", 1), {"do": "read", "name": "x"}]


def pause(run: Run, spec: Spec, at: str) -> None:
    """Takes as long as it is told to, and says so beforehand."""
    run.walk(10**9)
    time.sleep(spec["seconds"])


@pytest.fixture(autouse=True)
def pausing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INSTRUCTIONS, "pause", instruction(pause, "seconds"))


@pytest.fixture
def url() -> Iterator[str]:
    with running(create_app(Settings(compute_threads=2, session_queue=3))) as url:
        yield url


def new(url: str) -> str:
    path = f"{url}/v1/sessions/{httpx.post(f'{url}/v1/sessions').json()['id']}"
    assert send(path, create("x", [0.0])).status_code == 200
    return path


def send(path: str, *instructions: Any, seq: int | None = None, **headers: str) -> httpx.Response:
    document = {"instructions": list(instructions)} | ({} if seq is None else {"seq": seq})
    return httpx.post(f"{path}/batch", json=document, timeout=60, headers=headers)


def value(path: str) -> float:
    data: list[float] = httpx.get(f"{path}/tensors/x").json()["data"]
    return data[0]


def training(number: int) -> list[list[dict[str, Any]]]:
    """The batches of a small training, another one for every number."""
    begin = [
        {"do": "seed", "value": number},
        op("w", "randn", 8, kwargs={"requires_grad": True}),
        op("data", "rand", 32, 8),
        create("target", [float(number)] * 32),
    ]
    step = [
        op("p", "matmul", "data", "w"),
        op("loss", "nn.functional.mse_loss", "p", "target"),
        backward("loss"),
        op(None, "sub_", "w", "w.grad", kwargs={"alpha": 0.05}, no_grad=True),
        op(None, "zero_", "w.grad"),
        {"do": "read", "name": "loss"},
        {"do": "delete", "names": ["p", "loss"]},
    ]
    return [begin, *[step] * 3, [{"do": "read", "name": "w"}]]


def test_64_sessions_at_once_are_the_same_as_one_after_the_other() -> None:
    numbers = range(64)

    def train(number: int) -> list[Any]:
        path = f"{url}/v1/sessions/{client.post(f'{url}/v1/sessions').json()['id']}"
        answers = []
        for seq, batch in enumerate(training(number), start=1):
            answer = client.post(f"{path}/batch", json={"seq": seq, "instructions": batch})
            assert answer.status_code == 200, answer.text
            answers.append(answer.json()["results"])
        return answers

    with running(create_app(Settings(compute_threads=4))) as url, httpx.Client(timeout=60) as client, ThreadPoolExecutor(16) as callers:
        together = list(callers.map(train, numbers))
        assert together == [train(number) for number in numbers]
    losses = [[batch[5]["value"]["data"] for batch in answers[1:-1]] for answers in together]
    assert all(later < earlier for loss in losses for earlier, later in pairwise(loss))


def test_two_clients_of_one_session_take_turns(url: str) -> None:
    path = new(url)
    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(lambda _: send(path, *STEP), range(40)))
    seen = sorted((answer.json()["seq"], answer.json()["results"][1]["value"]["data"][0]) for answer in answers)
    assert seen == [(seq, float(seq - 1)) for seq in range(2, 42)]


def test_two_clients_that_use_the_same_number(url: str) -> None:
    path = new(url)
    with ThreadPoolExecutor(4) as clients:
        alike = list(clients.map(lambda _: send(path, *STEP, seq=2), range(4)))
        unlike = list(clients.map(lambda i: send(path, op(None, "add_", "x", i), seq=3), range(4)))
    assert {answer.content for answer in alike} == {alike[0].content}
    assert sorted(answer.status_code for answer in unlike) == [200, 409, 409, 409]
    assert {problem_code(answer) for answer in unlike if answer.status_code == 409} == {"seq_reused"}
    assert value(path) == 1.0 + next(i for i, answer in enumerate(unlike) if answer.status_code == 200)


def problem_code(answer: httpx.Response) -> str:
    code: str = answer.json()["code"]
    return code


def test_sessions_work_beside_each_other(url: str) -> None:
    slow, quick = new(url), new(url)
    with ThreadPoolExecutor(1) as callers:
        job = callers.submit(send, slow, {"do": "pause", "seconds": 2.0})
        time.sleep(0.2)
        for _ in range(5):
            assert send(quick, {"do": "pause", "seconds": 0}, *STEP).status_code == 200
        assert httpx.get(slow).json()["seq"] == 1
        assert not job.done()
        assert job.result().json()["seq"] == 2


def test_calls_that_wait_for_a_session_hold_no_thread(url: str) -> None:
    slow, quick = new(url), new(url)
    with ThreadPoolExecutor(4) as callers:
        jobs = [callers.submit(send, slow, {"do": "pause", "seconds": 0.6}) for _ in range(4)]
        time.sleep(0.2)
        assert send(quick, {"do": "pause", "seconds": 0}, *STEP).status_code == 200
        assert sum(job.done() for job in jobs) <= 2
        assert sorted(job.result().json()["seq"] for job in jobs) == [2, 3, 4, 5]


def test_the_queue_of_a_session_is_bounded(url: str) -> None:
    path = new(url)
    with ThreadPoolExecutor(4) as callers:
        jobs = [callers.submit(send, path, {"do": "pause", "seconds": 0.4}) for _ in range(4)]
        time.sleep(0.3)
        refused = send(path, *STEP, seq=6)
        assert problem(refused) == (429, "session_busy")
        assert refused.headers["retry-after"] == "1"
        assert problem(httpx.get(f"{path}/tensors/x")) == (429, "session_busy")
        assert httpx.get(path).status_code == 200
        assert [job.result().status_code for job in jobs] == [200] * 4
    assert send(path, *STEP, seq=6).status_code == 200


def test_a_batch_whose_turn_does_not_come_in_time_uses_no_number_up(url: str) -> None:
    path = new(url)
    with ThreadPoolExecutor(1) as callers:
        job = callers.submit(send, path, {"do": "pause", "seconds": 1.0})
        time.sleep(0.2)
        late = send(path, *STEP, seq=3, **{"Request-Timeout": "0.2"})
        assert problem(late) == (504, "deadline_exceeded")
        assert job.result().status_code == 200
    assert send(path, *STEP, seq=3).status_code == 200
    assert value(path) == 1.0


def test_a_batch_that_runs_out_of_time_says_how_far_it_came(url: str) -> None:
    path = new(url)
    answer = send(path, *STEP, {"do": "pause", "seconds": 0.5}, *STEP, seq=2, **{"Request-Timeout": "0.3"})
    body = answer.json()
    assert (answer.status_code, body["code"], body["seq"], body["instruction"]) == (504, "deadline_exceeded", 2, 3)
    assert body["results"][1]["value"]["data"] == [1.0]
    assert send(path, *STEP, seq=3).json()["results"][1]["value"]["data"] == [2.0]


@pytest.mark.parametrize("wait", [0.0, 0.3], ids=["at once", "later"])
@pytest.mark.parametrize(
    "instructions",
    [
        [*STEP, {"do": "pause", "seconds": 0.6}, *STEP],
        [*STEP, {"do": "pause", "seconds": 0.6}, op("y", "mull", "x", 2)],
        [*STEP, op("y", "mul", "x", 2), {"do": "pause", "seconds": 0.6}, backward("y")],
    ],
    ids=["succeeds", "fails", "fails late"],
)
def test_a_caller_who_goes_away_and_comes_back_finds_it_done_once(url: str, instructions: list[Any], wait: float) -> None:
    path = new(url)
    body = json.dumps({"seq": 2, "instructions": instructions}).encode()
    with sockets.connect(url) as client:
        client.sendall(sockets.post(body, path=path.removeprefix(url) + "/batch"))
        time.sleep(wait)
    done = sum(i == STEP[0] for i in instructions)
    answers = [httpx.post(f"{path}/batch", content=body, headers={"content-type": "application/json"}, timeout=30) for _ in range(2)]
    assert answers[0].json()["seq"] == 2
    assert answers[0].content == answers[1].content
    assert value(path) == done


def test_a_caller_who_goes_away_from_the_queue_and_comes_back(url: str) -> None:
    path = new(url)
    body = json.dumps({"seq": 3, "instructions": STEP}).encode()
    with ThreadPoolExecutor(1) as callers:
        job = callers.submit(send, path, {"do": "pause", "seconds": 0.6}, seq=2)
        time.sleep(0.2)
        with sockets.connect(url) as client:
            client.sendall(sockets.post(body, path=path.removeprefix(url) + "/batch"))
            time.sleep(0.1)
        assert job.result().status_code == 200
    answer = httpx.post(f"{path}/batch", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["seq"]) == (200, 3)
    assert value(path) == 1.0


def test_a_body_that_breaks_off_is_no_batch(url: str) -> None:
    path = new(url)
    body = json.dumps({"seq": 2, "instructions": STEP}).encode()
    with sockets.connect(url) as client:
        client.sendall(sockets.post(body[:-10], path=path.removeprefix(url) + "/batch", length=len(body)))
        time.sleep(0.1)
    time.sleep(0.2)
    assert httpx.get(path).json()["seq"] == 1
    assert send(path, *STEP, seq=2).status_code == 200
    assert value(path) == 1.0


def test_a_session_that_is_deleted_while_it_works_still_answers(url: str) -> None:
    path = new(url)
    with ThreadPoolExecutor(2) as callers:
        job = callers.submit(send, path, {"do": "pause", "seconds": 1.0}, *STEP)
        time.sleep(0.2)
        waiting = callers.submit(send, path, *STEP)
        time.sleep(0.1)
        assert httpx.delete(path).status_code == 204
        assert not job.done()
        assert problem(httpx.get(path)) == (404, "unknown_session")
        assert job.result().json()["results"][2]["value"]["data"] == [1.0]
        assert problem(waiting.result()) == (404, "unknown_session")


def test_what_expires_goes_without_anyone_asking() -> None:
    services = engine_services()
    with running(create_app(Settings(), services)) as url:
        path = f"{url}/v1/sessions/{httpx.post(f'{url}/v1/sessions', json={'ttl_seconds': 0.3}).json()['id']}"
        assert send(path, op("x", "ones", 100_000)).status_code == 200
        deadline = time.monotonic() + 10
        while services.sessions._memory.used:  # type: ignore[attr-defined]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert problem(httpx.get(path)) == (404, "unknown_session")


PROGRAM = """
import sys, threading, time
import uvicorn
from gradwire_server.app import create_app
from gradwire_server.serving import listen, url_of
from gradwire_server.services.sessions.instructions import INSTRUCTIONS
from gradwire_server.services.sessions.instructions.table import instruction
from gradwire_server.settings import Settings

def pause(run, spec, at):
    run.walk(10**9)
    time.sleep(spec["seconds"])
    print("paused", flush=True)

INSTRUCTIONS["pause"] = instruction(pause, "seconds")
listener = listen("127.0.0.1", 0)
print(url_of(listener), flush=True)
uvicorn.Server(uvicorn.Config(create_app(Settings()), ws="none", log_config=None, timeout_graceful_shutdown=10)).run([listener])
"""


def test_a_server_that_stops_lets_batches_end_though_nobody_waits() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
                path = f"{url}/v1/sessions/{client.post(f'{url}/v1/sessions').json()['id']}"
            with sockets.connect(url) as connection:
                body = json.dumps({"instructions": [{"do": "pause", "seconds": 1.0}]}).encode()
                connection.sendall(sockets.post(body, path=path.removeprefix(url) + "/batch"))
                time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            # The log is on the same stream.
            lines = process.stdout.read().splitlines()
            assert "paused" in lines
            assert process.wait(10) == -signal.SIGTERM
        finally:
            process.kill()


def test_collecting_garbage_in_another_thread_does_not_disturb_the_count() -> None:
    caller = Caller()
    stop = threading.Event()

    def collect() -> None:
        while not stop.is_set():
            gc.collect()

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        for _ in range(10):
            caller.do(create("x", [1.0, 2.0], requires_grad=True), op("y", "mul", "x", "x"), op("s", "sum", "y"))
            caller.do(backward("s", create_graph=True), {"do": "delete", "names": ["x", "y", "s"]})
    finally:
        stop.set()
        thread.join()
    gc.collect()
    assert caller.used() == caller.service._memory.used < 500
