"""What callers notice of each other, through a real HTTP server."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
from structlog.testing import capture_logs

from gradwire_engine.errors import Cancelled
from gradwire_engine.limits import Limits
from tests.server.support import app, busy, problem, running


def post(url: str, document: Any, **headers: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/evaluate", json=document, headers=headers, timeout=30)


def test_probes_answer_while_every_thread_computes() -> None:
    def sleepy(document: Any, *, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        if limits == Limits():
            time.sleep(document["seconds"])
            return {}
        time.sleep(0.003)
        check()
        raise AssertionError("a job that takes long is stopped where it blocks the loop")

    with running(app(sleepy, compute_threads=2)) as url, ThreadPoolExecutor(2) as callers:
        jobs = [callers.submit(post, url, {"seconds": 1.5}) for _ in range(2)]
        time.sleep(0.2)
        took = []
        with httpx.Client(base_url=url) as client:
            for _ in range(50):
                start = time.perf_counter()
                assert client.get("/healthz").status_code == 200
                took.append(time.perf_counter() - start)
        assert not any(job.done() for job in jobs)
        assert statistics.median(took) < 0.02
        assert [job.result().status_code for job in jobs] == [200, 200]


def test_many_at_once_get_the_answers_they_would_get_one_by_one() -> None:
    documents = [{"number": number, "data": [number] * (5000 * (number % 2))} for number in range(64)]
    with running(app()) as url, httpx.Client(base_url=url, timeout=30) as client, ThreadPoolExecutor(16) as callers:
        together = list(callers.map(lambda document: client.post("/v1/evaluate", json=document).json(), documents))
    assert together == [{"echo": document} for document in documents]


def test_one_request_too_many_is_told_to_come_back() -> None:
    with running(app(busy, requests_in_flight=2)) as url, ThreadPoolExecutor(2) as callers:
        jobs = [callers.submit(post, url, {"seconds": 1.0}) for _ in range(2)]
        time.sleep(0.3)
        refused = post(url, {"seconds": 0})
        assert problem(refused) == (429, "too_many_requests")
        assert refused.headers["retry-after"] == "1"
        assert httpx.get(f"{url}/healthz").status_code == httpx.get(f"{url}/metrics").status_code == 200
        assert [job.result().status_code for job in jobs] == [200, 200]
        assert post(url, {"seconds": 0}).status_code == 200


def test_a_caller_may_ask_for_less_time() -> None:
    with running(app(busy)) as url:
        start = time.monotonic()
        assert problem(post(url, {"seconds": 20}, **{"Request-Timeout": "0.2"})) == (504, "deadline_exceeded")
        assert time.monotonic() - start < 5


def test_a_caller_who_hangs_up_stops_the_program() -> None:
    stopped = threading.Event()

    def watched(document: Any, *, limits: Limits, check: Callable[[], None]) -> dict[str, Any]:
        try:
            return busy(document, limits=limits, check=check)
        except Cancelled:
            stopped.set()
            raise

    with capture_logs() as logs, running(app(watched)) as url:
        where = urlsplit(url)
        body = b'{"seconds": 20}'
        with socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=5) as caller:
            head = f"POST /v1/evaluate HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            caller.sendall(head.encode() + body)
            time.sleep(0.3)
            assert not stopped.is_set()
        assert stopped.wait(5)
        deadline = time.monotonic() + 5
        while not logs and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [(line["status"], line["code"]) for line in logs if line["event"] == "request"] == [(499, "cancelled")]


def test_a_body_that_trickles_in_is_given_up() -> None:
    with running(app(request_seconds=0.3)) as url:
        where = urlsplit(url)
        with socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=5) as caller:
            caller.sendall(b"POST /v1/evaluate HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
            assert b" 408 " in caller.recv(4096).splitlines()[0]


def test_a_body_over_the_limit_is_answered_while_it_is_sent() -> None:
    with running(app(max_body_bytes=1000)) as url:
        for content in (b"x" * 5_000_000, iter([b"x" * 1000] * 1000)):
            answer = httpx.post(f"{url}/v1/evaluate", content=content, headers={"content-type": "application/json"}, timeout=10)
            assert problem(answer) == (413, "body_too_large")
        assert post(url, {}).status_code == 200


def test_connections_do_not_wait_for_acknowledgements() -> None:
    with running(app()) as url, httpx.Client(base_url=url) as client:
        took = []
        for _ in range(20):
            start = time.perf_counter()
            client.post("/v1/evaluate", json={})
            took.append(time.perf_counter() - start)
    # Where the kernel holds back the second piece of an answer it is for 40 ms.
    assert statistics.median(took) < 0.03
