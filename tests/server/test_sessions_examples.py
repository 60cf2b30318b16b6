"""The examples of the documentation page, executed in order in one session."""

from __future__ import annotations

import json
import re

from gradwire_server.app import create_app
from gradwire_server.schemas import session_examples as examples
from gradwire_server.schemas.problem import Problem
from gradwire_server.schemas.sessions import BatchAnswer, BatchRequest
from gradwire_server.settings import Settings
from tests.server.support import call
from tests.server.test_examples import approximately


def test_executed_in_order_they_answer_what_the_page_says() -> None:
    application = create_app(Settings())
    # As browsers do: JSON.stringify(1.0) is "1".
    for written in (lambda text: text, lambda text: re.sub(r"\b(\d+)\.0\b", r"\1", text)):
        path = call(application, "POST", "/v1/sessions").headers["location"]
        for name, example in examples.REQUESTS.items():
            BatchRequest.model_validate(example["value"])
            text = written(json.dumps(example["value"]))
            answer = call(application, "POST", f"{path}/batch", content=text, headers={"content-type": "application/json"})
            body = answer.json()
            expected = examples.ANSWERS[name]
            assert answer.status_code == expected.get("status", 200), body
            (BatchAnswer if answer.status_code == 200 else Problem).model_validate(body)
            body.pop("request_id", None)
            if "suspended" in body:
                assert len(body["suspended"].pop("expires_at")) == len(examples.EXPIRES_AT)
                body["suspended"]["expires_at"] = examples.EXPIRES_AT
            assert body == approximately(expected), name


def test_the_page_has_them_as_they_are() -> None:
    document = call(create_app(Settings()), "GET", "/openapi.json").json()
    content = document["paths"]["/v1/sessions/{id}/batch"]["post"]["requestBody"]["content"]
    assert content["application/json"]["examples"] == examples.REQUESTS
    answers = document["paths"]["/v1/sessions/{id}/batch"]["post"]["responses"]["422"]["content"]
    assert answers["application/problem+json"]["examples"] == examples.shown_errors()


def test_they_are_numbered_and_every_one_has_an_answer() -> None:
    assert list(examples.REQUESTS) == list(examples.ANSWERS)
    for number, (name, example) in enumerate(examples.REQUESTS.items(), start=1):
        assert name.startswith(f"{number}_")
        assert example["summary"].startswith(f"{number}. ")
    shown = examples.shown_answers() | examples.shown_errors()
    assert sorted(shown) == sorted(examples.REQUESTS)
