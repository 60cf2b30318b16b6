from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.server.support import app, call


def line_of(method: str, path: str, **request: Any) -> MutableMapping[str, Any]:
    with capture_logs() as logs:
        call(app(), method, path, **request)
    (line,) = [line for line in logs if line["event"] == "request"]
    return line


def test_a_call_is_one_line() -> None:
    line = line_of("POST", "/v1/evaluate?encoding=list", json={"a": 1}, headers={"X-Request-ID": "r-7"})
    assert line["log_level"] == "info"
    assert (line["method"], line["path"], line["status"], line["request_id"]) == ("POST", "/v1/evaluate", 200, "r-7")
    assert (line["bytes_in"], line["bytes_out"]) == (len('{"a":1}'), len('{"echo":{"a":1}}'))
    assert 0 < line["milliseconds"] < 10_000
    assert line["client"] == "127.0.0.1"
    assert line["code"] is None


def test_an_error_has_its_code() -> None:
    line = line_of("GET", "/v1/ops/nothing")
    assert (line["status"], line["code"]) == (404, "unknown_op")


def test_probes_are_logged_at_debug() -> None:
    assert line_of("GET", "/readyz")["log_level"] == "debug"


PROGRAM = """
import logging
from gradwire_server.logs import configure_logging, get_logger
from gradwire_server.settings import Settings
configure_logging(Settings(log_format={format!r}, log_level="info"))
get_logger("gradwire.test").info("hello", number=1, odd="\\ud800")
get_logger("gradwire.test").debug("not shown")
try:
    1 / 0
except ZeroDivisionError as error:
    get_logger("gradwire.test").error("failure", exc_info=error)
logging.getLogger("library").warning("from %s", "elsewhere")
"""


def logged(form: str) -> list[str]:
    run = subprocess.run([sys.executable, "-c", PROGRAM.format(format=form)], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == ""
    return run.stderr.splitlines()


def test_the_log_is_one_json_object_a_line() -> None:
    hello, failure, library = map(json.loads, logged("json"))
    assert hello["event"].strip("'") == "hello"
    assert (failure["event"], failure["level"], failure["component"]) == ("failure", "error", "gradwire.test")
    assert "ZeroDivisionError: division by zero" in failure["exception"]
    assert (library["event"], library["level"], library["logger"]) == ("from elsewhere", "warning", "library")
    assert all(line["timestamp"].strip("'").endswith("Z") for line in (hello, failure, library))


def test_the_log_can_be_text() -> None:
    lines = logged("text")
    assert "hello" in lines[0]
    assert "number=1" in lines[0]
    assert any("ZeroDivisionError" in line for line in lines)


DEEP = """
import sys
from gradwire_server.logs import configure_logging, get_logger
from gradwire_server.settings import Settings
configure_logging(Settings(log_format={format!r}))

def fall(depth):
    secret = "value of a local"
    if not depth:
        raise ValueError("begin" + "x" * 100_000 + "end")
    (fall if depth % 2 else lambda depth: fall(depth))(depth - 1)

try:
    fall(400)
except ValueError as error:
    get_logger("gradwire.test").error("failure", exc_info=error)
"""


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_traceback_is_plain_and_has_an_end(form: str) -> None:
    run = subprocess.run([sys.executable, "-c", DEEP.format(format=form)], capture_output=True, text=True, check=True, timeout=60)
    assert len(run.stderr) < 20_000
    text = json.loads(run.stderr)["exception"] if form == "json" else run.stderr
    assert "ValueError: beginxxx" in text
    assert text.rstrip().endswith("xxxend")
    assert re.search(r"\n\.\.\. \d+ characters are left out here \.\.\.\n", text)
    # No values of locals, no boxes, no colours.
    assert "value of a local" not in text
    assert text.isascii()
    assert "\x1b" not in text
    # The last calls are there, and not all of them.
    assert 20 < text.count("in fall") + text.count("in <lambda>") <= 50


REQUEST = """
from gradwire_server.logs import AccessLines, configure_logging, get_logger
from gradwire_server.settings import Settings
configure_logging(Settings(log_format="json", log_level="debug"))
AccessLines("gradwire.test").write({"path": "/v1", "status": 200}, quietly=True)
get_logger("gradwire.test").debug("request", path="/v1", status=200)
"""


def test_the_line_of_a_request_is_written_as_structlog_would() -> None:
    run = subprocess.run([sys.executable, "-c", REQUEST], capture_output=True, text=True, check=True, timeout=60)
    ours, theirs = map(json.loads, run.stderr.splitlines())
    times = [datetime.fromisoformat(line.pop("timestamp")) for line in (ours, theirs)]
    assert ours == theirs
    assert timedelta(0) <= times[1] - times[0] < timedelta(minutes=1)
    assert [re.sub(r"\d", "0", json.loads(line)["timestamp"]) for line in run.stderr.splitlines()] == ["0000-00-00T00:00:00.000000Z"] * 2
