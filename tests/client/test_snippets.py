"""Short programs do over both transports what was recorded of them on torch. No torch is needed; ``tests/parity`` compares with it.

``python -m tests.parity.snippets`` records anew, where torch is installed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gradwire
from gradwire.connection import Connection
from tests.parity.snippets import all_snippets
from tests.parity.snippets.base import Outcome, Snippet, differences, outcome

EXPECTED: dict[str, Outcome] = json.loads(Path(__file__).with_name("snippets_expected.json").read_text(encoding="utf-8"))


def test_every_snippet_is_recorded() -> None:
    assert EXPECTED.keys() == all_snippets().keys()


@pytest.mark.parametrize("snippet", all_snippets().values(), ids=all_snippets().keys())
def test_snippet(snippet: Snippet, connection: Connection) -> None:
    with connection:
        found = outcome(snippet, gradwire)
    assert not differences(found, EXPECTED[snippet.__name__])
