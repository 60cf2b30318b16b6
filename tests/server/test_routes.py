from __future__ import annotations

from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from starlette.routing import Route

from gradwire_engine.limits import Limits
from gradwire_server.app import build_api, build_context
from gradwire_server.routing import AsgiRoute
from gradwire_server.schemas.info import Info, OpDescription, Status
from gradwire_server.services import engine_services
from gradwire_server.settings import Settings
from tests.server.support import app, busy, call, problem, services


def test_a_program_goes_to_the_service_and_its_answer_comes_back() -> None:
    answer = call(app(), "POST", "/v1/evaluate", json={"inputs": {"x": [1, 2]}})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"echo": {"inputs": {"x": [1, 2]}}}


def test_arrays_are_written_in_the_encoding_that_was_asked_for() -> None:
    def evaluate(document: Any, **_: Any) -> dict[str, Any]:
        return {"x": {"data": np.array([1.0, 2.0], np.float32), "dtype": "float32", "shape": [2]}}

    as_list = call(app(evaluate), "POST", "/v1/evaluate", json={}).json()["x"]
    as_base64 = call(app(evaluate), "POST", "/v1/evaluate?encoding=base64", json={}).json()["x"]
    assert as_list["data"] == [1.0, 2.0]
    assert np.frombuffer(b64decode(as_base64["base64"]), "<f4").tolist() == [1.0, 2.0]


@pytest.mark.parametrize("body", [b"", b"{", b'{"x": NaN}', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json(body: bytes) -> None:
    assert problem(call(app(), "POST", "/v1/evaluate", content=body, headers={"content-type": "application/json"})) == (
        400,
        "malformed_json",
    )


def test_the_settings_are_the_limits_of_a_large_program() -> None:
    seen: list[Limits] = []

    def evaluate(document: Any, *, limits: Limits, **_: Any) -> dict[str, Any]:
        seen.append(limits)
        return {}

    call(app(evaluate, nodes=5, tensor_bytes=6, program_bytes=7), "POST", "/v1/evaluate", json={"x": "a" * 20_000})
    assert seen == [Limits(tensor_bytes=6, program_bytes=7, nodes=5)]


def test_a_deadline_is_answered_with_504() -> None:
    answer = call(app(busy), "POST", "/v1/evaluate", json={"seconds": 5}, headers={"Request-Timeout": "0.1"})
    assert problem(answer) == (504, "deadline_exceeded")
    assert (
        problem(call(app(busy, request_seconds=0.1), "POST", "/v1/evaluate", json={"seconds": 5}, headers={"Request-Timeout": "9"}))[0]
        == 504
    )


def test_operations_in_pages() -> None:
    application = app()
    everything = call(application, "GET", "/v1/ops").json()
    assert [op["name"] for op in everything["items"]] == ["add", "mul", "nn.functional.relu"]
    assert everything["next"] is None
    first = call(application, "GET", "/v1/ops?limit=2").json()
    second = call(application, "GET", f"/v1/ops?limit=2&cursor={first['next']}").json()
    assert [op["name"] for op in first["items"] + second["items"]] == ["add", "mul", "nn.functional.relu"]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x"])
def test_a_page_of_no_size(query: str) -> None:
    answer = call(app(), "GET", f"/v1/ops?{query}")
    assert problem(answer) == (422, "invalid_parameter")
    assert "'limit'" in answer.json()["detail"]


def test_one_operation() -> None:
    assert call(app(), "GET", "/v1/ops/nn.functional.relu").json() == {"name": "nn.functional.relu"}
    answer = call(app(), "GET", "/v1/ops/mull")
    assert problem(answer) == (404, "unknown_op")
    assert "Did you mean 'mul'?" in answer.json()["detail"]


def test_info_has_versions_and_limits() -> None:
    body = call(app(nodes=5, max_body_bytes=6, request_seconds=1.5, requests_in_flight=8, compute_threads=3), "GET", "/v1/info").json()
    Info.model_validate(body)
    assert (body["api"], body["ops"]) == ("v1", "abc123")
    assert body["version"][0].isdigit()
    limits = body["limits"]
    assert (limits["nodes"], limits["body_bytes"], limits["request_seconds"]) == (5, 6, 1.5)
    assert (limits["requests_in_flight"], limits["compute_threads"]) == (8, 3)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes(path: str) -> None:
    Status.model_validate(call(app(), "GET", path).json())
    assert call(app(), "HEAD", path).status_code == 200


@pytest.mark.parametrize("path", ["/v1/info", "/v1/ops", "/v1/ops/mul", "/metrics", "/docs", "/openapi.json"])
def test_head_is_answered_wherever_get_is(path: str) -> None:
    application = app()
    assert call(application, "HEAD", path).status_code == call(application, "GET", path).status_code == 200


def test_the_hot_path_does_not_go_through_fastapi() -> None:
    api = build_api(build_context(Settings(), services()))
    direct = {route.path for route in api.routes if isinstance(route, AsgiRoute)}
    sessions = {route.path for route in api.routes if isinstance(route, Route) and route.path.startswith("/v1/sessions")}
    functions = {route.path for route in api.routes if isinstance(route, Route) and route.path.startswith("/v1/functions")}
    assert (len(sessions), len(functions)) == (6, 13)
    assert direct == {"/v1/evaluate", "/healthz", "/readyz", *sessions, *functions}


def test_every_operation_is_described_as_the_schema_says() -> None:
    described = engine_services().list_ops()
    assert len(described) > 100
    for op in described:
        OpDescription.model_validate(op)
