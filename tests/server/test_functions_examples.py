"""The examples of the documentation page, executed in the order of their numbers."""

from __future__ import annotations

import json
import re

from pydantic import BaseModel

from gradwire_server.routers.function_routes import documented
from gradwire_server.schemas import function_examples as examples
from tests.server.functions import Http
from tests.server.test_examples import approximately

MODELS: dict[str, type[BaseModel]] = {name: facts["request_model"] for name, facts in documented().items() if "request_model" in facts}


def test_executed_in_order_they_answer_what_the_page_says() -> None:
    http = Http()
    # As browsers do: JSON.stringify(1.0) is "1".
    for written in (lambda text: text, lambda text: re.sub(r"\b(\d+)\.0\b", r"\1", text)):
        for name, (operation, example) in examples.REQUESTS.items():
            MODELS[operation].model_validate(example["value"])
            path = "/v1/functions/rosenbrock"
            if operation != "put_function":
                path += "/" + operation.removesuffix("_function")
            text = written(json.dumps(example["value"]))
            method = "PUT" if operation == "put_function" else "POST"
            answer = http.request(method, path, content=text, headers={"Content-Type": "application/json"})
            assert answer.status_code in (200, 201), answer.json()
            if name in examples.ANSWERS:
                assert answer.json() == approximately(examples.ANSWERS[name]), name


def test_they_are_numbered_and_shown_with_their_calls() -> None:
    document = Http().request("GET", "/openapi.json").json()
    shown: dict[str, str] = {}
    for methods in document["paths"].values():
        for operation in methods.values():
            if operation["tags"] == ["functions"] and "requestBody" in operation:
                content = operation["requestBody"]["content"]["application/json"]
                shown |= dict.fromkeys(content["examples"], operation["operationId"])
    assert shown == {name: operation for name, (operation, _) in examples.REQUESTS.items()}
    for number, (name, (_, example)) in enumerate(examples.REQUESTS.items(), start=1):
        assert name.startswith(f"{number}_")
        assert example["summary"].startswith(f"{number}. ")
