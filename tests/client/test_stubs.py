"""The stubs are those of the op table, and type checkers accept what users write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stubs import stubs

ROOT = Path(__file__).parents[2]

ACCEPTED = """
import gradwire as torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
w = torch.zeros(2, 3, dtype=torch.float64)
y: torch.Tensor = (x * 2).sin().clamp(min=0.5)
y.sum().backward()
with torch.no_grad():
    x -= 0.1 * x.grad
first: torch.Tensor = torch.exp(x)
layer = torch.nn.Linear(2, 3)
optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
optimizer.step()
"""

REFUSED = """
import gradwire as torch

torch.exp(torch.tensor([1.0]), dimension=3)
torch.tensor([1.0]).exp(minimum=3)
"""


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in stubs()])
def test_stubs_are_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == stubs()[path], "Run python -m scripts.stubs."


def check(tmp_path: Path, source: str) -> subprocess.CompletedProcess[str]:
    program = tmp_path / "program.py"
    program.write_text(source)
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_type_checkers_accept_a_tutorial(tmp_path: Path) -> None:
    found = check(tmp_path, ACCEPTED)
    assert found.returncode == 0, found.stdout


def test_type_checkers_refuse_arguments_that_ops_do_not_have(tmp_path: Path) -> None:
    found = check(tmp_path, REFUSED)
    assert 'Unexpected keyword argument "dimension"' in found.stdout
    assert 'Unexpected keyword argument "minimum"' in found.stdout
