"""What was recorded of short programs is what torch does; tests/client compares Gradwire with the recording over both transports."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parity.snippets import all_snippets
from tests.parity.snippets.base import SNIPPETS, Outcome, Snippet, differences, outcome

torch = pytest.importorskip("torch")

EXPECTED = Path(__file__).parents[1] / "client" / "snippets_expected.json"
each_snippet = pytest.mark.parametrize("snippet", all_snippets().values(), ids=all_snippets().keys())


@pytest.fixture(scope="module", autouse=True)
def _every_warning_every_time() -> Iterator[None]:
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


@functools.cache
def on_torch(name: str) -> Outcome:
    """What the snippet does on torch, in the form in which it is recorded."""
    found: Outcome = json.loads(json.dumps(outcome(SNIPPETS[name], torch)))
    return found


@each_snippet
def test_recording_is_current(snippet: Snippet) -> None:
    recorded = json.loads(EXPECTED.read_text(encoding="utf-8"))
    assert not differences(recorded[snippet.__name__], on_torch(snippet.__name__))


def test_there_are_enough_snippets() -> None:
    assert len(all_snippets()) >= 400
