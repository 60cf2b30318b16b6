from __future__ import annotations

import pytest

from gradwire_server.compression import CODINGS
from tests.server.support import app, call, problem


def post(query: str = "", **headers: str) -> tuple[int, str]:
    given = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = call(app(), "POST", f"/v1/evaluate{query}", content=b"{}", headers=given)
    return (200, "") if answer.status_code == 200 else problem(answer)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/vnd.x+json",
    ],
)
def test_json_is_taken(kind: str) -> None:
    assert post(content_type=kind)[0] == 200


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "image/svg+json", "json", "a" * 5000],
)
def test_other_content_types_are_not(kind: str) -> None:
    assert post(content_type=kind) == (415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "", "zst"])
def test_compression_that_is_not_known(coding: str) -> None:
    answer = call(app(), "POST", "/v1/evaluate", content=b"{}", headers={"content-type": "application/json", "content-encoding": coding})
    assert problem(answer) == (415, "unsupported_media_type")
    assert answer.headers["accept-encoding"] == ", ".join((*CODINGS, "identity"))


def test_compression_that_is() -> None:
    assert post(content_encoding="identity")[0] == 200
    # The body is none, so that it was looked at.
    assert post(content_encoding="gzip") == post(content_encoding=" X-GZIP") == (400, "malformed_compression")


def test_the_format_of_the_answer_is_the_most_welcome_one() -> None:
    for accept, expected in [
        ("application/x-safetensors", "application/x-safetensors"),
        ("application/json;q=0.5, application/x-safetensors", "application/x-safetensors"),
        ("application/json;q=0, */*", "application/x-safetensors"),
        ("application/x-safetensors, application/json", "application/json"),
        ("application/x-safetensors;q=0.5, */*", "application/json"),
    ]:
        answer = call(app(), "POST", "/v1/evaluate", content=b"{}", headers={"content-type": "application/json", "accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, expected)


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/json",
        "application/*",
        "text/html, application/xhtml+xml, */*;q=0.8",
        "application/json;q=0.1, text/plain",
        "Application/JSON",
    ],
)
def test_whoever_takes_json_gets_it(accept: str) -> None:
    assert post(accept=accept)[0] == 200
    assert call(app(), "GET", "/v1/ops", headers={"accept": accept}).status_code == 200


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "application/json;q=0, */*;q=0", "application/json;q=0.0", "*/*;q=x", "text/*"]
)
def test_whoever_does_not_is_told_so_in_json(accept: str) -> None:
    assert post(accept=accept) == (406, "not_acceptable")
    for path in ("/v1/ops", "/v1/ops/mul", "/v1/info"):
        assert problem(call(app(), "GET", path, headers={"accept": accept})) == (406, "not_acceptable")


@pytest.mark.parametrize("query", ["", "?encoding=list", "?encoding=base64", "?"])
def test_known_encodings(query: str) -> None:
    assert post(query)[0] == 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?encoding=binary", "invalid_parameter"),
        ("?encoding=", "invalid_parameter"),
        ("?encoding=list&encoding=list", "invalid_parameter"),
        ("?encodnig=list", "unknown_parameter"),
        ("?encoding=list&x", "unknown_parameter"),
        ("?%ff=1", "unknown_parameter"),
    ],
)
def test_a_mistake_in_the_query_is_not_overlooked(query: str, code: str) -> None:
    assert post(query) == (422, code)


@pytest.mark.parametrize("path", ["/v1/ops?limt=3", "/v1/ops/mul?x=1", "/v1/info?x=1"])
def test_nor_in_that_of_other_calls(path: str) -> None:
    assert problem(call(app(), "GET", path)) == (422, "unknown_parameter")


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon", "", "1,2"])
def test_a_timeout_that_is_no_time(value: str) -> None:
    assert post(request_timeout=value) == (422, "invalid_parameter")


@pytest.mark.parametrize("value", ["5", "0.5", " 10 ", "1e3"])
def test_a_timeout_that_is_one(value: str) -> None:
    assert post(request_timeout=value)[0] == 200
