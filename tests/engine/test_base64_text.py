"""Base64 of more than is written or read at a time."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from gradwire_engine.base64_text import base64_pieces, bytes_in_base64, read_base64, to_base64
from gradwire_engine.codec import decode
from gradwire_engine.errors import ProgramError

LONG = np.arange(3 * 2**16 + 5, dtype=np.uint8)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 3 * 2**16 - 1, 3 * 2**16, 3 * 2**16 + 1, len(LONG)])
def test_long_texts_are_those_of_short_ones(size: int) -> None:
    raw = LONG[:size].tobytes()
    text = base64.b64encode(raw).decode()
    assert to_base64(LONG[:size]) == text
    assert b"".join(base64_pieces(LONG[:size])) == text.encode()
    for given in (text, memoryview(text.encode())):
        found = bytearray(bytes_in_base64(given))
        read_base64(given, memoryview(found))
        assert found == raw


@pytest.mark.parametrize("wrong", ["AAA=", "AA==", "AAAA====", "!AAA", "A\nAA", "ÄAAA"])
@pytest.mark.parametrize("groups", [0, 2**16 - 1, 2**16])
def test_a_fault_is_found_wherever_it_is(wrong: str, groups: int) -> None:
    text = "AAAA" * groups + wrong + "AAAA"
    with pytest.raises(ProgramError, match="The base64 is not valid"):
        decode({"base64": text, "dtype": "uint8", "shape": [len(text) // 4 * 3]})
