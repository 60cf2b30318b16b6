from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.server.support import app, call


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts_inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if tag == "script" and "src" not in given:
            self.scripts_inline += 1
        self.found += [given[name] for name in ("src", "href") if name in given]


def page() -> Links:
    links = Links()
    links.feed(call(app(), "GET", "/docs").text)
    return links


def test_everything_on_the_page_comes_from_this_server() -> None:
    links = page()
    assert len(links.found) >= 5
    for link in links.found:
        assert re.match(r"[a-z0-9]", link), "relative, so that it works beneath any path"
        assert "//" not in link
        answer = call(app(), "GET", urljoin("/docs", link))
        assert answer.status_code == 200
        assert len(answer.content) > 0


def test_the_browser_is_told_to_load_nothing_else() -> None:
    policy = call(app(), "GET", "/docs").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert page().scripts_inline == 0


def test_the_script_asks_no_validator_on_the_internet() -> None:
    script = call(app(), "GET", "/docs/start.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "validatorUrl: null" in script.text
    assert "http" not in script.text


@pytest.mark.parametrize("path", ["/docs/", "/docs/../settings.py", "/docs/%2e%2e/app.py", "/docs/index.html", "/docs/swagger-ui.css.map"])
def test_nothing_else_is_served(path: str) -> None:
    assert call(app(), "GET", path).status_code == 404


def test_the_start_page_leads_there() -> None:
    answer = call(app(), "GET", "/")
    assert answer.status_code == 307
    assert answer.headers["location"] == "docs"
