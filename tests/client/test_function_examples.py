"""The scripts in ``examples/functions`` print the same over HTTP and in this process."""

from __future__ import annotations

import pytest

from tests.example_scripts import ROOT, run

pytest.importorskip("scipy")

SCIPY_FIT = """\
L-BFGS-B  loss 0.469669  w = [ 1.47  -0.842  0.515]  accuracy 0.805
Newton-CG loss 0.469669  w = [ 1.47  -0.842  0.515]  accuracy 0.805
standard deviations [0.211 0.186 0.168]
"""


def test_scipy_fit(server_url: str) -> None:
    code = (ROOT / "examples" / "functions" / "scipy_fit.py").read_text(encoding="utf-8")
    assert run(code) == SCIPY_FIT
    assert run(code, {"GRADWIRE_URL": server_url}) == SCIPY_FIT
