from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from gradwire_server.keys import hash_key
from tests.server.support import app, call, problem

KEYS = (hash_key("one"), hash_key("two"))


@pytest.mark.parametrize("key", ["one", "two"])
def test_a_known_key_is_let_in(key: str) -> None:
    with capture_logs() as logs:
        answer = call(app(api_keys=KEYS), "GET", "/v1/info", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    assert logs[-1]["key"] == hash_key(key).removeprefix("sha256:")[:12]


@pytest.mark.parametrize(
    "given",
    [
        None,
        "Bearer three",
        "Bearer ",
        "Bearer",
        "one",
        "Basic one",
        f"Bearer {hash_key('one')}",
        "Bearer one two",
        "Bearer \xff",
    ],
)
def test_anything_else_is_not(given: str | None) -> None:
    headers = {} if given is None else {b"authorization": given.encode("latin-1")}
    answer = call(app(api_keys=KEYS), "POST", "/v1/evaluate", headers=headers)
    assert problem(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="gradwire"'


def test_two_keys_at_once_are_refused() -> None:
    headers = [("Authorization", "Bearer one"), ("Authorization", "Bearer two")]
    assert problem(call(app(api_keys=KEYS), "GET", "/v1/info", headers=headers)) == (401, "unauthorized")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/docs/start.js", "/openapi.json"])
def test_probes_and_documentation_are_open(path: str) -> None:
    assert call(app(api_keys=KEYS), "GET", path).status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/v1/info", "/v1/ops", "/nowhere", "/docsx", "/healthz/"])
def test_the_rest_is_not(path: str) -> None:
    assert problem(call(app(api_keys=KEYS), "GET", path)) == (401, "unauthorized")


def test_without_keys_everyone_is_let_in() -> None:
    assert call(app(), "GET", "/v1/info").status_code == 200
