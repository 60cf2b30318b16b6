"""Long lists of numbers: as arrays they say what they say as lists, or are left as they are."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradwire_engine.number_lists import Numbers
from gradwire_server import long_tensors, number_runs, wire
from gradwire_server.wire import MalformedJson, TooManyValues, loads
from tests.server.taken import outcome, written


@pytest.fixture(autouse=True)
def _short_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of a few numbers count as long, and are read in several pieces."""
    monkeypatch.setattr(long_tensors, "_LEAST_BYTES", 2)
    monkeypatch.setattr(number_runs, "_PIECE_BYTES", 24)
    monkeypatch.setattr(wire, "PIECE_BYTES", 1)


def loaded(body: bytes) -> Any:
    return loads(body, tensors=True)


def check_same(data: bytes, **members: Any) -> None:
    """Reads a tensor both ways: what comes of it, value or error, is the same."""
    rest = "".join(f',"{key}":{json.dumps(value)}' for key, value in members.items()).encode()
    body = b'{"inputs":{"x":{"data":' + data + rest + b'},"other":"text"}}'
    try:
        slow = loads(body)
    except MalformedJson as error:
        with pytest.raises(MalformedJson, match=f"^{re.escape(error.detail)}$"):
            loaded(body)
        return
    quick = loaded(body)
    assert repr(written(quick)) == repr(slow)
    assert outcome(quick["inputs"]["x"]) == outcome(slow["inputs"]["x"])


def taken(data: str) -> Numbers | None:
    found = loaded(b'{"x":{"data":' + data.encode() + b"}}")["x"]["data"]
    return found if isinstance(found, Numbers) else None


@pytest.mark.parametrize(
    ("data", "kind", "shape"),
    [
        ("[1,2,3]", "i", (3,)),
        ("[1, 2.5, 3]", "f", (3,)),
        ("[ 1 ,\n-0, 3 ]", "f", (3,)),
        ("[10000000000,200000000000,3.5]", "f", (3,)),
        ("[[1,2],[3,4]]", "i", (2, 2)),
        ("[[[1e3, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]]", "f", (3, 2, 2)),
        ("[[[1]],[[2]]]", "i", (2, 1, 1)),
        ("[[[1, 2, 3]]]", "i", (1, 1, 3)),
        ("[9223372036854775807, -9223372036854775808]", "i", (2,)),
    ],
)
def test_lists_of_numbers_are_arrays(data: str, kind: str, shape: tuple[int, ...]) -> None:
    found = taken(data)
    assert found is not None
    assert (found.array.dtype.kind, found.array.shape) == (kind, shape)
    assert np.array_equal(found.array, json.loads(data))


@pytest.mark.parametrize(
    "data",
    [
        "[]",
        "[[],[]]",
        "[1,true]",
        "[1,null]",
        '[1,"NaN"]',
        '[1,{"a":2}]',
        "[[1,2],[3]]",
        "[[1,2],3]",
        "[1,[2,3]]",
        "[[1],[[2]]]",
        "[9223372036854775808,1]",
        "[[[[[[[[[1,2]]]]]]]]]",
        "1.5",
        '"text"',
    ],
)
def test_others_stay_as_they_are(data: str) -> None:
    assert taken(data) is None
    assert loaded(b'{"x":{"data":' + data.encode() + b"}}") == {"x": {"data": json.loads(data)}}


@pytest.mark.parametrize("dtype", [None, "float64", "float32", "float16", "int64", "int8", "uint8", "bool", "complex64", "complex128"])
@pytest.mark.parametrize(
    "data",
    [
        "[1,2,3]",
        "[1.0,2.5,-0,-0.0]",
        "[[1,2],[3,4]]",
        "[[1.5,2],[3,-0]]",
        "[9007199254740993,-9007199254740993,16777217]",
        "[9007199254740993,0.5]",
        "[1e39,1,2,3]",
        "[70000,1.5]",
        "[300,-1]",
        "[1e400,1]",
        "[1,2.0,3]",
        "[18446744073709551616,0.5]",
    ],
)
def test_a_tensor_is_the_same_or_the_same_error(data: str, dtype: str | None) -> None:
    members: dict[str, Any] = {} if dtype is None else {"dtype": dtype}
    check_same(data.encode(), **members)
    check_same(data.encode(), **members, requires_grad=True)
    for shape in ([3], [2, 2], [2], [4]):
        check_same(data.encode(), **members, shape=shape)


def test_numbers_elsewhere_stay_lists() -> None:
    document: Any = {
        "inputs": {"data": [1, 2, 3], "x": {"data": [4, 5, 6]}},
        "nodes": [{"op": "tensor", "kwargs": {"data": [1, 2, 3]}, "args": [{"data": [1, 2, 3], "dtype": "int8"}, [1, 2, 3]]}],
        'a"data': [1, 2, 3],
        "text": ' "data": [1, 2, 3] ',
        "data": "data",
    }
    for text in (json.dumps(document), json.dumps(document, indent=1)):
        found = loaded(text.encode())
        assert isinstance(found["inputs"]["x"]["data"], Numbers)
        assert isinstance(found["nodes"][0]["args"][0]["data"], Numbers)
        assert found["inputs"]["data"] == found["nodes"][0]["kwargs"]["data"] == [1, 2, 3]
        assert written(found) == document


def test_inputs_may_be_called_data() -> None:
    found = loaded(b'{"inputs":{"data":[1.5,2,3]}}')["inputs"]["data"]
    assert outcome(found) == outcome([1.5, 2, 3])


def test_a_string_that_looks_like_what_stands_in_for_a_list_is_one() -> None:
    document = {"x": {"data": [1, 2, 3]}, "y": {"data": "\0000"}}
    assert loaded(json.dumps(document).encode()) == document


LEAVES = st.integers(-(2**65), 2**65) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["-0", "-0.0", "1e5"])
ROWS = st.recursive(
    st.lists(LEAVES, min_size=1, max_size=4), lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=12
) | st.integers(1, 4).flatmap(lambda size: st.lists(st.lists(LEAVES, min_size=size, max_size=size), min_size=1, max_size=4))


@settings(max_examples=600, deadline=None)
@given(ROWS, st.sampled_from([None, "float64", "float32", "int64", "complex128"]), st.sampled_from([None, 1]))
def test_any_nested_list_reads_alike(rows: Any, dtype: str | None, indent: int | None) -> None:
    text = json.dumps(rows, indent=indent).replace('"', "")
    check_same(text.encode(), **({} if dtype is None else {"dtype": dtype}))


@settings(max_examples=1500, deadline=None)
@given(st.text(st.sampled_from("[[]],,,0123.-e \n"), min_size=2, max_size=24))
@example("[1,2,]")
@example("[[1],[2],]")
@example("[[1,]2]")
@example("[1[,]2]")
@example("[[1[,]2]]")
@example("[[1,2],[,3]]")
@example("[[1,2],[3,]]")
@example("[[1,2]],[[3,4]]")
@example("[[1,2]]]")
@example("[[1,2][3,4]]")
@example("[1,2],3")
@example("[[1,2],[3,4]],[1")
def test_anything_is_read_or_refused_alike(text: str) -> None:
    check_same(text.encode())


def test_values_are_counted() -> None:
    for data in ("[1,2,3]", "[[1,2],[3,4],[5,6]]", '[1.5,2,3,4,5,6,7,"NaN"]', "[[1,2],[3]]"):
        body = f'{{"x":{{"data":{data},"dtype":"float64"}}}}'.encode()
        values = 1
        while True:
            try:
                loads(body, most_values=values)
                break
            except TooManyValues:
                values += 1
        loads(body, most_values=values, tensors=True)
        with pytest.raises(TooManyValues):
            loads(body, most_values=values - 1, tensors=True)


def test_errors_are_found_in_the_whole_text() -> None:
    with pytest.raises(MalformedJson) as caught:
        loaded(b'{"x":{"data":[1,2,3]},\n "y": tru}')
    assert (caught.value.line, caught.value.column) == (2, 7)
    with pytest.raises(MalformedJson, match='The key "x" appears more than once'):
        loaded(b'{"x":{"data":[1,2,3]},"x":1}')
