"""Probes while large documents are read and written."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from scripts.running import running_server

PLAIN = {"Content-Type": "application/json", "Accept-Encoding": "identity"}

# Many times what they take, and a fraction of what the documents take from the first byte to the last.
LONGEST = 0.4


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_server("--json-values", "100000000", "--answer-bytes", "1000000000", "--request-seconds", "60") as url:
        yield url


def probed_meanwhile(url: str, work: Callable[[], None]) -> list[float]:
    """How long probes took while ``work`` was done on the server, which must have been for a while."""
    thread = threading.Thread(target=work)
    took = []
    with httpx.Client(base_url=url, timeout=60) as client:
        client.get("/healthz")
        thread.start()
        while thread.is_alive():
            start = time.perf_counter()
            assert client.get("/healthz").status_code == 200
            took.append(time.perf_counter() - start)
            time.sleep(0.005)
    thread.join()
    return took


ANSWERS = {
    "numbers": '{"name":"x","op":"rand","args":[[24000000]]}',
    "pairs": '{"name":"x","op":"rand","args":[[4000000,2]]}',
    "NaN": '{"name":"x","op":"full","args":[[6000000],"NaN"]}',
    "complex": '{"name":"x","op":"rand","args":[[4000000]],"kwargs":{"dtype":"complex64"}}',
}


@pytest.mark.parametrize("name", ANSWERS)
def test_large_answers(url: str, name: str) -> None:
    sizes = []

    def ask() -> None:
        body = f'{{"nodes":[{ANSWERS[name]}],"outputs":["x"]}}'
        with httpx.stream("POST", f"{url}/v1/evaluate", content=body, headers=PLAIN, timeout=60) as answer:
            assert answer.status_code == 200
            sizes.append(sum(map(len, answer.iter_raw())))

    assert max(probed_meanwhile(url, ask)) < LONGEST
    assert sizes[0] > 30_000_000


def fill(item: bytes, megabytes: int = 24) -> bytes:
    return item * (megabytes * 2**20 // len(item))


BODIES = {
    "ragged": (b'{"inputs":{"x":[' + fill(b"[1,2],") + b'[1]]},"outputs":["x"]}', 422, "ragged_tensor"),
    "deep": (b'{"inputs":{"x":[' + fill(b"[[[[[2]]]]],", 3) + b'[1]]},"outputs":["x"]}', 422, "ragged_tensor"),
    "large integers": (b'{"inputs":{"x":[' + fill(b"92233720368547758070000,") + b'1]},"outputs":["x"]}', 422, "integer_out_of_range"),
    "long integers": (b'{"inputs":{"x":[' + fill(b"9" * 4000 + b",") + b'1]},"outputs":["x"]}', 422, "integer_out_of_range"),
    "strings": (b'{"inputs":{"x":[' + fill(b'"NaN",', 6) + b'[1]]},"outputs":["x"]}', 422, "ragged_tensor"),
    "base64": (
        b'{"inputs":{"x":{"base64":"' + base64.b64encode(bytes(24 * 2**20)) + b'","dtype":"float64","shape":[3145728]}},"outputs":["y"]}',
        422,
        "undefined_name",
    ),
    "cut off": (b'{"inputs":{"x":[' + fill(b"-0,", 4), 400, "malformed_json"),
}


@pytest.mark.parametrize("name", BODIES)
def test_large_bodies(url: str, name: str) -> None:
    body, status, code = BODIES[name]
    answers = []

    def ask() -> None:
        answers.append(httpx.post(f"{url}/v1/evaluate", content=body, headers={"Content-Type": "application/json"}, timeout=60))

    assert max(probed_meanwhile(url, ask)) < LONGEST
    assert (answers[0].status_code, answers[0].json()["code"]) == (status, code)


def test_what_is_too_much_is_refused_before_it_is_read(server_url: str) -> None:
    keys = b",".join(b'"k%d":1' % number for number in range(3_000_000))
    bodies = [b'{"inputs":{' + keys + b'},"outputs":["k0"]}', b'{"inputs":{"x":[' + fill(b"1,", 60) + b'1]},"outputs":["x"]}']
    answers = []

    def ask() -> None:
        for body in bodies:
            answers.append(httpx.post(f"{server_url}/v1/evaluate", content=body, headers={"Content-Type": "application/json"}, timeout=60))

    assert max(probed_meanwhile(server_url, ask)) < LONGEST
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_values")
        assert "base64" in answer.json()["detail"]


def test_an_answer_that_is_too_large_in_lists_is_taken_in_base64(server_url: str) -> None:
    body = b'{"nodes":[{"name":"x","op":"full","args":[[26000000],0.123456789]}],"outputs":["x"]}'
    refused = httpx.post(f"{server_url}/v1/evaluate", content=body, headers={"Content-Type": "application/json"}, timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (422, "answer_too_large")
    assert "?encoding=base64" in refused.json()["detail"]
    with httpx.stream("POST", f"{server_url}/v1/evaluate?encoding=base64", content=body, headers=PLAIN, timeout=60) as answer:
        assert answer.status_code == 200
        assert sum(map(len, answer.iter_raw())) > 26_000_000 * 4 * 4 / 3
