from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradwire_engine import dtypes
from gradwire_engine.dtypes import Array
from gradwire_engine.safetensors import MOST_TENSORS, Contents, MalformedSafetensors, read, write

REAL = [dtype.name for dtype in dtypes.ALL if dtype.numpy.kind != "c"]
SHAPES: list[tuple[int, ...]] = [(), (0,), (3,), (2, 3), (2, 0, 3), (1,) * 20]


def whole(tensors: dict[str, Array], metadata: dict[str, str] | None = None) -> bytes:
    return b"".join(write(tensors, metadata or {}))


def body(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def bits(count: int, name: str) -> Array:
    """Any bits at all, NaN payloads among them."""
    dtype = np.dtype(name)
    raw = np.random.default_rng(0).integers(0, 256, count * dtype.itemsize, np.uint8)
    return raw % 2 == 1 if name == "bool" else raw.view(dtype)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_bit_survives(name: str, shape: tuple[int, ...]) -> None:
    array = bits(math.prod(shape), name).reshape(shape)
    back = read(whole({"x": array, "other": np.arange(3, dtype=np.int8)}))
    assert (back.tensors["x"].dtype, back.tensors["x"].shape) == (array.dtype, shape)
    assert back.tensors["x"].tobytes() == array.tobytes()
    assert back.tensors["other"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["complex64", "complex128"])
def test_complex_numbers_are_pairs(name: str) -> None:
    array = bits(12, "float64").view(name)[:4].reshape(2, 2)
    back = read(whole({"x": array})).tensors["x"]
    assert back.shape == (2, 2, 2)
    assert back.tobytes() == array.tobytes()


def test_what_is_not_contiguous_is_written_in_order() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    for view in (array.T, array[:, ::-1], array[:, :, 1], np.broadcast_to(array, (2, 2, 3, 4))):
        assert np.array_equal(read(whole({"x": view})).tensors["x"], view)


def test_the_layout_is_that_of_the_format() -> None:
    written = whole({"b": np.array([1, 2], np.int8), "a": np.array([1.0, 2.0])}, {"note": "é"})
    size = int.from_bytes(written[:8], "little")
    assert size % 8 == 0
    assert json.loads(written[8 : 8 + size]) == {
        "__metadata__": {"note": "é"},
        "a": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]},
        "b": {"dtype": "I8", "shape": [2], "data_offsets": [16, 18]},
    }
    assert written[8 + size :] == struct.pack("<dd", 1, 2) + b"\1\2"


def test_tensors_are_not_copied() -> None:
    array = np.arange(1000.0)
    _, piece = write({"x": array}, {})
    assert np.shares_memory(np.frombuffer(piece), array)
    given = bytearray(whole({"x": array}))
    back = read(given).tensors["x"]
    assert back.flags.aligned
    given[-8:] = struct.pack("<d", -1)
    assert back[-1] == -1


def test_a_body_of_another_writer() -> None:
    # Offsets in another order than the names, a header of any length, and spaces behind it.
    header = {"z": entry("I16", [1], [4, 6]), "a": entry("F32", [], [0, 4]), "e": entry("U8", [0, 5], [6, 6])}
    back = read(body(json.dumps(header).encode() + b"   ", struct.pack("<fh", 1.5, -2)))
    assert (back.tensors["a"].item(), back.tensors["z"].tolist(), back.tensors["e"].shape) == (1.5, [-2], (0, 5))
    assert list(back.tensors) == ["z", "a", "e"]
    assert read(body({})) == Contents({}, {})


DATA = bytes(8)
NESTED = 100_000


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (b"", "it has 0 bytes"),
        (b"\1\0\0", "it has 3 bytes"),
        (struct.pack("<Q", 2**63) + b"{}", "its header would have 9223372036854775808 bytes, more than"),
        (struct.pack("<Q", 2**64 - 1) + b"{}", "its header would have"),
        (struct.pack("<Q", 3) + b"{}", "within its header of 3 bytes"),
        (body(b""), "does not begin with '{'"),
        (body(b"[1]"), "does not begin with '{'"),
        (body(b" {}"), "does not begin with '{'"),
        (body(b"{"), "its header is not read"),
        (body(b"{}{}"), "its header is not read"),
        (body(b'{"\xff": 1}'), "its header is not read"),
        (body(b'{"a":' * NESTED + b"1" + b"}" * NESTED), "nested too deeply"),
        (body(b'{"a":' + b"[" * NESTED + b"]" * NESTED + b"}"), "nested too deeply"),
        (body(b'{"a":' + b"7" * 6000 + b"}"), "its header is not read"),
        (body(b'{"x":%s,"x":%s}' % ((json.dumps(entry()).encode(),) * 2), DATA), "a key twice"),
        (body(b'{"x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', DATA), "a key twice"),
        (body({"__metadata__": {"a": 1}}), "must be an object of strings"),
        (body({"__metadata__": ["a"]}), "must be an object of strings"),
        (body({"x": [1]}), "must be described by dtype, shape and data_offsets"),
        (body({"x": {"dtype": "F32", "shape": [2]}}, DATA), "must be described by"),
        (body({"x": {**entry(), "more": 1}}, DATA), "must be described by"),
        (body({"x": entry("F33")}, DATA), "has the dtype 'F33', expected one of BOOL, U8"),
        (body({"x": entry("BF16", [4])}, DATA), "has the dtype 'BF16'"),
        (body({"x": entry(["F32"])}, DATA), "has the dtype"),
        (body({"x": entry(shape=[-2])}, DATA), "not negative"),
        (body({"x": entry(shape=[2.0])}, DATA), "whole numbers"),
        (body({"x": entry(shape=[True, 2])}, DATA), "whole numbers"),
        (body({"x": entry(shape={"0": 2})}, DATA), "must be a list"),
        (body({"x": entry(shape=[2**70, 0], offsets=[0, 0])}), "whole numbers"),
        (body({"x": entry(shape=[2**62, 0, 2**62], offsets=[0, 0])}), "larger than any array"),
        (body({"x": entry(shape=[2**32, 2**32])}, DATA), "larger than any array"),
        (body({"x": entry(shape=[1] * 65, offsets=[0, 4])}, bytes(4)), "has 65 dimensions"),
        (body({"x": entry(shape=[3])}, DATA), "takes 12 bytes, but its data_offsets are 8 apart"),
        (body({"x": entry(offsets=[8, 0])}, DATA), "in order"),
        (body({"x": entry(offsets=[-8, 0])}, DATA), "not negative"),
        (body({"x": entry(offsets=[0, 8, 16])}, DATA), "must be two whole numbers"),
        (body({"x": entry(offsets=[0.0, 8.0])}, DATA), "must be two whole numbers"),
        (body({"x": entry(offsets=[2**64, 2**64 + 8])}, DATA), "must be two whole numbers"),
        (body({"x": entry(offsets=[8, 16])}, DATA), "leaves a gap before it: it begins at 8, expected 0"),
        (body({"x": entry(), "y": entry(offsets=[12, 20])}, bytes(20)), "'y' leaves a gap"),
        (body({"x": entry(), "y": entry(offsets=[4, 12])}, bytes(12)), "'y' overlaps the one before it"),
        (body({"x": entry(), "y": entry()}, DATA), "overlaps"),
        (body({"x": entry()}, DATA[1:]), "ends 1 bytes behind the end"),
        (body({"x": entry(shape=[2**40], offsets=[0, 2**42])}, DATA), "behind the end of the body"),
        (body({"x": entry()}, DATA + b"\0"), "1 bytes follow the last tensor"),
        (body({}, b"\0"), "1 bytes follow"),
        (body({"x": entry("BOOL", [8])}, DATA[1:] + b"\2"), "other bytes than 0 and 1"),
        (body({f"x{i}": entry(shape=[0], offsets=[0, 0]) for i in range(100_000)}), f"more than the {MOST_TENSORS} tensors"),
        (
            body(json.dumps({f"x{i}": entry(shape=[0], offsets=[0, 0]) for i in range(20_000)}).replace("data_o", "\\u0064ata_o").encode()),
            "it has 20000 tensors, more than",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_bodies_that_lie(given: bytes, reason: str) -> None:
    with pytest.raises(MalformedSafetensors) as caught:
        read(given)
    assert reason in caught.value.detail
    assert caught.value.code == "malformed_safetensors"
    assert len(caught.value.detail) < 400


def test_a_body_that_is_cut_off_is_refused_wherever() -> None:
    given = whole({"x": np.arange(5.0), "y": np.array([True, False])}, {"request": "{}"})
    for length in range(len(given)):
        with pytest.raises(MalformedSafetensors):
            read(given[:length])


VALUES: st.SearchStrategy[Any] = (
    st.integers(-2, 2**66) | st.sampled_from([0, 1, 2, 4, 8, 12, 16]) | st.sampled_from(["F32", "BOOL", None, 1.5, True, {}, []])
)
SIZES = st.lists(st.sampled_from([0, 1, 2, 3, 2**31, 2**62]) | VALUES, max_size=4)
ENTRIES = st.fixed_dictionaries(
    {"dtype": st.sampled_from(["F32", "F64", "BOOL", "I8", "C64"]) | VALUES, "shape": SIZES | VALUES, "data_offsets": SIZES | VALUES}
)
HEADERS = st.dictionaries(st.sampled_from(["x", "y", "", "__metadata__"]), ENTRIES | VALUES, max_size=3)


@settings(max_examples=1500, deadline=None)
@given(HEADERS, st.binary(max_size=40))
def test_any_header_is_read_or_refused(header: Any, data: bytes) -> None:
    check_read_or_refused(body(header, data))


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_a_damaged_body_is_read_or_refused(data: st.DataObject) -> None:
    given = bytearray(whole({"x": np.arange(2.0), "y": np.array([[True]])}, {"request": "{}"}))
    for _ in range(data.draw(st.integers(1, 4))):
        given[data.draw(st.integers(0, len(given) - 1))] = data.draw(st.integers(0, 255))
    check_read_or_refused(bytes(given[: data.draw(st.integers(0, len(given)))]))


def check_read_or_refused(given: bytes) -> None:
    try:
        contents = read(given)
    except MalformedSafetensors:
        return
    # What is read accounts for every byte behind the header.
    size = int.from_bytes(given[:8], "little")
    assert sum(array.nbytes for array in contents.tensors.values()) == len(given) - 8 - size
    again = read(whole(dict(contents.tensors), dict(contents.metadata)))
    assert {name: array.tobytes() for name, array in again.tensors.items()} == {
        name: array.tobytes() for name, array in contents.tensors.items()
    }
