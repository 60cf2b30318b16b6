"""Requests beside each other neither change nor delay each other."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx


def document(k: int) -> dict[str, Any]:
    """A program that depends on ``k`` in its values, its seed, its default dtype and its shapes."""
    return {
        "inputs": {"x": {"data": [0.1 * k + i for i in range(k % 7 + 1)], "requires_grad": True}},
        "nodes": [
            {"name": "noise", "op": "rand", "args": [[k % 7 + 1]]},
            {"name": "s", "op": "sin", "args": ["x"]},
            {"name": "quiet", "op": "mul", "args": ["x", 3], "no_grad": True},
            {"name": "t", "op": "add", "args": ["s", "noise"]},
            {"name": "p", "op": "mul", "args": ["t", "quiet"]},
            {"name": "z", "op": "sum", "args": ["p"]},
        ],
        "outputs": ["z", "noise"],
        "backward": "z",
        "seed": k,
        "default_dtype": "float64" if k % 2 else "float32",
        "include": ["graph"],
    }


def test_64_at_a_time_give_what_one_after_the_other_does(server_url: str) -> None:
    documents = [document(k) for k in range(64)]
    with httpx.Client(base_url=server_url, timeout=60, limits=httpx.Limits(max_connections=64)) as client:

        def evaluate(body: dict[str, Any]) -> Any:
            while True:
                answer = client.post("/v1/evaluate", json=body)
                if answer.status_code != 429:
                    return answer.json()
                time.sleep(0.05)

        one_by_one = [evaluate(body) for body in documents]
        with ThreadPoolExecutor(64) as pool:
            together = list(pool.map(evaluate, documents))
    assert together == one_by_one
    assert len({answer["outputs"]["z"]["data"] for answer in one_by_one}) == 64
    assert all("grads" in answer for answer in one_by_one)


def test_healthz_answers_while_a_long_program_runs(server_url: str) -> None:
    # Products of 300x300 matrices, a few seconds' worth, stopped by its deadline.
    nodes = [{"name": "m0", "op": "full", "args": [[300, 300], 1e-3]}]
    nodes += [{"name": f"m{i}", "op": "matmul", "args": [f"m{i - 1}", "m0"]} for i in range(1, 1200)]
    body = {"nodes": nodes, "outputs": ["m1199"], "default_dtype": "float64"}
    statuses: list[int] = []

    def long_job() -> None:
        statuses.append(httpx.post(f"{server_url}/v1/evaluate", json=body, headers={"Request-Timeout": "2"}, timeout=60).status_code)

    thread = threading.Thread(target=long_job)
    thread.start()
    waits: list[float] = []
    with httpx.Client(base_url=server_url, timeout=30) as client:
        while thread.is_alive():
            start = time.perf_counter()
            assert client.get("/healthz").status_code == 200
            waits.append(time.perf_counter() - start)
            time.sleep(0.02)
    thread.join()
    assert statuses in ([200], [504])
    assert len(waits) > 5
    # The job takes seconds; a blocked event loop would keep one probe waiting for most of them.
    assert max(waits) < 0.5
