"""Instructions that cannot be carried out: status, code and pointer of each, and the session goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.sessions import SQUARE, Caller, backward, create, op

Instruction = Any


def read(name: Any, **more: Any) -> dict[str, Any]:
    return {"do": "read", "name": name, **more}


CASES: list[tuple[Instruction, str, str]] = [
    # Junk.
    (None, "", "invalid_type"),
    (5, "", "invalid_type"),
    ("read", "", "invalid_type"),
    ([], "", "invalid_type"),
    ({}, "", "missing_field"),
    ({"name": "x"}, "", "missing_field"),
    ({"do": None}, "/do", "unknown_instruction"),
    ({"do": "Read", "name": "x"}, "/do", "unknown_instruction"),
    ({"do": ["read"]}, "/do", "unknown_instruction"),
    ({"do": "x" * 10_000}, "/do", "unknown_instruction"),
    # Fields.
    ({"do": "read"}, "", "missing_field"),
    (read("x", wat=["value"]), "/wat", "unknown_field"),
    (read("x", **{"a/b~c": 1}), "/a~1b~0c", "unknown_field"),
    (read("x", what="value"), "/what", "invalid_type"),
    (read("x", what=["value", "values"]), "/what/1", "invalid_value"),
    (read("x", what=[None]), "/what/0", "invalid_value"),
    # Names.
    (read("xx"), "/name", "undefined_name"),
    (read("x.1"), "/name", "undefined_name"),
    (read("x.gradient"), "/name", "undefined_name"),
    (read("x.grad"), "/name", "no_gradient"),
    (read("m"), "/name", "undefined_name"),
    (read("m.2"), "/name", "undefined_name"),
    (read("m.grad"), "/name", "undefined_name"),
    (read(""), "/name", "undefined_name"),
    (read("x..grad"), "/name", "undefined_name"),
    (read(None), "/name", "invalid_type"),
    (read(["x"]), "/name", "invalid_type"),
    (create("x", 1.0), "/name", "duplicate_name"),
    (create("m", 1.0), "/name", "duplicate_name"),
    (create("1x", 1.0), "/name", "invalid_name"),
    (create("x.y", 1.0), "/name", "invalid_name"),
    (create("for", 1.0), "/name", "invalid_name"),
    (create("NaN", 1.0), "/name", "invalid_name"),
    (create("a" * 129, 1.0), "/name", "invalid_name"),
    ({"do": "create", "name": None, "tensor": 1.0}, "/name", "invalid_name"),
    ({"do": "create", "name": ["a"], "tensor": 1.0}, "/name", "invalid_name"),
    ({"do": "create", "name": "a", "tensor": "xx"}, "/tensor", "undefined_name"),
    # Tensors.
    ({"do": "create", "name": "a", "tensor": None}, "/tensor", "invalid_tensor"),
    ({"do": "create", "name": "a", "tensor": {}}, "/tensor", "invalid_tensor"),
    (create("a", [1.0, [2.0]]), "/tensor/data/1", "ragged_tensor"),
    (create("a", [1.0, None]), "/tensor/data/1", "invalid_tensor"),
    (create("a", [1.0], dtype="float99"), "/tensor/dtype", "unknown_dtype"),
    (create("a", [1], dtype="int64", requires_grad=True), "/tensor/requires_grad", "not_differentiable"),
    # Operations.
    ({"do": "op", "args": ["x"]}, "", "missing_field"),
    ({"do": "op", "op": "mul", "args": ["x", 2]}, "", "missing_field"),
    (op("a", "mull", "x", 2), "/op", "unknown_op"),
    (op("a", None, "x", 2), "/op", "invalid_type"),  # type: ignore[arg-type]
    (op("a", "_slice", "x", 0), "/op", "unknown_op"),
    (op("a", "softmax_", "x"), "/op", "unknown_op"),
    (op("a", "functions.f", "x"), "/op", "unknown_function"),
    (op("x", "mul", "x", 2), "/name", "duplicate_name"),
    (op(["a", "a"], "max", "x", 0), "/name/1", "duplicate_name"),
    (op(["a", "x"], "max", "x", 0), "/name/1", "duplicate_name"),
    (op(["a", 1], "max", "x", 0), "/name/1", "invalid_name"),
    (op(["a"], "max", "x", 0), "/name", "output_count"),
    (op(["a", "b"], "mul", "x", 2), "/name", "output_count"),
    ({"do": "op", "name": "a", "op": "mul", "args": "x"}, "/args", "invalid_type"),
    (op("a", "mul", "x", kwargs=[2]), "/kwargs", "invalid_type"),
    (op("a", "mul", "x", 2, no_grad=1), "/no_grad", "invalid_type"),
    (op("a", "mul", "xx", 2), "/args/0", "undefined_name"),
    (op("a", "mul", "x", kwargs={"other": "xx"}), "/kwargs/other", "undefined_name"),
    (op("a", "cat", ["x", "xx"]), "/args/0/1", "undefined_name"),
    (op("a", "sum", "x", kwargs={"dimm": 0}), "", "argument_type"),
    (op("a", "tanh", "x", kwargs={"out": 0}), "", "unknown_argument"),
    (op("a", "sum", "x", "zero"), "", "argument_type"),
    (op("a", "mul", "x", [[1.0], [2.0, 3.0]]), "/args/1/1", "ragged_tensor"),
    (op("a", "mul", "x", {"data": [1.0], "requires_grad": True}), "/args/1/requires_grad", "constant_requires_grad"),
    (op("a", "matmul", "x", [1.0, 2.0, 3.0]), "", "shape_mismatch"),
    (op("a", "getitem", "x", 0), "/args/1", "invalid_index"),
    (op("a", "getitem", "x", [{"slice": ["a", 2]}]), "/args/1/0/slice/0", "invalid_index"),
    (op("a", "getitem", "x", [7]), "", "index_out_of_range"),
    # In place.
    (op(None, "add_", 1, 2), "/args/0", "invalid_type"),
    (op(None, "add_"), "/args", "invalid_type"),
    (op(None, "add_", "xx", 2), "/args/0", "undefined_name"),
    (op("y", "add_", "c", 2), "/name", "duplicate_name"),
    (op(None, "add_", "x", 2), "", "inplace_on_leaf"),
    (op(None, "add_", "c", [[1.0, 2.0]] * 3), "", "shape_mismatch"),
    (op(None, "add_", "c", [1, 2, 3, 4]), "", "shape_mismatch"),
    (op(None, "setitem", "c", [0]), "/args", "arity"),
    (op(None, "setitem", "c", 0, 1), "/args/1", "invalid_index"),
    (op(None, "setitem", "c", [5], 1), "", "index_out_of_range"),
    (op(None, "setitem", "c", [0], "xx"), "/args/2", "undefined_name"),
    (op(None, "setitem", "c", [0], [1.0, 2.0]), "", None),  # type: ignore[list-item]
    (op(None, "detach_", "y", 1), "", "arity"),
    # Backward.
    ({"do": "backward"}, "", "missing_field"),
    (backward("c"), "", "no_grad_fn"),
    (backward("y"), "", "gradient_required"),
    (backward([]), "/of", "invalid_value"),
    (backward(["z", "zz"]), "/of/1", "undefined_name"),
    (backward("y", gradient=[1.0]), "", "shape_mismatch"),
    (backward("y", gradient="zz"), "/gradient", "undefined_name"),
    (backward(["y"], gradient=1.0), "/gradient", "invalid_type"),
    (backward(["y"], gradient=[[1.0, 1.0], [1.0, 1.0]]), "", "length_mismatch"),
    (backward("z", retain_graph="yes"), "/retain_graph", "invalid_type"),
    (backward("z", create_graph=None), "/create_graph", "invalid_type"),
    (backward("z", inputs=[]), "/inputs", "invalid_value"),
    (backward("z", inputs=["c"]), "", "no_grad_fn"),
    ({"do": "grad", "name": ["a"], "outputs": "z"}, "", "missing_field"),
    ({"do": "grad", "name": ["a"], "outputs": "z", "inputs": ["x", "y"]}, "/name", "output_count"),
    ({"do": "grad", "name": ["x"], "outputs": "z", "inputs": ["x"]}, "/name/0", "duplicate_name"),
    ({"do": "grad", "name": ["a"], "outputs": "z", "inputs": ["c"]}, "", "no_grad_fn"),
    ({"do": "grad", "name": "a", "outputs": "z", "inputs": "x", "allow_unused": False, "materialize_grads": True}, "", "value_error"),
    # Setting.
    ({"do": "set", "name": "x"}, "", "missing_field"),
    ({"do": "set", "name": "x", "requires_grad": 1}, "/requires_grad", "invalid_type"),
    ({"do": "set", "name": "y", "requires_grad": False}, "/requires_grad", "runtime_error"),
    ({"do": "set", "name": "i", "requires_grad": True}, "/requires_grad", "runtime_error"),
    ({"do": "set", "name": "x", "grad": "xx"}, "/grad", "undefined_name"),
    ({"do": "set", "name": "x", "grad": [1.0, 2.0]}, "/grad", "invalid_type"),
    ({"do": "set", "name": "x", "grad": "z"}, "/grad", "shape_mismatch"),
    ({"do": "set", "name": "c", "retain_grad": True}, "/retain_grad", "runtime_error"),
    ({"do": "set", "name": "x", "data": "i"}, "/data", "runtime_error"),
    ({"do": "set", "name": "x", "data": None}, "/data", "invalid_type"),
    # The rest.
    ({"do": "delete", "names": "x"}, "/names", "invalid_type"),
    ({"do": "delete", "names": ["x", "xx"]}, "/names/1", "undefined_name"),
    ({"do": "delete", "names": ["m.0"]}, "/names/0", "undefined_name"),
    ({"do": "delete", "names": [["x"]]}, "/names/0", "invalid_type"),
    ({"do": "seed", "value": "one"}, "/value", "type_error"),
    ({"do": "seed", "value": 2**64}, "/value", "integer_out_of_range"),
    ({"do": "default_dtype", "value": "int64"}, "/value", "type_error"),
    ({"do": "default_dtype", "value": "float128"}, "/value", "unknown_dtype"),
    ({"do": "default_dtype", "value": ["float32"]}, "/value", "unknown_dtype"),
    ({"do": "function", "name": ["a"], "function": "F", "inputs": ["x"], "outputs": []}, "/name", "output_count"),
    ({"do": "function", "name": ["a"], "function": "a b", "inputs": ["x"], "outputs": ["c"]}, "/function", "invalid_name"),
    ({"do": "function", "name": ["a"], "function": "F", "inputs": "x", "outputs": ["c"]}, "/inputs", "invalid_type"),
    ({"do": "function", "name": ["a"], "function": "F", "inputs": ["x"], "outputs": [None]}, "/outputs/0", "invalid_type"),
    ({"do": "function", "name": ["a", "b"], "function": "F", "inputs": ["x"], "outputs": ["c"]}, "/name", "output_count"),
    ({"do": "function", "name": ["a"], "function": "F", "inputs": ["x"], "outputs": ["c"], "dirty": ["i"]}, "", "dirty_not_returned"),
    ({"do": "hook", "name": "h", "of": "x", "kind": "pre"}, "/kind", "invalid_value"),
    ({"do": "hook", "name": "h", "of": "x", "kind": ["node"]}, "/kind", "invalid_value"),
    ({"do": "hook", "name": "h", "of": "c", "kind": "tensor"}, "", "runtime_error"),
    ({"do": "hook", "name": "h", "of": "c", "kind": "node"}, "", "no_grad_fn"),
    ({"do": "hook", "name": "h", "of": "y", "kind": "post_accumulate"}, "", "runtime_error"),
    ({"do": "hook", "name": "h h", "of": "y", "kind": "tensor"}, "/name", "invalid_name"),
    ({"do": "unhook", "names": ["h"]}, "/names/0", "undefined_name"),
    ({"do": "resume", "suspension": "s1"}, "", "missing_field"),
    ({"do": "resume", "suspension": "s1", "grads": None, "error": "no"}, "", "missing_field"),
    ({"do": "resume", "suspension": 1, "grads": None}, "/suspension", "invalid_type"),
    ({"do": "resume", "suspension": "s1", "error": None}, "/error", "invalid_type"),
    ({"do": "resume", "suspension": "s1", "grads": None}, "/suspension", "no_suspension"),
]


@pytest.fixture(scope="module")
def caller() -> Caller:
    caller = Caller()
    caller.do(*SQUARE, create("c", [1.0, 2.0, 3.0]), create("i", [1, 2]), op("m", "max", "x", 0))
    return caller


@pytest.mark.parametrize(("instruction", "pointer", "code"), CASES, ids=[f"{i}-{case[2]}" for i, case in enumerate(CASES)])
def test_it_is_refused_and_the_session_goes_on(caller: Caller, instruction: Any, pointer: str, code: str | None) -> None:
    problem = caller.fail({"do": "read", "name": "x"}, instruction)
    assert problem["pointer"] == "/instructions/1" + pointer
    assert problem["status"] == (404 if code == "no_suspension" else 422)
    assert code is None or problem["code"] == code
    assert problem["detail"].endswith((".", "?", "!")) or problem["exception"] is not None
    assert caller.read("x") == [2.0, 3.0]
    assert caller.read("c") == [1.0, 2.0, 3.0]


def test_nothing_was_made_by_what_was_refused(caller: Caller) -> None:
    assert caller.service.get(caller.id, owner=None)["tensors"] == 7


@pytest.mark.parametrize(
    ("instruction", "hint"),
    [
        ({"do": "delte", "names": ["x"]}, "'delete'"),
        ({"do": "read", "nam": "x"}, "'name'"),
        (op("a", "ad", "x", 1), "'add'"),
        (op("a", "ad_", "x", 1), "'add_'"),
        (op("a", "relu6", "x"), "'nn.functional.relu6'"),
        (read("wieght"), "'weight'"),
    ],
)
def test_the_right_word_is_suggested(instruction: Any, hint: str) -> None:
    caller = Caller()
    caller.do(create("x", 1.0), create("weight", 1.0))
    assert f"Did you mean {hint}?" in caller.fail(instruction)["detail"]


def test_a_name_that_was_deleted_is_gone_at_once(caller: Caller) -> None:
    problem = caller.fail(create("t", 1.0), {"do": "delete", "names": ["t"]}, read("t"))
    assert (problem["code"], problem["pointer"]) == ("undefined_name", "/instructions/2/name")


def test_deep_nesting_is_refused() -> None:
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    caller = Caller()
    assert caller.fail(create("x", deep))["status"] == 422
    assert caller.fail(op("y", "add", deep, 1))["status"] == 422
    assert caller.fail(op("y", "getitem", [1.0], [deep]))["status"] == 422
