from __future__ import annotations

import pytest

from tests.server.support import app, call


@pytest.mark.parametrize("path", ["/healthz", "/v1/info", "/nowhere", "/docs"])
def test_every_answer_has_an_id_of_its_own(path: str) -> None:
    application = app()
    first, second = (call(application, "GET", path).headers["x-request-id"] for _ in range(2))
    assert len(first) == 32
    assert first != second


@pytest.mark.parametrize("given", ["abc", "0af7651916cd43dd8448eb211c80319c", "a.b-c_d:1/2=", "x" * 128])
def test_a_sane_id_is_kept(given: str) -> None:
    assert call(app(), "GET", "/healthz", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "two words", 'quo"te', "tab\tbed", "<script>"])
def test_anything_else_is_replaced(given: str) -> None:
    answered = call(app(), "GET", "/healthz", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert answered != given
    assert len(answered) == 32
