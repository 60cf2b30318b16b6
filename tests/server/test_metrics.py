from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from starlette.types import ASGIApp

from gradwire_engine.errors import LimitError
from gradwire_server.metrics import Metrics
from tests.server.support import app, call


def sample(application: ASGIApp, name: str) -> float:
    lines = call(application, "GET", "/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_requests_are_counted_by_route_template() -> None:
    application = app()
    call(application, "POST", "/v1/evaluate", json={})
    call(application, "POST", "/v1/evaluate", content=b"{")
    call(application, "GET", "/v1/ops/mul")
    call(application, "GET", "/v1/ops/add")
    call(application, "HEAD", "/healthz")
    assert sample(application, 'gradwire_requests_total{method="POST",route="/v1/evaluate",status="200"}') == 1
    assert sample(application, 'gradwire_requests_total{method="POST",route="/v1/evaluate",status="415"}') == 1
    assert sample(application, 'gradwire_requests_total{method="GET",route="/v1/ops/{name}",status="200"}') == 2
    assert sample(application, 'gradwire_requests_total{method="HEAD",route="/healthz",status="200"}') == 1
    assert sample(application, 'gradwire_request_seconds_count{method="POST",route="/v1/evaluate"}') == 2


def test_paths_and_methods_from_outside_make_no_new_series() -> None:
    application = app()
    for number in range(20):
        call(application, f"WEIRD{number}", f"/nowhere/{number}")
    assert sample(application, 'gradwire_requests_total{method="other",route="unmatched",status="404"}') == 20


def test_a_refused_request_is_known_by_its_path() -> None:
    application = app(max_body_bytes=10)
    call(application, "POST", "/v1/evaluate", content=b"x" * 11)
    assert sample(application, 'gradwire_requests_total{method="POST",route="/v1/evaluate",status="413"}') == 1
    assert sample(application, 'gradwire_refused_total{reason="body_too_large"}') == 1


def test_only_refusals_count_as_refused() -> None:
    def too_large(document: object, **_: object) -> dict[str, object]:
        raise LimitError("Too large.")

    application = app(too_large)
    call(application, "POST", "/v1/evaluate", json={})
    call(application, "GET", "/nowhere")
    assert sample(application, "gradwire_refused_total") == 1
    assert sample(application, 'gradwire_refused_total{reason="limit_exceeded"}') == 1


def test_bytes_and_compute_seconds() -> None:
    application = app()
    call(application, "POST", "/v1/evaluate", content=b'{"a":1}', headers={"content-type": "application/json"})
    assert sample(application, 'gradwire_request_body_bytes_total{route="/v1/evaluate"}') == 7
    assert sample(application, 'gradwire_response_body_bytes_total{route="/v1/evaluate"}') == len('{"echo":{"a":1}}')
    assert sample(application, 'gradwire_compute_seconds_count{where="inline"}') == 1
    assert 0 < sample(application, 'gradwire_compute_seconds_sum{where="inline"}') < 1


def test_the_scrape_itself_is_in_flight() -> None:
    assert sample(app(), "gradwire_requests_in_flight") == 1


def test_applications_in_one_process_have_numbers_of_their_own() -> None:
    first, second = Metrics(), Metrics()
    first.request("/a", "GET", 200, 0.1, 1, 1)
    assert b'route="/a"' in first.exposition()
    assert b'route="/a"' not in second.exposition()


PROGRAM = """
import os
from gradwire_server.metrics import Metrics
child = os.fork()
metrics = Metrics()
metrics.request("/a", "GET", 200, 0.1, 1, 1)
metrics.in_flight.inc()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
Metrics()
text = Metrics().exposition().decode()
assert 'gradwire_requests_total{method="GET",route="/a",status="200"} 2.0' in text, text
assert 'gradwire_requests_in_flight 1.0' in text, text
"""


def test_several_processes_answer_together_and_a_dead_one_is_not_in_flight(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
