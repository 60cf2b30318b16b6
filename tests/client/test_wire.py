from __future__ import annotations

import enum
import json
import math
from typing import Any

import numpy as np
import pytest

from gradwire import wire
from gradwire_engine import attached, codec
from gradwire_engine.dtypes import ALL
from gradwire_engine.errors import TensorTypeError, TensorValueError


def dumps(document: Any) -> bytes:
    """The JSON of a document of few numbers."""
    body, media = wire.body(document)
    assert media == "application/json"
    return body


@pytest.mark.parametrize("dtype", [d.numpy for d in ALL], ids=[d.name for d in ALL])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_arrays_come_back_as_they_went(dtype: Any, shape: tuple[int, ...]) -> None:
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    back = wire.loads(dumps({"x": {"data": array, "requires_grad": False}}))["x"]
    assert back["data"].dtype == dtype
    assert back["data"].shape == shape
    assert np.array_equal(back["data"], array)
    assert back["data"].flags.writeable
    assert (back["dtype"], back["shape"], back["requires_grad"]) == (dtype.name, list(shape), False)


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3).T, np.arange(6.0)[::2], np.arange(3, dtype=">f8")])
def test_the_layout_of_an_array_does_not_matter(array: Any) -> None:
    written = dumps(array)
    assert json.loads(written).keys() == {"base64", "dtype", "shape"}
    assert np.array_equal(wire.loads(written)["data"], array)
    assert np.array_equal(wire.plain(array)["data"], array)


def test_what_is_not_finite_is_written_as_a_string_and_read_in_tensors() -> None:
    special = [math.nan, math.inf, -math.inf, -0.0]
    assert dumps({"args": special}) == b'{"args":["NaN","Infinity","-Infinity",-0.0]}'
    tensor = {"data": ["NaN", "Infinity", "-Infinity", -0.0], "dtype": "float64", "shape": [4]}
    read = wire.loads(json.dumps(tensor).encode())["data"]
    assert np.array_equal(read, special, equal_nan=True)
    assert np.signbit(read[3])


def test_integers_are_exact() -> None:
    for number in (2**53 + 1, -(2**63), 2**64, 10**40):
        assert json.loads(dumps({"args": [number, math.nan]}))["args"][0] == number
        assert wire.loads(str(number).encode()) == number


def test_numbers_of_numpy_and_tuples_travel_as_pythons() -> None:
    size = type("Size", (tuple,), {})
    color = enum.IntEnum("color", {"RED": 1})
    given = {"a": np.float32(0.5), "b": (np.int64(2), 3), "c": 1 + 2j, "d": np.bool_(True), "e": size((1, 2)), "f": color.RED}
    expected = {"a": 0.5, "b": [2, 3], "c": {"complex": [1.0, 2.0]}, "d": True, "e": [1, 2], "f": 1}
    assert json.loads(dumps(given)) == expected
    plain = wire.plain(given)
    assert plain == expected
    assert type(plain["a"]) is float
    assert type(plain["b"]) is list


def test_arrays_stand_for_whole_tensors_too() -> None:
    assert wire.plain({"args": ["x", np.array([1, 2])]})["args"][1].keys() == {"data", "dtype", "shape"}
    assert json.loads(dumps([np.array(2.5)])) == [{"dtype": "float64", "shape": [], "base64": "AAAAAAAABEA="}]


def test_plain_leaves_what_is_plain() -> None:
    document: dict[str, Any] = {"inputs": {"x": [1, 2.5, "NaN"]}, "nodes": [], "backward": None, "create_graph": True}
    assert wire.plain(document) == document


@pytest.mark.parametrize("write", [dumps, wire.plain])
def test_a_dtype_beside_an_array_must_be_its_own(write: Any) -> None:
    assert write({"data": np.array([1.0]), "dtype": "double"})
    with pytest.raises(TensorTypeError, match="has dtype float64, but the tensor says float32"):
        write({"data": np.array([1.0]), "dtype": "float32"})


@pytest.mark.parametrize("write", [dumps, wire.plain])
def test_a_shape_beside_an_array_must_be_its_own(write: Any) -> None:
    assert write({"data": np.array([1.0]), "shape": (1,)})
    with pytest.raises(TensorValueError, match=r"has shape \[1\], but the tensor says \[2\]"):
        write({"data": np.array([1.0]), "shape": [2]})


@pytest.mark.parametrize("write", [dumps, wire.plain])
@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_is_no_document_is_refused(write: Any, value: Any) -> None:
    with pytest.raises(TypeError, match=f"a {type(value).__name__} has no place in it"):
        write({"inputs": {"x": value}})


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"base64": "?", "dtype": "float32", "shape": []}', b'{"data": [1], "dtype": "f", "shape": [1]}']
)
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wire.loads(body)


def test_objects_with_dtype_and_shape_alone_are_no_tensors() -> None:
    meta = {"dtype": "float32", "shape": [2], "grad_fn": None}
    assert wire.loads(json.dumps(meta).encode()) == meta


@pytest.mark.parametrize("dtype", [d.numpy for d in ALL], ids=[d.name for d in ALL])
def test_many_numbers_travel_beside_the_document(dtype: Any) -> None:
    array = np.arange(20_000).reshape(100, 200).T.astype(dtype)
    request = {"inputs": {"x": {"data": array, "requires_grad": True}, "y": np.float32(math.inf)}, "args": [array, "x", (1, math.nan)]}
    body, media = wire.body(request)
    assert media == "application/x-safetensors"
    document = attached.unpack(body, attached.REQUEST)
    for tensor in (document["inputs"].pop("x"), document["args"].pop(0)):
        data = tensor.pop("data")
        assert (data.dtype, data.shape, data.tobytes()) == (dtype, array.shape, array.tobytes())
        assert tensor.pop("requires_grad", True)
        assert tensor == {"dtype": dtype.name, "shape": [200, 100]}
    assert document == {"inputs": {"y": "Infinity"}, "args": ["x", [1, "NaN"]]}


def test_few_numbers_are_json() -> None:
    assert wire.body({"x": np.zeros(2047)})[1] == "application/json"
    assert wire.body({"x": np.zeros(2048)})[1] == wire.body([np.zeros(1024), np.zeros(1024)])[1] == "application/x-safetensors"


def test_tensors_of_an_answer_belong_to_the_receiver() -> None:
    document = {"x": codec.encode(np.arange(3.0)), "z": codec.encode(np.array([1 + 2j])), "none": None}
    answer = b"".join(attached.pack(document, attached.RESPONSE, lambda rest: json.dumps(rest).encode()))
    x, z = (wire.unpack(answer)[name]["data"] for name in "xz")
    assert (x.tolist(), z.tolist(), z.dtype) == ([0, 1, 2], [1 + 2j], np.complex128)
    for array in (x, z):
        assert array.flags.owndata
        assert array.flags.writeable


@pytest.mark.parametrize("answer", [b"", b"{}", b"".join(attached.pack(1, attached.REQUEST, lambda rest: b"1"))])
def test_what_is_no_answer_with_tensors_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match="safetensors"):
        wire.unpack(answer)
