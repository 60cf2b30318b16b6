"""Registered functions on the documentation page."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_server.keys import hash_key
from tests.server.functions import LINEAR, SQUARES, Http, declared, function, node


def own(http: Http) -> dict[str, Any]:
    """The calls of functions that the document has, by path."""
    document = Http(http.application).request("GET", "/openapi.json").json()
    return {
        path: methods["post"] for path, methods in document["paths"].items() if methods.get("post", {}).get("tags") == ["your functions"]
    }


@pytest.mark.parametrize(
    "document",
    [
        SQUARES,
        LINEAR,
        function({"x": declared("n", 2, dtype="complex64")}, node("y", "abs", "x"), node("z", "sum", "y"), outputs=["y", "z"]),
        function({"x": declared(0, "n"), "k": declared(dtype="int64"), "m": declared(2, dtype="bool")}, node("y", "sum", "x")),
    ],
)
def test_every_function_can_be_called_as_the_page_shows_it(document: Any) -> None:
    http = Http()
    http.put("f", document)
    calls = own(http)
    assert "/v1/functions/f/evaluate" in calls
    for path, operation in calls.items():
        example = operation["requestBody"]["content"]["application/json"]["example"]
        assert operation["description"].endswith(".")
        answer = http.request("POST", path, json=example)
        assert answer.status_code == 200, answer.json()


def test_the_page_follows_what_is_registered() -> None:
    http = Http()
    assert own(http) == {}
    http.put("f", {**SQUARES, "description": "A sum of squares."})
    calls = own(http)
    assert list(calls) == ["/v1/functions/f/evaluate", "/v1/functions/f/value_and_grad"]
    assert all(call["summary"] == "f(x: float64[n]) -> (z: float64[])" for call in calls.values())
    assert all(call["description"].startswith("A sum of squares.") for call in calls.values())
    http.request("DELETE", "/v1/functions/f")
    assert own(http) == {}


def test_the_page_does_not_show_what_needs_a_key() -> None:
    http = Http(key="one", api_keys=(hash_key("one"),))
    assert http.put("f").status_code == 201
    assert own(http) == {}
