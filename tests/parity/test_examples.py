"""The scripts in ``examples/`` run on torch with nothing but their import lines changed, and print what was recorded."""

from __future__ import annotations

import pytest

from tests.example_scripts import SCRIPTS, expected, run, source_for_torch

pytest.importorskip("torch")


@pytest.mark.parametrize("name", SCRIPTS)
def test_runs_on_torch(name: str) -> None:
    if name == "digits":
        pytest.importorskip("sklearn")
    code = source_for_torch(name)
    assert "gradwire" not in code
    assert run(code) == expected(name)
