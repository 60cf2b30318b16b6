"""The scripts in ``examples/`` print over HTTP what was recorded of them on torch."""

from __future__ import annotations

import importlib.util

import pytest

from tests.example_scripts import EXPECTED, SCRIPTS, expected, run, source

NEEDS = {"digits": "sklearn"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_prints_what_torch_prints(name: str, server_url: str) -> None:
    needed = NEEDS.get(name)
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed.")
    assert run(source(name), {"GRADWIRE_URL": server_url}) == expected(name)


def test_runs_in_local_mode() -> None:
    assert run(source("polynomial_autograd")) == expected("polynomial_autograd")


def test_every_script_is_recorded() -> None:
    assert {path.stem for path in EXPECTED.iterdir()} == set(SCRIPTS)


def test_says_what_is_missing() -> None:
    code = "import sys; sys.modules['sklearn'] = None\n" + source("digits")
    with pytest.raises(RuntimeError, match="pip install scikit-learn"):
        run(code)
