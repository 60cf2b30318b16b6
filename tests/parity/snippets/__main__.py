"""Records what every snippet does on torch, for the tests on machines that have no torch: ``python -m tests.parity.snippets``."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from . import all_snippets
from .base import outcome

EXPECTED = Path(__file__).parents[2] / "client" / "snippets_expected.json"

if __name__ == "__main__":
    # Else torch warns of some things once per process, and which snippet comes first decides.
    torch.set_warn_always(True)
    recorded = {name: outcome(snippet, torch) for name, snippet in sorted(all_snippets().items())}
    EXPECTED.write_text(json.dumps(recorded, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    print(f"Recorded {len(recorded)} snippets in {EXPECTED.name}.")
