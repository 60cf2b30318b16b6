from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gradwire_engine.attached import REQUEST, RESPONSE, pack, unpack
from gradwire_engine.codec import decode, encode
from gradwire_engine.errors import ProgramError
from gradwire_engine.safetensors import MalformedSafetensors, read, write


def dumps(document: Any) -> bytes:
    return json.dumps(document).encode()


def body(document: Any, **tensors: Any) -> bytes:
    text = document if isinstance(document, str) else json.dumps(document)
    return b"".join(write({name: np.asarray(array) for name, array in tensors.items()}, {REQUEST: text}))


def test_a_document_and_its_tensors_come_back() -> None:
    document: Any = {
        "outputs": {"z": encode(np.array(2.5)), "c": encode(np.array([1 + 2j, 3], np.complex64), requires_grad=True), "e": None},
        "results": [None, {"value": encode(np.zeros((0, 2), bool))}, [1, "data", {"data": "text"}]],
    }
    packed = b"".join(pack(document, RESPONSE, dumps))
    assert list(read(packed).tensors) == ["outputs/z", "outputs/c", "results/1/value"]
    written = json.loads(read(packed).metadata[RESPONSE])
    assert written["outputs"]["c"] == {
        "tensor": "outputs/c",
        "dtype": "complex64",
        "shape": [2],
        "requires_grad": True,
        "is_leaf": True,
        "grad_fn": None,
    }
    back = unpack(packed, RESPONSE)
    for path in (("outputs", "z"), ("outputs", "c"), ("results", 1, "value")):
        one, other = back, document
        for step in path:
            one, other = one[step], other[step]
        assert one["data"].dtype == other["data"].dtype
        assert np.array_equal(one.pop("data"), other.pop("data"))
    assert back == document


@pytest.mark.parametrize("document", [None, [], 1, {"data": [1.0], "dtype": "float32"}])
def test_a_document_without_tensors(document: Any) -> None:
    packed = b"".join(pack(document, RESPONSE, dumps))
    assert not read(packed).tensors
    assert unpack(packed, RESPONSE) == document


def test_a_tensor_may_be_the_whole_document() -> None:
    packed = b"".join(pack(encode(np.arange(3)), RESPONSE, dumps))
    assert unpack(packed, RESPONSE)["data"].tolist() == [0, 1, 2]


def test_a_tensor_may_be_used_twice() -> None:
    document = unpack(body({"inputs": {"x": {"tensor": "t", "requires_grad": True}, "y": {"tensor": "t"}}}, t=[1.0, 2.0]), REQUEST)
    assert document["inputs"]["x"].keys() == {"data", "requires_grad"}
    x, y = (decode(document["inputs"][name]).array for name in "xy")
    assert not np.shares_memory(x, y)
    assert x.tolist() == y.tolist() == [1, 2]


def test_names_of_the_callers_choice_are_no_references() -> None:
    functions = {"tensor": {"forward": {}, "backward": {"nodes": [], "inputs": [], "outputs": {"tensor": "t"}}}}
    document = {
        "inputs": {"tensor": "NaN", "inputs": {"tensor": "t"}},
        "nodes": [{"name": "y", "op": "add", "args": ["inputs", {"tensor": "t"}], "kwargs": {"tensor": "t", "other": {"tensor": "t"}}}],
        "backward": {"tensor": "NaN", "nodes": 1},
        "functions": functions,
        "instructions": [{"do": "create", "tensor": {"tensor": "t"}}],
    }
    filled = unpack(body(document, t=[1.0]), REQUEST)
    for place in (
        filled["inputs"]["inputs"],
        filled["nodes"][0]["args"][1],
        filled["nodes"][0]["kwargs"]["other"],
        filled["instructions"][0]["tensor"],
    ):
        assert place.keys() == {"data"}
        assert place.pop("data").tolist() == [1]
    assert filled["nodes"][0]["kwargs"]["tensor"] == "t"
    assert filled["functions"] == functions
    assert filled["inputs"]["tensor"] == "NaN"


def test_a_tensor_that_is_not_aligned_is_read_all_the_same() -> None:
    aligned = body({"inputs": {"x": {"tensor": "x"}}}, x=np.arange(9.0))
    size = int.from_bytes(aligned[:8], "little")
    shifted = (size + 1).to_bytes(8, "little") + aligned[8 : 8 + size] + b" " + aligned[8 + size :]
    data = unpack(bytearray(shifted), REQUEST)["inputs"]["x"]["data"]
    literal = decode({"data": data}).array
    assert literal.flags.aligned
    assert literal.tolist() == list(range(9))


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ({"inputs": {"x": {"tensor": "nope"}}}, "unknown_tensor", "/inputs/x/tensor"),
        ({"inputs": {}}, "unused_tensor", ""),
        (1, "unused_tensor", ""),
        ({"a": [0, {"tensor": "t", "data": 1}]}, "invalid_tensor", "/a/1"),
        ({"a/b": {"tensor": "t", "base64": ""}}, "invalid_tensor", "/a~1b"),
        ({"a": {"tensor": "t", "dtype": "complex64"}}, "dtype_mismatch", "/a/tensor"),
        ({"a": {"tensor": "t", "dtype": "complex128"}}, "dtype_mismatch", "/a/tensor"),
    ],
)
def test_documents_that_do_not_fit_their_tensors(document: Any, code: str, pointer: str) -> None:
    with pytest.raises(ProgramError) as caught:
        unpack(body(document, t=np.ones((2, 3), np.float32)), REQUEST)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no document"),
        ("{", "is no document"),
        ('{"a":1,"a":2}', "a key twice"),
        ('"\ud800"', "is no document"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
    ids=["empty", "open", "twice", "surrogate", "deep"],
)
def test_documents_that_are_malformed(text: str, reason: str) -> None:
    with pytest.raises(MalformedSafetensors, match=reason):
        unpack(body(text), REQUEST)


def test_a_body_without_a_document() -> None:
    with pytest.raises(MalformedSafetensors, match="has no entry 'request' in its __metadata__"):
        unpack(b"".join(write({}, {RESPONSE: "{}"})), REQUEST)
