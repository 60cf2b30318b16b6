"""Callers who send or take nothing, or too little: the server waits for a while and then for others."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from scripts.running import running_server
from tests.server.sockets import PROGRAM, connect, ends, get, post, read_answer

OPTIONS = {"header-seconds": 0.6, "body-seconds": 0.8, "write-seconds": 2, "requests-in-flight": 2, "bodies-bytes": 3_000_000}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_server(*(word for name, value in OPTIONS.items() for word in (f"--{name}", str(value)))) as url:
        yield url


def test_a_connection_without_a_request_is_closed(url: str) -> None:
    with connect(url) as client:
        assert 0.3 < ends(client) < 5


@pytest.mark.parametrize("before", [b"", get(), b"\r\n"], ids=["first", "second", "empty line"])
def test_headers_that_do_not_come(url: str, before: bytes) -> None:
    with connect(url) as client:
        client.sendall(before)
        if b"GET" in before:
            assert read_answer(client).status == 200
        start = time.monotonic()
        client.sendall(b"GET /healthz HTTP/1.1\r\n")
        # Sending a little now and then gains no time.
        client.settimeout(0.1)
        while time.monotonic() - start < 5:
            client.sendall(b"X: y\r\n")
            try:
                answer = read_answer(client)
            except TimeoutError:
                continue
            assert answer.problem() == (408, "header_timeout")
            assert answer.json["detail"] == "The headers of the request did not arrive within 0.6 seconds."
            assert time.monotonic() - start > 0.5
            return
    raise AssertionError("The connection stays open.")


def test_empty_lines_are_no_request(url: str) -> None:
    with connect(url) as client:
        client.sendall(get())
        assert read_answer(client).status == 200
        client.sendall(b"\r\n")
        assert ends(client) < 5


def test_a_body_that_does_not_come(url: str) -> None:
    with connect(url) as client:
        client.sendall(post(PROGRAM[:10], length=100))
        answer = read_answer(client)
        assert answer.problem() == (408, "body_timeout")
        assert answer.json["detail"] == "The body of the request did not arrive within 0.8 seconds."
        assert ends(client) < 5


def test_a_body_that_nobody_waits_for(url: str) -> None:
    with connect(url) as client:
        client.sendall(get("/healthz", "Content-Length: 100") + b"never")
        assert read_answer(client).status == 200
        assert 0.3 < ends(client) < 5


def test_a_request_behind_a_long_one_is_not_late(url: str) -> None:
    nodes = [{"name": "m0", "op": "full", "args": [[500, 500], 0.001]}]
    nodes += [{"name": f"m{i}", "op": "matmul", "args": [f"m{i - 1}", "m0"]} for i in range(1, 150)]
    with connect(url) as client:
        client.sendall(post(json.dumps({"nodes": nodes, "outputs": ["m0"]}).encode()) + post(PROGRAM[:10], length=len(PROGRAM)))
        assert read_answer(client).status == 200
        client.sendall(PROGRAM[10:])
        assert read_answer(client).status == 200


def in_flight(url: str) -> float:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    # This request is one of them.
    return next(float(line.split()[1]) for line in lines if line.startswith("gradwire_requests_in_flight ")) - 1


BIG = b'{"nodes":[{"name":"x","op":"zeros","args":[[6000000]]}],"outputs":["x"]}'


def ask_for_much(url: str) -> socket.socket:
    client = connect(url, receive_bytes=64 * 1024)
    client.sendall(post(BIG, path="/v1/evaluate?encoding=base64"))
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    return client


def test_an_answer_that_is_not_taken_is_in_flight_until_it_is_given_up(url: str) -> None:
    callers = [ask_for_much(url) for _ in range(2)]
    assert in_flight(url) == 2
    refused = httpx.post(f"{url}/v1/evaluate", content=PROGRAM, headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    deadline = time.monotonic() + 12
    while in_flight(url):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert httpx.post(f"{url}/v1/evaluate", content=PROGRAM, headers={"Content-Type": "application/json"}).status_code == 200
    for caller in callers:
        with caller:
            assert ends(caller) < 5


def test_an_answer_that_is_taken_slowly_arrives(url: str) -> None:
    with ask_for_much(url) as client:
        start = time.monotonic()
        arrived = 15
        while True:
            slow = time.monotonic() - start < 4.5
            data = client.recv(32 * 1024 if slow else 2**20)
            assert data
            arrived += len(data)
            if arrived > 32_000_000:
                break
            # So little that what the server hands over at a time lasts longer than it waits for a caller who takes nothing.
            time.sleep(0.15 if slow else 0)
        assert time.monotonic() - start > 2


def test_bodies_of_all_requests_together(url: str) -> None:
    filler = b'{"x":"' + b"a" * 1_900_000
    with connect(url) as first, connect(url) as second:
        first.sendall(post(filler, length=2_000_000))
        time.sleep(0.1)
        second.sendall(post(filler, length=2_000_000))
        refused = read_answer(second)
        assert refused.problem() == (503, "too_many_bytes")
        assert refused.headers["retry-after"] == "1"
        assert read_answer(first).problem() == (408, "body_timeout")
    # What was held is given back.
    answer = httpx.post(f"{url}/v1/evaluate", content=filler + b'"}', headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_field")
    lines = httpx.get(f"{url}/metrics").text
    assert 'gradwire_refused_total{reason="too_many_bytes"} 1.0' in lines
