"""The formats of bodies, over HTTP."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.types import ASGIApp

from gradwire_engine import attached
from gradwire_engine.dtypes import ALL, Array
from gradwire_engine.limits import Limits
from gradwire_engine.safetensors import MEDIA_TYPE, write
from gradwire_server.app import create_app
from gradwire_server.documents import Documents
from gradwire_server.negotiation import CallOptions
from gradwire_server.services.repeated import EvaluateRepeated
from gradwire_server.settings import Settings
from tests.server.support import call, problem

SQUARE = {
    "nodes": [{"name": "y", "op": "mul", "args": ["x", "x"]}, {"name": "z", "op": "sum", "args": ["y"]}],
    "outputs": ["z"],
    "backward": "z",
}


def application(**settings: Any) -> ASGIApp:
    return create_app(Settings(**settings))


def packed(document: Any, tensors: dict[str, Array]) -> bytes:
    return b"".join(write(tensors, {attached.REQUEST: json.dumps(document)}))


def post(app: ASGIApp, body: bytes, path: str = "/v1/evaluate", *, sent: str = MEDIA_TYPE, **headers: str) -> httpx.Response:
    given = {"content-type": sent, "accept": MEDIA_TYPE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return call(app, "POST", path, content=body, headers=given)


def unpacked(answer: httpx.Response) -> Any:
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert int(answer.headers["content-length"]) == len(answer.content)
    return attached.unpack(answer.content, attached.RESPONSE)


@pytest.mark.parametrize("dtype", [dtype.name for dtype in ALL])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (300, 40)])
def test_every_dtype_both_ways(dtype: str, shape: tuple[int, ...]) -> None:
    array = (np.random.default_rng(1).normal(size=shape) * 3).astype(dtype)
    reference = {"tensor": "x", **({"dtype": dtype} if array.dtype.kind == "c" else {})}
    program = {"inputs": {"x": reference}, "nodes": [{"name": "y", "op": "clone", "args": ["x"]}], "outputs": ["y"]}
    tensor = unpacked(post(application(), packed(program, {"x": array})))["outputs"]["y"]
    assert (tensor["data"].dtype, tensor["dtype"], tensor["shape"]) == (array.dtype, dtype, list(shape))
    assert tensor["data"].tobytes() == array.tobytes()


def test_the_bits_of_nan_and_of_zero_survive() -> None:
    array = np.array([0x7FF8DEAD0000BEEF, 0xFFF8000000000001, 1 << 63, 0x7FF0000000000000], np.uint64).view(np.float64)
    program = {"inputs": {"x": {"tensor": "x"}}, "nodes": [], "outputs": ["x"]}
    back = unpacked(post(application(), packed(program, {"x": array})))["outputs"]["x"]["data"]
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("accept", ["application/json", MEDIA_TYPE])
@pytest.mark.parametrize("sent", ["application/json", MEDIA_TYPE])
@pytest.mark.parametrize("compressed", [False, True])
def test_all_formats_say_the_same(sent: str, accept: str, compressed: bool) -> None:
    x = np.linspace(-1, 1, 5000)
    given: Any = {"tensor": "x"} if sent == MEDIA_TYPE else {"data": x.tolist(), "dtype": "float64"}
    program = {"inputs": {"x": {**given, "requires_grad": True}}, **SQUARE}
    body = packed(program, {"x": x}) if sent == MEDIA_TYPE else json.dumps(program).encode()
    headers = {"content_encoding": "gzip", "accept_encoding": "br, gzip"} if compressed else {"accept_encoding": "identity"}
    answer = post(application(), gzip.compress(body) if compressed else body, sent=sent, accept=accept, **headers)
    assert answer.status_code == 200, answer.text
    document = unpacked(answer) if accept == MEDIA_TYPE else answer.json()
    assert ("content-encoding" in answer.headers) == (compressed and accept != MEDIA_TYPE)
    assert np.array_equal(document["grads"]["x"]["data"], 2 * x)
    assert document["outputs"]["z"]["grad_fn"] == "SumBackward0"


def test_short_answers_are_not_compressed() -> None:
    program = json.dumps({"inputs": {"x": 1.5}, "nodes": [], "outputs": ["x"]}).encode()
    answer = post(application(), program, sent="application/json", accept="application/json", accept_encoding="gzip")
    assert "content-encoding" not in answer.headers
    assert answer.json()["outputs"]["x"]["data"] == 1.5


def test_sessions_speak_it_too() -> None:
    app = application()
    x = np.arange(6.0).reshape(2, 3)
    session = call(app, "POST", "/v1/sessions").json()["id"]
    instructions = [
        {"do": "create", "name": "x", "tensor": {"tensor": "x", "requires_grad": True}},
        {"do": "create", "name": "y", "tensor": {"tensor": "x"}},
        {"do": "op", "name": "z", "op": "mul", "args": ["x", {"tensor": "w"}]},
        {"do": "op", "name": "s", "op": "sum", "args": ["z"]},
        {"do": "backward", "of": "s"},
        {"do": "read", "name": "y", "what": ["value"]},
        {"do": "op", "name": "y", "op": "mul_", "args": ["y", 0]},
    ]
    body = packed({"seq": 1, "instructions": instructions}, {"x": x, "w": x + 1})
    batch = f"/v1/sessions/{session}/batch"
    first, again = post(app, body, batch), post(app, body, batch)
    assert first.content == again.content
    # Written before the tensor was overwritten.
    assert np.array_equal(unpacked(first)["results"][5]["value"]["data"], x)
    headers = {"accept": MEDIA_TYPE}
    for path, expected in [("x", x), ("x/grad", x + 1), ("y", 0 * x)]:
        found = unpacked(call(app, "GET", f"/v1/sessions/{session}/tensors/{path}", headers=headers))
        assert np.array_equal(found["data"], expected)
    assert unpacked(call(app, "GET", f"/v1/sessions/{session}/tensors/y/grad", headers=headers)) is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_safetensors"),
        (b"{}", 400, "malformed_safetensors"),
        ((2**62).to_bytes(8, "little") + b"{}", 400, "malformed_safetensors"),
        (packed({"inputs": {}}, {})[:-9], 400, "malformed_safetensors"),
        (packed("x", {}).replace(b"request", b"respond"), 400, "malformed_safetensors"),
        (packed("x", {}).replace(b'\\"x\\"', b'\\"x\\x'), 400, "malformed_safetensors"),
        (packed({"inputs": {"x": {"tensor": "x"}}, "nodes": [], "outputs": ["x"]}, {}), 422, "unknown_tensor"),
        (packed({"inputs": {}, "nodes": [], "outputs": []}, {"x": np.ones(2)}), 422, "unused_tensor"),
        (packed({"inputs": {"x": {"tensor": "x", "dtype": "int64"}}, "outputs": ["x"]}, {"x": np.ones(2)}), 422, "dtype_mismatch"),
        (packed({"inputs": {"x": {"tensor": "x", "shape": [3]}}, "outputs": ["x"]}, {"x": np.ones(2)}), 422, "shape_mismatch"),
    ],
    ids=["empty", "short", "huge", "cut", "no entry", "bad text", "unknown", "unused", "dtype", "shape"],
)
def test_bad_bodies(body: bytes, status: int, code: str) -> None:
    assert problem(post(application(), body)) == (status, code)


def test_an_answer_has_no_more_bytes_than_it_may() -> None:
    program = {"inputs": {"x": {"tensor": "x"}}, "nodes": [], "outputs": ["x"]}
    answer = post(application(answer_bytes=5000), packed(program, {"x": np.ones(1000)}))
    assert problem(answer) == (422, "answer_too_large")


def test_an_answer_in_whichever_format_suits_it() -> None:
    for count, expected in [(2000, "application/json"), (2100, MEDIA_TYPE)]:
        program = {"inputs": {"x": {"tensor": "x"}}, "nodes": [], "outputs": ["x"]}
        answer = post(application(), packed(program, {"x": np.ones(count)}), accept=f"application/json, {MEDIA_TYPE}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, expected)


def test_sessions_are_made_by_plain_json() -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = call(application(), "POST", "/v1/sessions", content=gzip.compress(b"{}"), headers=headers)
    assert problem(answer) == (415, "unsupported_media_type")
    headers = {"content-type": MEDIA_TYPE}
    assert problem(call(application(), "POST", "/v1/sessions", content=packed({}, {}), headers=headers)) == (415, "unsupported_media_type")


def test_memory_of_a_large_call() -> None:
    # Beside the body: the gradient, and at the worst moment the two parts of which it is the sum. The square is gone by then.
    body = packed({"inputs": {"x": {"tensor": "x", "requires_grad": True}}, **SQUARE}, {"x": np.ones(500_000)})
    options = CallOptions("list", 30.0, body=MEDIA_TYPE, answer=MEDIA_TYPE)
    documents, evaluate = Documents(Settings()), EvaluateRepeated()
    peaks: list[float] = []
    tracemalloc.start()
    try:
        for _ in range(4):
            received = bytearray(body)
            before = tracemalloc.get_traced_memory()[0] - len(received)
            tracemalloc.reset_peak()
            answer = evaluate(documents.read(received, options, _never), limits=Limits(), check=_never)
            written = documents.write(answer, options, _never)
            peaks.append((tracemalloc.get_traced_memory()[1] - before) / len(body))
            assert attached.unpack(b"".join(written.pieces), attached.RESPONSE)["grads"]["x"]["data"].sum() == 1_000_000
            del received, answer, written
    finally:
        tracemalloc.stop()
    assert max(peaks) < 4.5
    # By a plan.
    assert peaks[-1] < 2.5


def _never() -> None:
    pass


def test_an_input_may_be_an_output_and_be_there_twice() -> None:
    x = np.arange(30_000.0)
    program = {
        "inputs": {"a": {"tensor": "x", "requires_grad": True}, "b": {"tensor": "x", "requires_grad": True}},
        "nodes": [{"name": "y", "op": "mul", "args": ["a", "b"]}, {"name": "z", "op": "sum", "args": ["y"]}],
        "outputs": ["a", "z"],
        "backward": "z",
    }
    app = application()
    for _ in range(4):
        answer = unpacked(post(app, packed(program, {"x": x})))
        assert np.array_equal(answer["outputs"]["a"]["data"], x)
        assert all(np.array_equal(answer["grads"][name]["data"], x) for name in "ab")
