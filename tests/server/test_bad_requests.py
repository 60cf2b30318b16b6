"""Requests that must not work: each gets its status, a code, a pointer and a sentence, and the server carries on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

JSON = {"Content-Type": "application/json"}
X = {"x": [1.0, 2.0]}


@pytest.fixture(scope="module")
def client(server_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server_url, timeout=30) as made:
        yield made


def program(*nodes: dict[str, Any], inputs: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    return {"inputs": X if inputs is None else inputs, "nodes": list(nodes), "outputs": ["x"] if inputs is None else [], **rest}


def node(op: Any, *args: Any, name: Any = "y", **kwargs: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "args": list(args), **({"kwargs": kwargs} if kwargs else {})}


def leaf(*values: float) -> dict[str, Any]:
    return {"data": list(values), "requires_grad": True}


DOCUMENTS: dict[str, tuple[Any, int, str, str]] = {
    "unknown op": (program(node("mull", "x", 2)), 422, "unknown_op", "/nodes/0/op"),
    "dunder op": (program(node("__class__", "x")), 422, "unknown_op", "/nodes/0/op"),
    "dunder path": (program(node("nn.__init__", "x")), 422, "unknown_op", "/nodes/0/op"),
    "undefined name": (program(node("neg", "q")), 422, "undefined_name", "/nodes/0/args/0"),
    "forward name": (program(node("neg", "z"), node("neg", "x", name="z")), 422, "forward_reference", "/nodes/0/args/0"),
    "duplicate name": (program(node("neg", "x"), node("neg", "x")), 422, "duplicate_name", "/nodes/1/name"),
    "ragged list": (program(inputs={"x": [[1, 2], [3]]}), 422, "ragged_tensor", "/inputs/x/1"),
    "too few arguments": (program(node("mul", "x")), 422, "arity", "/nodes/0"),
    "too many arguments": (program(node("neg", "x", "x", "x")), 422, "arity", "/nodes/0"),
    "bad dim": (program(node("cumsum", "x", 5)), 422, "dim_out_of_range", "/nodes/0"),
    "shape mismatch": (program(node("add", "x", [1.0, 2.0, 3.0])), 422, "shape_mismatch", "/nodes/0"),
    "non-scalar backward": (program(inputs={"x": leaf(1, 2)}, outputs=["x"], backward="x"), 422, "gradient_required", "/backward"),
    "no graph": (program(node("neg", "x"), backward="y"), 422, "no_grad_fn", "/backward"),
    "wrong cotangent": (program(inputs={"x": leaf(1, 2)}, outputs=["x"], backward={"x": [1.0]}), 422, "shape_mismatch", "/backward"),
    "in place": (program(node("add_", "x", 1), inputs={"x": leaf(1)}), 422, "inplace_in_program", "/nodes/0/op"),
    "10^12 zeros": (program(node("zeros", [10**6, 10**6])), 422, "tensor_too_large", "/nodes/0"),
    "10^9 rows": (program(node("expand", "x", [10**9, 2])), 422, "tensor_too_large", "/nodes/0"),
    "2^64": (program(inputs={"x": [2**64]}), 422, "integer_out_of_range", "/inputs/x/0"),
    "float in integers": (program(inputs={"x": {"data": [1.5], "dtype": "int64"}}), 422, "dtype_mismatch", "/inputs/x/data/0"),
    "integer gradients": (
        program(inputs={"x": {"data": [1], "dtype": "int64", "requires_grad": True}}),
        422,
        "not_differentiable",
        "/inputs/x/requires_grad",
    ),
    "unknown dtype": (program(inputs={"x": {"data": [1], "dtype": "float99"}}), 422, "unknown_dtype", "/inputs/x/dtype"),
    "unknown field": ({**program(), "output": ["x"]}, 422, "unknown_field", "/output"),
    "no outputs": ({"inputs": X, "nodes": []}, 422, "missing_field", ""),
    "a list": ([1, 2, 3], 422, "invalid_type", ""),
    "null": (None, 422, "invalid_type", ""),
    "wrt without backward": (program(wrt=["x"]), 422, "missing_field", "/wrt"),
    "wrt a constant": (
        program(node("mul", "w", "x"), inputs={"w": leaf(1), "x": [1.0]}, outputs=["y"], backward="y", wrt=["x"]),
        422,
        "no_grad_fn",
        "/wrt/0",
    ),
    "seed": (program(seed="today"), 422, "invalid_type", "/seed"),
    "default dtype": (program(default_dtype="int64"), 422, "type_error", "/default_dtype"),
    "include": (program(include=["everything"]), 422, "invalid_type", "/include"),
    "name with a slash": (program(inputs={"a/b": 1.0}), 422, "invalid_name", "/inputs/a~1b"),
    "two errors, the first wins": (program(node("nope", "x"), node("neg", "q")), 422, "unknown_op", "/nodes/0/op"),
}


def check(answer: httpx.Response, status: int, code: str, pointer: str | None) -> None:
    body = answer.json()
    assert (answer.status_code, body["code"], body["pointer"]) == (status, code, pointer), body
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["request_id"] == answer.headers["x-request-id"]
    assert len(body["detail"]) > 10
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_wrong_documents(client: httpx.Client, name: str) -> None:
    document, status, code, pointer = DOCUMENTS[name]
    check(client.post("/v1/evaluate", content=json.dumps(document), headers=JSON), status, code, pointer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"inputs": {"x": NaN}, "outputs": ["x"]}',
        b'{"inputs": {"x": -Infinity}, "outputs": ["x"]}',
        b'{"inputs": {"x": 1e999}, "outputs": ["x"]}',
        b'{"inputs": {"x": "\xff\xfe"}, "outputs": ["x"]}',
        b'{"inputs": {"x": 1}, "inputs": {"x": 2}, "outputs": ["x"]}',
        b"[" * 20_000 + b"]" * 20_000,
        b'{"inputs": {"x": ' + b"9" * 5_000 + b'}, "outputs": ["x"]}',
        b'{"inputs": {"x": [1, 2,]}, "outputs": ["x"]}',
    ],
    ids=["empty", "cut off", "NaN", "-Infinity", "1e999", "bad UTF-8", "key twice", "20,000 deep", "5,000 digits", "trailing comma"],
)
def test_malformed_json(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/evaluate", content=body, headers=JSON)
    check(answer, 400, "malformed_json", answer.json()["pointer"])


def test_a_large_body_is_refused_whether_it_says_so_or_not(client: httpx.Client) -> None:
    check(client.post("/v1/evaluate", content=b" " * 200_000_000, headers=JSON), 413, "body_too_large", None)
    chunks = (b" " * 1_000_000 for _ in range(200))
    check(client.post("/v1/evaluate", content=chunks, headers=JSON), 413, "body_too_large", None)


def test_media_types(client: httpx.Client) -> None:
    good = json.dumps(program())
    check(client.post("/v1/evaluate", content=good, headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type", None)
    check(client.post("/v1/evaluate", content=good, headers={**JSON, "Accept": "text/html"}), 406, "not_acceptable", None)


def test_paths_and_methods(client: httpx.Client) -> None:
    check(client.get("/v1/nothing"), 404, "not_found", None)
    answer = client.get("/v1/evaluate")
    check(answer, 405, "method_not_allowed", None)
    assert answer.headers["allow"] == "POST"
    missing = client.get("/v1/ops/mull")
    check(missing, 404, "unknown_op", missing.json()["pointer"])
    assert "Did you mean 'mul'?" in missing.json()["detail"]


def test_the_server_still_works(client: httpx.Client) -> None:
    answer = client.post("/v1/evaluate", json=program(node("neg", "x"), outputs=["y"]))
    assert answer.json()["outputs"]["y"]["data"] == [-1.0, -2.0]
