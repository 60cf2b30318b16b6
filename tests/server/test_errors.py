from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from structlog.testing import capture_logs

from gradwire_engine import errors as engine
from gradwire_server import errors
from gradwire_server.errors import Problem
from gradwire_server.wire import MalformedJson
from tests.server.support import app, call, problem

TABLE: list[tuple[Exception, int, str]] = [
    (MalformedJson("This is no JSON."), 400, "malformed_json"),
    (errors.Unauthorized("No key."), 401, "unauthorized"),
    (errors.NotFound("No such thing."), 404, "not_found"),
    (errors.MethodNotAllowed("PUT", "/v1/info", {"GET", "HEAD"}), 405, "method_not_allowed"),
    (errors.NotAcceptable("Not JSON."), 406, "not_acceptable"),
    (errors.BodyTimeout("Too slow."), 408, "body_timeout"),
    (errors.BodyTooLarge(10, "11"), 413, "body_too_large"),
    (errors.UnsupportedMediaType("XML."), 415, "unsupported_media_type"),
    (errors.InvalidParameter("Wrong."), 422, "invalid_parameter"),
    (engine.ProgramError("Not well formed."), 422, "invalid_program"),
    (engine.ProgramError("No such op.", code="unknown_op"), 422, "unknown_op"),
    (engine.TensorRuntimeError("Cannot be done."), 422, "runtime_error"),
    (engine.LinAlgError("Singular."), 422, "linalg_error"),
    (engine.TensorTypeError("Wrong type."), 422, "type_error"),
    (engine.TensorValueError("Wrong value."), 422, "value_error"),
    (engine.TensorIndexError("Out of range."), 422, "index_error"),
    (engine.TensorNotImplementedError("No derivative."), 422, "not_implemented"),
    (engine.LimitError("Too large."), 422, "limit_exceeded"),
    (errors.TooManyRequests(3), 429, "too_many_requests"),
    (engine.Cancelled("Gone."), 499, "cancelled"),
    (errors.ServerDraining(), 503, "draining"),
    (MemoryError("Unable to allocate 1 PiB"), 503, "out_of_memory"),
    (engine.DeadlineExceeded("Too late."), 504, "deadline_exceeded"),
    (RuntimeError("a bug"), 500, "internal_error"),
    (RecursionError("a bug"), 500, "internal_error"),
    (HTTPException(426), 426, "upgrade_required"),
]


def raising(error: Exception) -> Any:
    def evaluate(document: Any, **_: Any) -> dict[str, Any]:
        raise error

    return evaluate


@pytest.mark.parametrize(("error", "status", "code"), TABLE, ids=[f"{status}-{code}" for _, status, code in TABLE])
def test_every_exception_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    answer = call(app(raising(error)), "POST", "/v1/evaluate", json={})
    if not isinstance(error, HTTPException):
        assert problem(answer) == (status, code)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_every_class_of_the_engine_has_a_status_other_than_500() -> None:
    classes = [kind for kind in vars(engine).values() if isinstance(kind, type) and issubclass(kind, engine.GradwireError)]
    assert len(classes) > 10
    assert [kind for kind in classes if Problem.of(kind("Sentence.")).status == 500] == []


def test_every_class_of_the_server_is_in_the_table() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RequestError)]
    assert set(classes) - {errors.RequestError} <= set(errors.STATUSES)


def test_the_pointer_and_the_sentence_are_the_errors_own() -> None:
    error = engine.ProgramError("The name 'y' is not defined.", code="undefined_name", pointer="/nodes/3/args/1")
    body = call(app(raising(error)), "POST", "/v1/evaluate", json={}).json()
    assert (body["code"], body["detail"], body["pointer"]) == ("undefined_name", "The name 'y' is not defined.", "/nodes/3/args/1")
    assert (body["type"], body["title"]) == ("about:blank", "Unprocessable Content")


def test_headers_that_the_status_demands() -> None:
    assert call(app(raising(errors.TooManyRequests(3))), "POST", "/v1/evaluate", json={}).headers["retry-after"] == "1"
    assert call(app(raising(errors.ServerDraining())), "POST", "/v1/evaluate", json={}).headers["retry-after"] == "1"


def test_a_failure_is_in_the_log_and_not_in_the_answer() -> None:
    with capture_logs() as logs:
        answer = call(app(raising(KeyError("the secret of the server"))), "POST", "/v1/evaluate", json={}, headers={"x-request-id": "r-1"})
    assert problem(answer) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    (failure,) = [line for line in logs if line["event"] == "failure"]
    assert failure["request_id"] == "r-1"
    assert isinstance(failure["exc_info"], KeyError)
    assert failure["log_level"] == "error"


def test_an_error_of_the_callers_is_not_logged_as_a_failure() -> None:
    with capture_logs() as logs:
        call(app(raising(engine.TensorRuntimeError("Cannot be done."))), "POST", "/v1/evaluate", json={})
    assert [line["event"] for line in logs] == ["request"]


def test_half_a_surrogate_pair_in_a_message_can_be_answered() -> None:
    error = engine.ProgramError("There is no operation '\ud800'.", pointer="/nodes/0/\ud800")
    body = Problem.of(error).body("r")
    assert json.loads(body)["detail"] == "There is no operation '\\ud800'."
    assert json.loads(body)["pointer"] == "/nodes/0/\\ud800"


def test_without_a_request_there_is_no_request_id() -> None:
    assert "request_id" not in Problem.of(RuntimeError()).document()


@pytest.mark.parametrize(
    ("method", "path", "expected", "allow"),
    [
        ("GET", "/nowhere", (404, "not_found"), None),
        ("GET", "/v1/evaluate/", (404, "not_found"), None),
        ("GET", "/v1/evaluate", (405, "method_not_allowed"), "POST"),
        ("DELETE", "/v1/ops/mul", (405, "method_not_allowed"), "GET, HEAD"),
        ("POST", "/healthz", (405, "method_not_allowed"), "GET, HEAD"),
        ("POST", "/docs", (405, "method_not_allowed"), "GET, HEAD"),
        ("OPTIONS", "/v1/evaluate", (405, "method_not_allowed"), "POST"),
    ],
)
def test_wrong_paths_and_methods(method: str, path: str, expected: tuple[int, str], allow: str | None) -> None:
    answer = call(app(), method, path)
    assert problem(answer) == expected
    assert answer.headers.get("allow") == allow
