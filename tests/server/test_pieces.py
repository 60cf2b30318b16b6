"""Long documents: read in pieces and as a whole they are the same, or refused alike."""

from __future__ import annotations

import functools
import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradwire_server import wire
from gradwire_server.pieces import PIECE_BYTES, RepeatedKey, read_in_pieces
from gradwire_server.wire import MalformedJson, TooManyValues, loads

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.sampled_from('ab[]{},:"\\/é\u2028 \n\t'), max_size=6)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=6),
    max_leaves=30,
)


def whole(body: bytes) -> Any:
    return wire._decode(body, body)


def in_pieces(body: bytes, piece_bytes: int) -> Any:
    try:
        return read_in_pieces(body, functools.partial(wire._decode, body), count=lambda more: None, piece_bytes=piece_bytes)
    except RepeatedKey as repeated:
        raise wire._repeated(repeated.args[0]) from None


def outcome(read: Any, *arguments: Any) -> str:
    """A document with its types and signs of zero, or that it is refused."""
    try:
        return repr(read(*arguments))
    except MalformedJson:
        return "refused"


@given(DOCUMENTS, st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=400, deadline=None)
@example({"a": [1, {"b": [2, 3], "": 4}], "c": {}}, 1, None, True)
def test_a_document_is_the_same_in_pieces(document: Any, piece_bytes: int, indent: int | None, ascii_only: bool) -> None:
    body = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    assert repr(in_pieces(body, piece_bytes)) == repr(whole(body))


@given(
    st.text(st.sampled_from('[]{},:"\\n0-1e \n'), max_size=30).map(str.encode)
    | st.lists(
        st.sampled_from(["[", "]", "{", "}", ",", ",", "1", "-0", "null", '"a":', '"b":', '"a"', '"\\\\"', '"\\""', '"', "\\", " "]),
        max_size=24,
    ).map(lambda parts: "".join(parts).encode()),
    st.integers(1, 12),
)
@settings(max_examples=1500, deadline=None)
@example(b"[1,2,]", 1)
@example(b"[,1]", 1)
@example(b"[1,,2]", 1)
@example(b'{"a":1,}', 1)
@example(b'{,"a":1}', 1)
@example(b"[1],[2]", 1)
@example(b"1,2", 1)
@example(b'{"a":1,"b":2,"a":3}', 1)
@example(b'{"a":[1,2],"a":3}', 1)
@example(b'["a,b\\\\","c\\",d",1]', 2)
@example(b'["\\', 1)
@example(b"[1}", 1)
@example(b"[1,2},3]", 1)
def test_anything_is_read_or_refused_alike(body: bytes, piece_bytes: int) -> None:
    assert outcome(in_pieces, body, piece_bytes) == outcome(whole, body)


FILLER = b"1234.5," * 30_000
LONG_STRING = b'"' + b"QUJD" * 100_000 + b'"'


@pytest.mark.parametrize(
    ("body", "part", "line", "column"),
    [
        (b"[" + FILLER + b"\n\n 12, tru, 3]", "not valid JSON", 3, None),
        (b"[" + FILLER + b"\nNaN," + FILLER + b"1]", 'as the string "NaN"', 2, 1),
        (b"[\n" + FILLER + b"\n 1,]", "not valid JSON", 3, 3),
        (b"[" + FILLER + b"\n,1]", "not valid JSON", 2, 1),
        (b'["\xc3\xa9",' + FILLER + b'\n"\xc3\xa9\xff"]', "not valid UTF-8", 2, 3),
        (b"[" + FILLER + b"\n1e999," + FILLER + b"1]", "too large", 2, None),
        (b"[" + FILLER + b"1]\n,[" + FILLER + b"1]", "not valid JSON", 2, 1),
        (b"[" + FILLER, "not valid JSON", 1, None),
        (b"[" + LONG_STRING[:-1], "not valid JSON", 1, None),
        (b"[" * 300_000, "nested too deeply", None, None),
        (b"]" * 300_000, "not valid JSON", 1, 1),
        (b" " * 300_000, "The body is empty", None, None),
    ],
    ids=["token", "NaN", "last comma", "two commas", "UTF-8", "1e999", "two", "no end", "no quote", "deep", "closed", "blank"],
)
def test_errors_say_where(body: bytes, part: str, line: int | None, column: int | None) -> None:
    with pytest.raises(MalformedJson, match=part) as caught:
        loads(body)
    assert caught.value.line == line
    assert column in (None, caught.value.column)


def test_a_key_that_comes_again_much_later_is_refused() -> None:
    with pytest.raises(MalformedJson, match='The key "x" appears more than once in an object'):
        loads(b'{"x":1,"y":[' + FILLER + b'1],"x":2}')


def test_long_keys_and_long_strings_are_read() -> None:
    key, text = "k" * 100_000, "QUJD" * 100_000
    document = {key: [1.5] * 50_000, "text": [text, text.replace("Q", '"\\')], "after": [[1, 2]] * 20_000}
    assert len(json.dumps(document)) > 5 * PIECE_BYTES
    assert loads(json.dumps(document).encode()) == document


def test_the_document_is_looked_at_between_pieces() -> None:
    class Stop(Exception):
        pass

    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Stop

    with pytest.raises(Stop):
        loads(b"[" + FILLER + b"1]", check=check)


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"[1,2,3]", 4),
        (b'{"a":[1,[2,{"b":3}]],"c":"1,2,[3"}', 11),
        (b"[" + FILLER + b"1]", 30_002),
        (b"[" + b'"NaN",' * 30_000 + b"1]", 30_002),
        (b"[" + b"[[1,2],[3]]," * 10_000 + b"1]", 60_002),
    ],
)
def test_values_are_counted(body: bytes, values: int) -> None:
    loads(body, most_values=values)
    with pytest.raises(TooManyValues, match=rf"at most {values - 1:,} values and keys"):
        loads(body, most_values=values - 1)


@pytest.mark.parametrize("body", [b'[-0,"' + b'\\"' * 2**17, b'[-0,"' + b"\\" * 2**17, b'[-0,"\\\n' + b'"\\\n' * 2**15])
def test_reading_takes_no_longer_than_the_text_is_long(body: bytes) -> None:
    start = time.perf_counter()
    for part in (body, body[: 16 * 1024], body[: 64 * 1024]):
        with pytest.raises(MalformedJson, match="not valid JSON"):
            loads(part)
    assert time.perf_counter() - start < 2
