"""The examples in other languages, run where the language is present: they all print the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PRINTS = """\
z = 13.0, gradient = (4.0, 6.0)
step 10  loss 0.005352
step 20  loss 0.004750
step 30  loss 0.004573
step 40  loss 0.004521
y = 1.9834 x + 1.0228
"""


def run(command: list[str], url: str, path: str | None = None) -> str:
    environment = os.environ | {"GRADWIRE_URL": url} | ({} if path is None else {"PATH": path})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def present(program: str) -> str:
    """The path of a program; without it the test is skipped."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed.")
    return found


def test_curl(server_url: str) -> None:
    present("curl")
    present("jq")
    assert run([present("bash"), str(EXAMPLES / "curl.sh")], server_url) == PRINTS


def test_curl_without_jq(server_url: str, tmp_path: Path) -> None:
    for program, path in {"bash": present("bash"), "curl": present("curl"), "python3": sys.executable}.items():
        (tmp_path / program).symlink_to(path)
    assert run([present("bash"), str(EXAMPLES / "curl.sh")], server_url, str(tmp_path)) == PRINTS


def test_node(server_url: str) -> None:
    assert run([present("node"), str(EXAMPLES / "node.mjs")], server_url) == PRINTS


def test_java(server_url: str) -> None:
    present("javac")
    assert run([present("java"), str(EXAMPLES / "Gradwire.java")], server_url) == PRINTS


def test_a_mistake_is_an_error(server_url: str) -> None:
    environment = os.environ | {"GRADWIRE_URL": f"{server_url}/nowhere"}
    command = [present("bash"), str(EXAMPLES / "curl.sh")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
