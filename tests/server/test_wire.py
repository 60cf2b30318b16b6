from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradwire_engine import dtypes
from gradwire_engine.codec import decode, encode, to_lists
from gradwire_engine.dtypes import Array
from gradwire_server.wire import Encoding, MalformedJson, dumps, loads

ENCODINGS: tuple[Encoding, ...] = ("list", "base64")
NAMES = [dtype.name for dtype in dtypes.ALL]


def round_trip(array: Array, encoding: Encoding) -> Array:
    document = loads(dumps({"x": encode(array)}, encoding))["x"]
    assert ("base64" in document) == (encoding == "base64")
    for answer_only in ("is_leaf", "grad_fn"):
        del document[answer_only]
    return decode(document).array


def assert_same_bits(back: Array, array: Array, *, any_nan: bool) -> None:
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    if any_nan:
        # A list can say that something is NaN, but not which of the many.
        parts = [a.reshape(-1).view(dtypes.to_real(a.dtype)) for a in (back, np.ascontiguousarray(array))]
        back, array = (np.where(np.isnan(a), np.array(math.nan, a.dtype), a) for a in parts)
    assert back.tobytes() == array.tobytes()


def specials(name: str) -> Array:
    dtype = np.dtype(name)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = [limits.min, limits.min + 1, 0, 1, limits.max - 1, limits.max] + [2**53 + 1, -(2**53) - 1] * (dtype.itemsize == 8)
        return np.array(values, dtype)
    part = dtypes.to_real(dtype)
    info = np.finfo(part)
    reals = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1 / 3, -1.5, info.max, info.min, info.tiny, info.smallest_subnormal]
    flat = np.array([*reals, -info.smallest_subnormal, info.eps], part)
    if dtype.kind == "f":
        return flat
    pairs = np.stack(np.meshgrid(flat, flat, indexing="ij"), axis=-1)
    return np.ascontiguousarray(pairs).view(dtype)[..., 0]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", NAMES)
def test_special_values_keep_their_bits(name: str, encoding: Encoding) -> None:
    array = specials(name)
    assert_same_bits(round_trip(array, encoding), array, any_nan=False)
    for element in array.reshape(-1):
        scalar = np.array(element)
        assert_same_bits(round_trip(scalar, encoding), scalar, any_nan=False)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(0,), (1, 1), (2, 0, 3), (0, 4), (3, 2, 2)])
def test_shapes_stay(name: str, encoding: Encoding, shape: tuple[int, ...]) -> None:
    array = np.arange(math.prod(shape)).astype(name).reshape(shape)
    assert_same_bits(round_trip(array, encoding), array, any_nan=False)
    for view in (array.T, array[::-1], np.broadcast_to(array, (2, *shape))):
        assert_same_bits(round_trip(view, encoding), np.ascontiguousarray(view), any_nan=False)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_bits_survive(name: str, encoding: Encoding, data: st.DataObject) -> None:
    dtype = np.dtype(name)
    count = data.draw(st.integers(1, 6))
    raw = data.draw(st.binary(min_size=count * dtype.itemsize, max_size=count * dtype.itemsize))
    array = np.frombuffer(raw, np.uint8) % 2 == 1 if name == "bool" else np.frombuffer(raw, dtype)
    assert_same_bits(round_trip(array, encoding), array, any_nan=encoding == "list" and dtype.kind in "fc")


def test_every_float16_survives_as_a_decimal() -> None:
    array = np.arange(2**16, dtype=np.uint16).view(np.float16)
    assert_same_bits(round_trip(array, "list"), array, any_nan=True)


def test_the_float32_that_float64_misreads_survives() -> None:
    array = np.array([0x15AE43FD, 0x95AE43FD], np.uint32).view(np.float32)
    assert np.float32(float(np.format_float_scientific(array[0]))) != array[0]
    assert_same_bits(round_trip(array, "list"), array, any_nan=False)
    assert_same_bits(round_trip(array.view(np.complex64), "list"), array.view(np.complex64), any_nan=False)
    assert_same_bits(round_trip(array[0, ...], "list"), array[0, ...], any_nan=False)


@pytest.mark.parametrize("name", NAMES)
def test_the_writer_agrees_with_the_codec(name: str) -> None:
    array = specials(name)
    assert decode({"data": json.loads(dumps(array)), "dtype": name}).array.tobytes() == array.tobytes()
    if name in ("float64", "complex128", "int64", "bool"):
        assert json.loads(dumps(array)) == to_lists(array)


def test_an_answer_reads_as_the_contract_shows_it() -> None:
    answer = {
        "outputs": {"z": encode(np.array(10.0, np.float32), requires_grad=True, is_leaf=False, grad_fn="SumBackward0")},
        "grads": {"x": encode(np.array([0.1, np.nan], np.float32)), "y": None},
    }
    assert dumps(answer) == (
        b'{"outputs":{"z":{"data":10.0,"dtype":"float32","shape":[],"requires_grad":true,"is_leaf":false,"grad_fn":"SumBackward0"}},'
        b'"grads":{"x":{"data":[0.1,"NaN"],"dtype":"float32","shape":[2],"requires_grad":false,"is_leaf":true,"grad_fn":null},"y":null}}'
    )
    as_base64 = json.loads(dumps(answer, "base64"))
    assert list(as_base64["outputs"]["z"]) == ["base64", "dtype", "shape", "requires_grad", "is_leaf", "grad_fn"]
    assert as_base64["outputs"]["z"]["base64"] == "AAAgQQ=="


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"a": math.nan, "b": [math.inf, (-math.inf, -0.0)]}, b'{"a":"NaN","b":["Infinity",["-Infinity",-0.0]]}'),
        ([np.float32(0.1), np.float64(math.nan), np.int8(-1), np.bool_(True)], b'[0.1,"NaN",-1,true]'),
        ([np.complex64(1 + 2j), np.array(complex(math.inf, 0))], b'[[1.0,2.0],["Infinity",0.0]]'),
        ([2**63, 2**64, -(2**80)], b"[9223372036854775808,18446744073709551616,-1208925819614629174706176]"),
        ({"null": "null", "x": np.array([math.nan, 1.5])}, b'{"null":"null","x":["NaN",1.5]}'),
        ({"data": np.array([1, 2])}, b'{"data":[1,2]}'),
        ([None, True, "\u00e9\u2028"], '[null,true,"\u00e9\u2028"]'.encode()),
    ],
)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_nothing_in_a_document_turns_into_null(document: Any, expected: bytes, encoding: Encoding) -> None:
    assert dumps(document, encoding) == expected


def test_what_json_cannot_say_is_an_error_of_the_program() -> None:
    with pytest.raises(TypeError):
        dumps({"x": object()})


@pytest.mark.parametrize(
    "digits", ["9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809", "1" + "0" * 400]
)
def test_integers_of_any_size_arrive_exact(digits: str) -> None:
    value = loads(f'{{"data": [{digits}]}}'.encode())["data"][0]
    assert type(value) is int
    assert value == int(digits)


@given(st.integers())
def test_integers_round_trip(value: int) -> None:
    assert loads(dumps([value])) == [value]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_round_trip(value: float) -> None:
    back = loads(dumps([value]))[0]
    assert (type(back), math.copysign(1, back), back) == (float, math.copysign(1, value), value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"-0", -0.0),
        (b"[-0, 0,-0]", [-0.0, 0, -0.0]),
        (b'{"a":-0}', {"a": -0.0}),
        (b"[1e-0, -0e0, -0.5, 2E-05]", [1.0, -0.0, -0.5, 2e-05]),
        (rb'["-0", "a\"-0", -0, "\\", "2024-01-05 -0"]', ["-0", 'a"-0', -0.0, "\\", "2024-01-05 -0"]),
    ],
)
def test_the_sign_of_zero_stays(body: bytes, expected: Any) -> None:
    assert repr(loads(body)) == repr(expected)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"a": {"a": {"a": [{"a": 1}, {"a": 2}]}}},
        {"program": 'y = x[:, "a":]', "note": '"a": 1, "a": 2'},
        [[0] * 20, {"a": 1}, [[{"b": 1}], {"c": [1, {"d": 1}]}]],
        [None] * 30 + [{"a": 1}],
        [1, 2, {"slice": [None, 1, None]}],
    ],
)
def test_documents_without_repeated_keys_are_read(document: Any) -> None:
    for text in (json.dumps(document), json.dumps(document, indent=1), json.dumps(document, separators=(" , ", "\r\n : "))):
        assert loads(text.encode()) == document


@pytest.mark.parametrize(
    "body",
    [
        b'{"key": 1, "key": 2}',
        b'{"key": 1, "other": 1, "\\u006bey": 2}',
        b'[[1, 2], {"key": {"key": 1}}, {"key" : 1, "key"\n: 1}]',
        b'{"x": [' + b"0," * 100 + b'{"key": 1, "key": 1}]}',
        b'{"x": [[1], [{"key": 1, "key": 1}]], "text": "a: b"}',
    ],
)
def test_repeated_keys_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedJson, match=r'^The key "key" appears more than once in an object\.$'):
        loads(body)


@pytest.mark.parametrize(
    ("body", "part", "line", "column"),
    [
        (b"", "The body is empty, expected a JSON document.", None, None),
        (b" \n\t", "The body is empty", None, None),
        (b"\xef\xbb\xbf[1]", "byte order mark", 1, 1),
        ('["é",\n "é'.encode() + b'\xff"]', "not valid UTF-8", 2, 4),
        ('["é"]'.encode("utf-16"), "not valid UTF-8", 1, 1),
        (b'"\xed\xa0\x80"', "not valid UTF-8", 1, 2),
        (b'{"x": NaN}', 'NaN is not a JSON value; write it as the string "NaN"', 1, 7),
        (b"[1,\n  Infinity]", 'the string "Infinity"', 2, 3),
        (b"[-Infinity]", 'the string "-Infinity"', 1, None),
        (b"[1, 1e400]", 'infinity is written as the string "Infinity"', 1, None),
        (b"-1e400", "too large", 1, None),
        (b"1" + b"0" * 400 + b".5", "too large", 1, None),
        (b"[" + b"7" * 5000 + b"]", "too large", 1, None),
        (b"[" * 20_000, "nested too deeply", None, None),
        (b"[" * 20_000 + b"]" * 20_000, "nested too deeply", None, None),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "nested too deeply", None, None),
        (b"[1, 2", "not valid JSON", 1, None),
        (b'{"a": 1,\n "b": }', "not valid JSON", 2, None),
        (b"{'a': 1}", "not valid JSON", 1, None),
        (b"[1,]", "not valid JSON", 1, None),
        (b"[01]", "not valid JSON", 1, None),
        (b"[1] [2]", "not valid JSON", 1, None),
        (b'"\\ud800"', "not valid JSON", 1, None),
        (b'"\x01"', "not valid JSON", 1, None),
        (b"[1, -0, x]", "not valid JSON", 1, 9),
        (b"nul", "not valid JSON", 1, None),
        (b"\x00", "not valid JSON", 1, 1),
    ],
    ids=lambda value: repr(value[:16]) if isinstance(value, bytes) else "",
)
def test_malformed_bodies(body: bytes, part: str, line: int | None, column: int | None) -> None:
    with pytest.raises(MalformedJson) as caught:
        loads(body)
    error = caught.value
    assert error.code == "malformed_json"
    assert part in error.detail
    assert len(error.detail) < 200
    assert error.line == line
    assert (error.column is None) == (line is None)
    if column is not None:
        assert error.column == column
    if line is not None:
        assert error.detail.endswith(f" (line {line}, column {error.column}).")


@pytest.mark.parametrize("depth", [500, 900, 940, 960, 980, 1000, 1020, 1100])
def test_nesting_near_the_parsers_limits_does_no_harm(depth: int) -> None:
    # The string looks like a key, so that the second reader comes into play, whose limit is another.
    body = b"[" * depth + rb'"\":"' + b"]" * depth
    try:
        document = loads(body)
    except MalformedJson as refused:
        document = refused.detail
    if depth <= 500:
        assert isinstance(document, list)
    if document == "The document is nested too deeply to be read.":
        return
    while isinstance(document, list):
        (document,) = document
    assert document == '":'


@given(st.binary(max_size=40) | st.text(st.sampled_from('[]{},:"\\ntrue0123.eE-+NaN \n'), max_size=40).map(str.encode))
def test_a_body_is_either_read_or_refused(body: bytes) -> None:
    try:
        document = loads(body)
    except MalformedJson:
        return
    assert json.loads(body) == document
    assert loads(dumps(document)) == document
