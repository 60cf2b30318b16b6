"""The scripts in ``examples/``: how they are run, on Gradwire or on torch, and what they print.

``python -m tests.example_scripts`` runs them on torch and records what they print in ``tests/client/examples_expected``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXPECTED = ROOT / "tests" / "client" / "examples_expected"
SCRIPTS = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
IMPORT = re.compile(r"^(import|from) gradwire\b( as torch)?", re.MULTILINE)


def source(name: str) -> str:
    """The script as it stands."""
    return (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")


def source_for_torch(name: str) -> str:
    """The script with nothing but its import lines changed."""
    return IMPORT.sub(r"\1 torch", source(name))


def run(code: str, environment: Mapping[str, str] | None = None) -> str:
    """What the code prints, in a process of its own.

    Raises:
        RuntimeError: The process failed; the message holds what it printed.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GRADWIRE_")}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=inherited | dict(environment or {}), capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"The script failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def expected(name: str) -> str:
    """What the script prints on torch, as recorded."""
    return (EXPECTED / f"{name}.txt").read_text(encoding="utf-8")


if __name__ == "__main__":
    EXPECTED.mkdir(exist_ok=True)
    for script in SCRIPTS:
        (EXPECTED / f"{script}.txt").write_text(run(source_for_torch(script)), encoding="utf-8")
    print(f"Recorded {len(SCRIPTS)} scripts in {EXPECTED.name}.")
