"""Sessions over HTTP: routes, formats, keys, and what every call has in common."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from typing import Any
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest
from starlette.types import ASGIApp

from gradwire_server.app import create_app
from gradwire_server.keys import hash_key
from gradwire_server.schemas.sessions import BatchRequest, SessionCreated, SessionDescription, SessionPage
from gradwire_server.schemas.tensor import TensorAnswer
from gradwire_server.settings import Settings
from tests.server.sessions import SQUARE, backward, create, op
from tests.server.support import call, problem


class Session:
    """A session of an application, and calls on it."""

    def __init__(self, application: ASGIApp | None = None, **settings: Any) -> None:
        self.application = application or create_app(Settings(**settings))
        self.path = "/v1/sessions/" + self.call("POST", "/v1/sessions").json()["id"]

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        return call(self.application, method, path, **request)

    def batch(self, *instructions: Any, query: str = "", **request: Any) -> httpx.Response:
        return self.call("POST", f"{self.path}/batch{query}", json={"instructions": list(instructions)}, **request)

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.call("GET", self.path + path, **request)


@pytest.fixture
def session() -> Session:
    session = Session()
    assert session.batch(*SQUARE, backward("z", retain_graph=True)).status_code == 200
    return session


def test_from_beginning_to_end() -> None:
    application = create_app(Settings())
    answer = call(application, "POST", "/v1/sessions", json={"ttl_seconds": 60, "default_dtype": "float64", "seed": 1})
    assert answer.status_code == 201
    SessionCreated.model_validate(answer.json())
    path = answer.headers["location"]
    described = call(application, "GET", path).json()
    SessionDescription.model_validate(described)
    assert (described["ttl_seconds"], described["default_dtype"], described["tensors"]) == (60.0, "float64", 0)
    batch = {"seq": 1, "instructions": [create("x", [1.5]), {"do": "read", "name": "x"}]}
    BatchRequest.model_validate(batch)
    first = call(application, "POST", f"{path}/batch", json=batch)
    assert first.json()["results"][1]["value"]["dtype"] == "float64"
    again = call(application, "POST", f"{path}/batch", json=batch)
    assert again.content == first.content
    assert call(application, "HEAD", path).status_code == 200
    gone = call(application, "DELETE", path)
    assert (gone.status_code, gone.content, "content-type" in gone.headers) == (204, b"", False)
    for method, below in (("GET", ""), ("DELETE", ""), ("POST", "/batch"), ("GET", "/tensors/x"), ("GET", "/tensors/x/graph")):
        request = {"json": batch} if method == "POST" else {}
        assert problem(call(application, method, path + below, **request)) == (404, "unknown_session")


def test_a_failed_instruction_is_a_problem_with_what_came_before(session: Session) -> None:
    answer = session.batch({"do": "read", "name": "z"}, op("w", "mull", "x", 2), {"do": "delete", "names": ["x"]})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["pointer"], body["seq"], body["instruction"]) == ("unknown_op", "/instructions/1/op", 2, 1)
    assert body["results"][0]["value"]["data"] == 13.0
    assert body["request_id"] == answer.headers["x-request-id"]
    assert session.get("/tensors/x").json()["data"] == [2.0, 3.0]


def test_a_problem_that_no_number_was_used_for(session: Session) -> None:
    answer = session.call("POST", f"{session.path}/batch", json={"seq": 9, "instructions": []})
    body = answer.json()
    assert (answer.status_code, body["code"], body["expected"], body["pointer"]) == (409, "seq_gap", 2, "/seq")
    assert "seq" not in body


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "malformed_json"),
        ({"content": b"{}"}, 415, "unsupported_media_type"),
        ({"json": {}, "headers": {"accept": "text/html"}}, 406, "not_acceptable"),
        ({"json": {"instructions": []}, "params": {"encode": "list"}}, 422, "unknown_parameter"),
        ({"json": {"instructions": []}, "params": {"encoding": "hex"}}, 422, "invalid_parameter"),
        ({"json": {"instructions": []}, "headers": {"request-timeout": "soon"}}, 422, "invalid_parameter"),
        ({"json": []}, 422, "invalid_type"),
    ],
)
def test_batches_that_are_none(session: Session, request_: dict[str, Any], status: int, code: str) -> None:
    assert problem(session.call("POST", f"{session.path}/batch", **request_)) == (status, code)
    assert session.batch().json()["seq"] == 2


@pytest.mark.parametrize("body", [b"", b"{}", b' {"seed": null} '])
def test_a_new_session_needs_no_body(body: bytes) -> None:
    headers = {"content-type": "application/json"} if body else {}
    assert call(create_app(Settings()), "POST", "/v1/sessions", content=body, headers=headers).status_code == 201


@pytest.mark.parametrize(("body", "status", "code"), [(b"[]", 422, "invalid_type"), (b"{", 400, "malformed_json")])
def test_a_new_session_takes_no_other_body(body: bytes, status: int, code: str) -> None:
    headers = {"content-type": "application/json"}
    assert problem(call(create_app(Settings()), "POST", "/v1/sessions", content=body, headers=headers)) == (status, code)


def test_one_tensor_and_its_gradient(session: Session) -> None:
    found = session.get("/tensors/y").json()
    TensorAnswer.model_validate(found)
    assert (found["data"], found["grad_fn"]) == ([4.0, 9.0], "MulBackward0")
    assert session.get("/tensors/x.grad").json()["data"] == session.get("/tensors/x/grad").json()["data"] == [4.0, 6.0]
    assert session.get("/tensors/y/grad").json() is None
    assert np.frombuffer(b64decode(session.get("/tensors/y?encoding=base64").json()["base64"]), "<f4").tolist() == [4.0, 9.0]
    for below in ("", "/grad", "/graph"):
        assert problem(session.get(f"/tensors/yy{below}")) == (404, "undefined_name")
    assert problem(session.get("/tensors/y?format=json")) == (422, "unknown_parameter")
    assert problem(session.get("/tensors/y.0")) == (404, "undefined_name")


def test_answers_in_base64(session: Session) -> None:
    answer = session.batch({"do": "read", "name": "y"}, op("s", "sin", "y"), query="?encoding=base64").json()
    assert np.frombuffer(b64decode(answer["results"][0]["value"]["base64"]), "<f4").tolist() == [4.0, 9.0]


def test_the_graph_in_every_form(session: Session) -> None:
    data = session.get("/tensors/z/graph")
    assert data.headers["content-type"] == "application/json"
    assert {(node["grad_fn"], node["name"]) for node in data.json()["nodes"]} == {
        ("AccumulateGrad", "x"),
        ("MulBackward0", "y"),
        ("SumBackward0", "z"),
    }
    for name, media, start in (
        ("json", "application/json", "{"),
        ("dot", "text/vnd.graphviz", "digraph"),
        ("mermaid", "text/vnd.mermaid", "flowchart"),
        ("svg", "image/svg+xml", "<svg"),
    ):
        asked = session.get(f"/tensors/z/graph?format={name}", headers={"accept": "text/html"})
        accepted = session.get("/tensors/z/graph", headers={"accept": f"text/html, {media};q=0.9, */*;q=0.1"})
        assert asked.headers["content-type"] == accepted.headers["content-type"] == media
        assert asked.text == accepted.text
        assert asked.text.startswith(start)
    picture = session.get("/tensors/z/graph?format=svg")
    assert picture.headers["content-security-policy"] == "default-src 'none'"
    assert "MulBackward0" in [element.text for element in ElementTree.fromstring(picture.text).iter("{http://www.w3.org/2000/svg}text")]
    assert problem(session.get("/tensors/z/graph?format=png")) == (422, "invalid_parameter")
    assert problem(session.get("/tensors/z/graph", headers={"accept": "image/png"})) == (406, "not_acceptable")
    assert session.get("/tensors/z/graph", headers={"accept": "image/*"}).headers["content-type"] == "image/svg+xml"


def test_paths_that_are_none(session: Session) -> None:
    assert problem(session.call("PUT", session.path)) == (405, "method_not_allowed")
    assert problem(session.call("GET", session.path + "/batch"))[0] == 405
    assert problem(session.call("GET", session.path + "/tensors")) == (404, "not_found")
    assert problem(session.call("GET", session.path + "/tensors/")) == (404, "not_found")
    assert problem(session.call("GET", session.path + "/tensors/x/y")) == (404, "not_found")
    assert problem(session.call("GET", "/v1/sessions/")) == (404, "not_found")


def test_two_keys_cannot_see_each_others_sessions() -> None:
    application = create_app(Settings(api_keys=(hash_key("one"), hash_key("two"))))

    def ask(key: str, method: str, path: str, **request: Any) -> httpx.Response:
        return call(application, method, path, headers={"authorization": f"Bearer {key}"}, **request)

    path = ask("one", "POST", "/v1/sessions", json={}).headers["location"]
    batch = {"instructions": [create("x", [1.0])]}
    assert ask("one", "POST", f"{path}/batch", json=batch).status_code == 200
    for method, below in (("GET", ""), ("DELETE", ""), ("GET", "/tensors/x"), ("GET", "/tensors/x/grad"), ("GET", "/tensors/x/graph")):
        assert problem(ask("two", method, path + below)) == (404, "unknown_session")
    assert problem(ask("two", "POST", f"{path}/batch", json=batch)) == (404, "unknown_session")
    assert problem(call(application, "GET", path))[0] == 401
    mine, theirs = (ask(key, "GET", "/v1/sessions").json() for key in ("one", "two"))
    SessionPage.model_validate(mine)
    assert [item["id"] for item in mine["items"]] == [path.rpartition("/")[2]]
    assert theirs == {"items": [], "next": None}
    for limit in ("0", "1001", "-1", "x", "9" * 5000, "²"):
        assert problem(ask("one", "GET", "/v1/sessions", params={"limit": limit})) == (422, "invalid_parameter")


def test_without_keys_sessions_are_not_listed() -> None:
    assert problem(call(create_app(Settings()), "GET", "/v1/sessions")) == (403, "listing_needs_keys")


def test_several_processes_share_no_sessions() -> None:
    assert problem(call(create_app(Settings(workers=2)), "POST", "/v1/sessions")) == (501, "sessions_need_one_process")


def test_the_settings_are_the_limits() -> None:
    session = Session(session_bytes=100_000, batch_instructions=3, session_tensors=3, tensor_bytes=50_000, answer_bytes=5_000)
    assert problem(session.batch(*[{"do": "seed", "value": 1}] * 4)) == (422, "too_many_instructions")
    for instructions, status, code in (
        ((op("x", "ones", 20_000),), 422, "tensor_too_large"),
        ((op("x", "ones", 10_000), op("y", "ones", 10_000), op("z", "ones", 10_000)), 507, "session_memory"),
        ((create("p", 1.0), create("q", 1.0)), 422, "too_many_names"),
        (({"do": "read", "name": "x"},), 422, "answer_too_large"),
    ):
        answer = session.batch(*instructions)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["instruction"] == len(instructions) - 1
    limits = session.call("GET", "/v1/info").json()["limits"]
    assert (limits["session_bytes"], limits["batch_instructions"], limits["session_tensors"]) == (100_000, 3, 3)


def test_too_many_sessions_are_refused_with_a_time_to_come_back() -> None:
    session = Session(sessions=1)
    answer = session.call("POST", "/v1/sessions")
    assert problem(answer) == (429, "too_many_sessions")
    assert answer.headers["retry-after"] == "10"


def test_text_that_is_no_unicode_is_answered_all_the_same(session: Session) -> None:
    body = json.dumps({"instructions": [{"do": "read", "name": "\ud800"}]})
    answer = session.call("POST", f"{session.path}/batch", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert re.fullmatch(r"[\x20-\x7e]*", answer.json()["detail"])


def test_a_failure_of_the_server_is_answered_with_its_number(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("gradwire_server.services.sessions.instructions.tensors.encode", broken)
    answer = session.batch({"do": "read", "name": "x", "what": ["meta"]})
    body = answer.json()
    assert (answer.status_code, body["code"], body["seq"], body["exception"]) == (500, "internal_error", 2, None)
    assert "ZeroDivisionError" not in answer.text
