"""Minimising over HTTP: one answer, events, callers who go away, and the time that it takes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from gradwire_engine import attached
from gradwire_engine.minimize import Iteration
from gradwire_server import wire
from gradwire_server.app import create_app
from gradwire_server.keys import hash_key
from gradwire_server.schemas.functions import MinimizeAnswer
from gradwire_server.settings import Settings
from tests.server.functions import SQUARES, Http, declared
from tests.server.sockets import connect, post
from tests.server.support import problem, running
from tests.server.test_events import read_events

EVENTS = {"Accept": "text/event-stream"}
# Converges only after thousands of iterations.
LONG = {
    "inputs": {"x": declared("n")},
    "program": "left, right = x[:-1], x[1:]\nf = (100 * (right - left**2) ** 2 + (1 - left) ** 2).sum()",
    "outputs": ["f"],
}
LONG_CALL = {"inputs": {"x": [-1.2, 1.0] * 500}, "method": "CG", "options": {"gtol": 0, "maxiter": 10**6}}
PATH = "/v1/functions/f/minimize"


def http(document: Any = SQUARES, **settings: Any) -> Http:
    made = Http(**settings)
    made.put("f", document)
    return made


def test_one_answer() -> None:
    answer = http().call("f", "minimize", inputs={"x": [3.0, -4.0]})
    assert answer.status_code == 200
    body = answer.json()
    MinimizeAnswer.model_validate(body)
    assert list(body) == ["inputs", "value", "grads", "success", "message", "iterations", "evaluations"]
    assert body["success"]
    np.testing.assert_allclose(body["inputs"]["x"]["data"], [0, 0], atol=1e-5)


def test_base64_and_safetensors() -> None:
    caller = http()
    assert "base64" in caller.call("f", "minimize", "?encoding=base64", inputs={"x": [3.0, -4.0]}).json()["inputs"]["x"]
    document = {"inputs": {"x": {"data": np.array([3.0, -4.0]), "dtype": "float64", "shape": [2]}}, "bounds": {"x": [1, None]}}
    body = b"".join(bytes(piece) for piece in attached.pack(document, attached.REQUEST, wire.dumps))
    kind = "application/x-safetensors"
    answer = caller.request("POST", PATH, content=body, headers={"Content-Type": kind, "Accept": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    found = attached.unpack(answer.content, attached.RESPONSE, json.loads)
    assert found["inputs"]["x"]["data"].tolist() == [1.0, 1.0]


def test_events() -> None:
    answer = http().request("POST", PATH, json={"inputs": {"x": [3.0, -4.0]}, "method": "trust-ncg"}, headers=EVENTS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    found = read_events(answer.text)
    assert [name for name, _ in found][-1] == "result"
    iterations = [data for name, data in found if name == "iteration"]
    assert all(list(each) == ["iteration", "value", "gradient_norm", "step", "evaluations"] for each in iterations)
    assert iterations[0] == {"iteration": 0, "value": 25.0, "gradient_norm": 10.0, "step": 0.0, "evaluations": 1}
    result = found[-1][1]
    MinimizeAnswer.model_validate(result)
    assert (iterations[-1]["iteration"], iterations[-1]["evaluations"]) == (result["iterations"], result["evaluations"])


def test_what_is_wrong_with_the_call_is_answered_as_for_any_other() -> None:
    caller = http()
    for headers in ({}, EVENTS):
        answer = caller.request("POST", PATH, json={"inputs": {"x": [1.0]}, "method": "trust-ngc"}, headers=headers)
        assert problem(answer) == (422, "unknown_method")
        assert answer.json()["pointer"] == "/method"
        missing = caller.request("POST", "/v1/functions/g/minimize", json={"inputs": {"x": [1.0]}}, headers=headers)
        assert problem(missing) == (404, "unknown_function")
        cut = caller.request("POST", PATH, content=b"{", headers={**headers, "Content-Type": "application/json"})
        assert problem(cut) == (400, "malformed_json")


def test_only_this_call_has_events() -> None:
    answer = http().request("POST", "/v1/functions/f/evaluate", json={"inputs": {"x": [1.0]}}, headers=EVENTS)
    assert problem(answer) == (406, "not_acceptable")
    answer = http().request("POST", PATH, json={"inputs": {"x": [1.0]}}, headers={"Accept": "text/html"})
    assert problem(answer) == (406, "not_acceptable")


def test_functions_of_others_are_not_there() -> None:
    application = create_app(Settings(api_keys=(hash_key("one"), hash_key("two"))))
    one, two = Http(application, key="one"), Http(application, key="two")
    one.put("f")
    assert one.call("f", "minimize", inputs={"x": [1.0]}).status_code == 200
    assert problem(two.call("f", "minimize", inputs={"x": [1.0]})) == (404, "unknown_function")


@pytest.mark.parametrize("headers", [{}, EVENTS])
def test_when_the_time_is_over_there_is_a_result_all_the_same(headers: dict[str, str]) -> None:
    caller = http(LONG)
    began = time.monotonic()
    answer = caller.request("POST", PATH, json=LONG_CALL, headers={"Request-Timeout": "0.8", **headers})
    assert time.monotonic() - began < 5
    assert answer.status_code == 200
    found = read_events(answer.text)[-1][1] if headers else answer.json()
    assert (found["success"], found["iterations"] > 1) == (False, True)
    assert "as the time of the request was nearly over" in found["message"]


def test_where_not_even_one_evaluation_is_possible_in_the_time_there_is_none() -> None:
    program = "m = torch.full((600, 600), 0.001, dtype=torch.float64) * x\ny = m\n" + "y = y @ m\n" * 50 + "f = y.sum()"
    caller = http({"inputs": {"x": declared()}, "program": program, "outputs": ["f"]})
    call = {"inputs": {"x": 1.0}}
    answer = caller.request("POST", PATH, json=call, headers={"Request-Timeout": "0.3"})
    assert problem(answer) == (504, "deadline_exceeded")


class _Halts:
    """Stands for the service: says when a search is under way, and when and how it ended."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.ended = threading.Event()
        self.error: Exception | None = None

    def minimize(self, name: str, document: Any, *, check: Any, report: Any, **_: Any) -> dict[str, Any]:
        try:
            for number in range(10**9):
                report(Iteration(number, 1.0, 1.0, 0.0, number))
                self.running.set()
                check()
                time.sleep(0.001)
        except Exception as error:
            self.error = error
            raise
        finally:
            self.ended.set()
        return {}


@pytest.fixture
def halts(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, _Halts]]:
    made = _Halts()
    monkeypatch.setattr(
        "gradwire_server.services.functions.service.EngineFunctions.minimize", lambda _, *args, **more: made.minimize(*args, **more)
    )
    with running(create_app(Settings(compute_threads=1))) as url:
        yield url, made


@pytest.mark.parametrize("headers", [(), ("Accept: text/event-stream",)])
def test_the_search_ends_when_the_caller_hangs_up(halts: tuple[str, _Halts], headers: tuple[str, ...]) -> None:
    url, made = halts
    with connect(url) as client:
        client.sendall(post(b"{}", *headers, path=PATH))
        assert made.running.wait(10)
        if headers:
            assert client.recv(15) == b"HTTP/1.1 200 OK"
    assert made.ended.wait(5)
    assert type(made.error).__name__ == "Cancelled"
    # The one thread is free again.
    put = httpx.put(f"{url}/v1/functions/g", json=SQUARES)
    assert put.status_code == 201


def test_events_come_while_the_search_is_under_way(halts: tuple[str, _Halts]) -> None:
    url, made = halts
    numbers = []
    began = time.monotonic()
    with httpx.stream("POST", f"{url}{PATH}", json={}, headers=EVENTS, timeout=20) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                numbers.append(json.loads(line.removeprefix("data: "))["iteration"])
            if len(numbers) == 15:
                break
    assert not made.ended.is_set() or made.error is not None
    assert time.monotonic() - began > 13 * 0.045
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))
    assert made.ended.wait(5)


def test_probes_are_answered_while_searches_run() -> None:
    with running(create_app(Settings(compute_threads=2))) as url:
        httpx.put(f"{url}/v1/functions/f", json=LONG).raise_for_status()
        answers: list[httpx.Response] = []

        def search(headers: dict[str, str]) -> None:
            answers.append(httpx.post(f"{url}{PATH}", json=LONG_CALL, headers={"Request-Timeout": "4", **headers}, timeout=30))

        threads = [threading.Thread(target=search, args=(headers,)) for headers in ({}, EVENTS)]
        for thread in threads:
            thread.start()
        took = []
        with httpx.Client(base_url=url) as client:
            while any(thread.is_alive() for thread in threads):
                start = time.perf_counter()
                assert client.get("/healthz").status_code == 200
                took.append(time.perf_counter() - start)
                time.sleep(0.01)
        for thread in threads:
            thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert float(np.median(took)) < 0.1


def test_a_dry_run_is_one_answer_in_json() -> None:
    made = http(LONG)
    for headers in ({}, EVENTS):
        document = {"inputs": {"x": [0.5] * 10}, "method": "trust-exact"}
        answer = made.request("POST", f"{PATH}?dry_run=true", json=document, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        said = answer.json()
        assert (said["fits"], said["variables"], said["method"]) == (True, 10, "trust-exact")
        assert said["second_derivatives"]["hessian"] == {"x": {"x": {"dtype": "float64", "shape": [10, 10]}}}
    assert problem(made.request("POST", f"{PATH}?dry_run=perhaps", json=document)) == (422, "invalid_parameter")
