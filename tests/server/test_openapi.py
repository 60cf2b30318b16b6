"""The OpenAPI document against its copy in ``openapi.json``.

After a change on purpose: ``python -m gradwire_server.openapi > tests/server/openapi.json``
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradwire_server.app import build_api, build_context
from gradwire_server.errors import PROBLEM_TYPE
from gradwire_server.openapi import openapi_document
from gradwire_server.schemas import examples
from gradwire_server.settings import Settings
from tests.server.support import app, call, services

COPY = Path(__file__).with_name("openapi.json")
Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    answer: Document = call(app(), "GET", "/openapi.json").json()
    return answer


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_the_document_is_the_one_that_was_agreed_on(document: Document) -> None:
    assert document == json.loads(COPY.read_bytes()), __doc__


def test_it_does_not_depend_on_the_settings(document: Document) -> None:
    settings = Settings(nodes=3, max_body_bytes=9, cors_origins=("*",), api_keys=("sha256:" + "0" * 64,))
    assert openapi_document(build_api(build_context(settings, services()))) == document


def test_every_reference_leads_somewhere(document: Document) -> None:
    schemas = document["components"]["schemas"]
    assert {reference.removeprefix("#/components/schemas/") for reference in references(document)} == set(schemas)


def test_every_operation_is_explained(document: Document) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"].endswith("."), name
        assert operation["tags"], name


def test_every_error_is_a_problem(document: Document) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == [PROBLEM_TYPE], (name, status)
                assert response["content"][PROBLEM_TYPE]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_the_page_offers_every_example_with_its_answer(document: Document) -> None:
    operation = document["paths"]["/v1/evaluate"]["post"]
    offered = operation["requestBody"]["content"]["application/json"]["examples"]
    assert set(offered) == set(examples.REQUESTS)
    assert all(example["summary"] and example["description"].endswith(".") for example in offered.values())
    answered = operation["responses"]["200"]["content"]["application/json"]["examples"]
    assert set(answered) <= set(offered)
    assert len(answered) >= 7
    assert operation["responses"]["422"]["content"][PROBLEM_TYPE]["examples"]["error"]["value"]["status"] == 422
