from __future__ import annotations

import pytest

from tests.server.support import app, call

ORIGIN = "https://page.example"


@pytest.mark.parametrize(("path", "status"), [("/v1/info", 200), ("/nowhere", 404), ("/v1/ops?x=1", 422)])
def test_answers_and_errors_may_be_read_by_the_page(path: str, status: int) -> None:
    answer = call(app(cors_origins=(ORIGIN,)), "GET", path, headers={"Origin": ORIGIN})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]


def test_another_page_may_not() -> None:
    answer = call(app(cors_origins=(ORIGIN,)), "GET", "/v1/info", headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_browser_may_ask_first_without_a_key() -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    answer = call(app(cors_origins=(ORIGIN,), api_keys=("sha256:" + "0" * 64,)), "OPTIONS", "/v1/evaluate", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_without_origins_there_is_no_cors() -> None:
    assert "access-control-allow-origin" not in call(app(), "GET", "/v1/info", headers={"Origin": ORIGIN}).headers
