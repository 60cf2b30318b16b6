"""The examples of the documentation page, each sent to the server."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gradwire_server.app import create_app
from gradwire_server.schemas import examples
from gradwire_server.schemas.evaluate import EvaluateAnswer, EvaluateRequest
from gradwire_server.schemas.problem import Problem
from gradwire_server.settings import Settings
from tests.server.support import call


def approximately(expected: Any) -> Any:
    """``expected`` with float32's tolerance for every number in it."""
    if isinstance(expected, dict):
        return {name: approximately(value) for name, value in expected.items()}
    if isinstance(expected, list):
        return [approximately(value) for value in expected]
    return pytest.approx(expected, rel=1e-6) if isinstance(expected, float) else expected


@pytest.mark.parametrize("name", examples.REQUESTS)
def test_the_server_answers_what_the_page_says(name: str) -> None:
    request = examples.REQUESTS[name]["value"]
    EvaluateRequest.model_validate(request)
    answer = call(create_app(Settings()), "POST", "/v1/evaluate", json=request)
    body = answer.json()
    if name == "error":
        assert body.pop("request_id") == answer.headers["x-request-id"]
        assert answer.status_code == 422
    else:
        assert answer.status_code == 200, body
        EvaluateAnswer.model_validate(body)
    if name == "graph":
        assert sorted(node["grad_fn"] for node in body.pop("graph")["nodes"]) == examples.GRAPH_GRAD_FNS
    assert body == approximately(examples.ANSWERS[name])


def test_every_request_has_an_answer() -> None:
    assert set(examples.REQUESTS) == set(examples.ANSWERS)


def test_the_error_that_is_shown_is_a_problem() -> None:
    Problem.model_validate(examples.shown_error()["value"])


@pytest.mark.parametrize("name", examples.REQUESTS)
def test_the_page_may_write_whole_numbers_without_a_point(name: str) -> None:
    # As browsers do: JSON.stringify(1.0) is "1".
    written = re.sub(r"\b(\d+)\.0\b", r"\1", json.dumps(examples.REQUESTS[name]["value"]))
    answer = call(create_app(Settings()), "POST", "/v1/evaluate", content=written, headers={"Content-Type": "application/json"})
    assert answer.status_code == (422 if name == "error" else 200), answer.text
    if name == "error":
        assert answer.json()["detail"] == examples.ANSWERS["error"]["detail"]
