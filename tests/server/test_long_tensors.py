"""Long strings of base64: taken out of a text they say what they say in it, or are left as they are."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gradwire_engine.base64_text import Base64
from gradwire_engine.codec import decode
from gradwire_server import long_tensors, wire
from gradwire_server.services.digest import digest
from gradwire_server.wire import MalformedJson, TooManyValues, loads
from tests.server.taken import outcome, written


@pytest.fixture(autouse=True)
def _short_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strings of a few characters count as long, and are looked at and searched for in several pieces."""
    monkeypatch.setattr(long_tensors, "_LEAST_BYTES", 4)
    monkeypatch.setattr(long_tensors, "_LOOKED_AT", 5)
    monkeypatch.setattr(long_tensors, "_SEARCHED_BYTES", 3)
    monkeypatch.setattr(wire, "PIECE_BYTES", 1)


TEXT = base64.b64encode(np.arange(5.0).tobytes()).decode()


def test_base64_stays_in_the_body() -> None:
    body = json.dumps({"x": {"base64": TEXT, "dtype": "float64", "shape": [5]}, "y": {"data": [1, 2]}}).encode()
    found = loads(body, tensors=True)
    assert isinstance(found["x"]["base64"], Base64)
    assert written(found)["x"] == {"base64": TEXT, "dtype": "float64", "shape": [5]}
    assert np.array_equal(decode(found["x"]).array, np.arange(5.0))


def test_each_tensor_has_memory_of_its_own() -> None:
    found = loads(json.dumps({"x": {"base64": TEXT, "dtype": "float64", "shape": [5]}}).encode(), tensors=True)
    first, second = decode(found["x"]).array, decode(found["x"]).array
    first += 1
    assert np.array_equal(second, np.arange(5.0))
    assert second.flags.owndata


@pytest.mark.parametrize("text", ["", "AQ==", "AQID", "AQI=", "AQJ=", "AQ=", "AQ", "====", "A===", "AA=A", "AQID====", "AQIDBA==", "=QID"])
@pytest.mark.parametrize(("dtype", "size"), [("uint8", 1), ("uint8", 3), ("bool", 1), ("float64", 1)])
def test_what_it_says_is_what_the_string_says(text: str, dtype: str, size: int) -> None:
    tensor = {"base64": text, "dtype": dtype, "shape": [size]}
    found = loads(json.dumps({"x": tensor}).encode(), tensors=True)["x"]
    assert outcome(found) == outcome(tensor)


@pytest.mark.parametrize("text", ["AQ ID===", "A\\u0041ID", "\\u0000\\u0000AQID", "AQID\\n", "häßlich", "A-_D"])
def test_strings_of_anything_else_stay_as_they_are(text: str) -> None:
    body = f'{{"x":{{"base64":"{text}"}}}}'.encode()
    assert loads(body, tensors=True) == json.loads(body)


@pytest.mark.parametrize("text", ["AQID\n", "AQID\x00"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(MalformedJson, match="not valid JSON"):
        loads(b'{"x":{"base64":"' + text.encode() + b'"}}', tensors=True)


@pytest.mark.parametrize("end", [b"", b'"', b'"}', b'"}}}', b'",}}'])
def test_the_rest_is_refused_where_it_is_wrong(end: bytes) -> None:
    body = b'{"x":{"base64":"' + TEXT.encode() + end
    with pytest.raises(MalformedJson) as slow:
        loads(body)
    with pytest.raises(MalformedJson) as quick:
        loads(body, tensors=True)
    assert (quick.value.detail, quick.value.line, quick.value.column) == (slow.value.detail, slow.value.line, slow.value.column)


def test_where_it_is_no_tensor_it_is_a_string() -> None:
    document = {"kwargs": {"base64": TEXT}, "name": {"base64": TEXT, "op": "mul"}, "base64": [{"base64": [TEXT]}], "data": TEXT}
    assert loads(json.dumps(document).encode(), tensors=True) == document


def test_a_text_with_the_mark_in_it_is_read_as_it_is() -> None:
    document = {"x": {"base64": TEXT}, "y": {"base64": "\x000"}, "z": {"data": [1, 2, 3, 4]}}
    assert loads(json.dumps(document).encode(), tensors=True) == document


def test_values_are_counted_once() -> None:
    body = json.dumps({"x": {"base64": TEXT}, "z": {"data": [1, 2, 3, 4]}}).encode()
    marked = json.dumps({"x": {"base64": TEXT}, "z": {"data": [1, 2, 3, 4]}, "y": "\0"}).encode()
    for text in (body, marked):
        most = next(most for most in range(100) if _is_read(text, most, tensors=False))
        assert _is_read(text, most, tensors=True)
        assert not _is_read(body, most - 3, tensors=True)


def _is_read(body: bytes, most: int, *, tensors: bool) -> bool:
    try:
        loads(body, most_values=most, tensors=tensors)
    except TooManyValues:
        return False
    return True


def test_documents_differ_by_their_base64() -> None:
    def hashed(text: str) -> bytes:
        return digest(loads(json.dumps({"nodes": [{"args": [{"base64": text}]}]}).encode(), tensors=True))

    assert hashed("AQIDAQID") == hashed("AQIDAQID") != hashed("AQIDAQIE")


class Counted(bytearray):
    """Bytes that know how many of them were searched."""

    searched = 0

    def find(self, what: Any, start: Any = 0, stop: Any = None) -> int:
        found = super().find(what, start, stop)
        self.searched += (len(self) if found < 0 and stop is None else min(stop, len(self)) if found < 0 else found + 1) - start
        return found


@pytest.mark.parametrize("key", ["data", "base64"])
def test_many_keys_are_found_in_one_go(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_tensors, "_SEARCHED_BYTES", 2**20)
    body = Counted(json.dumps([{key: [1] if key == "data" else "A"} for _ in range(2_000)] + ["x" * 2**20]).encode())
    assert long_tensors.take_out(body, json.loads, lambda values: None) is None
    assert body.searched < 5 * len(body)


PARTS = st.sampled_from(
    [
        '"base64"',
        '"data"',
        '"x"',
        ":",
        ",",
        "{",
        "}",
        "[",
        "]",
        '"',
        "\\",
        "\\u0000",
        '"AQID"',
        '"AQIDAQIDAQID"',
        '"A-=="',
        "[1,2]",
        "1.5",
        " ",
    ]
)


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PARTS, max_size=16).map("".join))
@example('{"base64":"AQID","base64":"AQID"}')
@example('{"base64":"AQID""}')
@example('{"base64\\"":"AQID"}')
@example('{"\\"base64":"AQID"}')
@example('["base64":"AQID"]')
@example('{"data":[1,2,3,4],"base64":"AQID"}')
@example('{"base64":"AQID"},"base64":"AQID"')
def test_anything_is_read_or_refused_alike(text: str) -> None:
    body = text.encode()
    try:
        slow = loads(body)
    except MalformedJson as error:
        with pytest.raises(MalformedJson, match=f"^{re.escape(error.detail)}$"):
            loads(body, tensors=True)
        return
    assert repr(written(loads(body, tensors=True))) == repr(slow)


DOCUMENTS = st.recursive(
    st.sampled_from([TEXT, "AQID", "AQ==", "", "\0", "\x000", 1.5, None, [1, 2, 3, 4]]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["base64", "data", "dtype", "kwargs", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOCUMENTS, st.sampled_from([None, 1]))
def test_documents_are_what_they_were(document: Any, indent: int | None) -> None:
    assert written(loads(json.dumps(document, indent=indent).encode(), tensors=True)) == document
