"""Every instruction, by the numbers that come of it."""

from __future__ import annotations

import pytest

from tests.server.sessions import SQUARE, Caller, backward, create, op


def test_what_was_made_stays() -> None:
    caller = Caller()
    assert caller.do(*SQUARE) == [None, None, None]
    assert caller.read("z") == 13.0
    (result,) = caller.do({"do": "read", "name": "y", "what": ["value", "grad", "meta"]})
    about = {"dtype": "float32", "shape": [2], "requires_grad": True, "is_leaf": False, "grad_fn": "MulBackward0"}
    assert result == {"value": {"data": [4.0, 9.0], **about}, "grad": None, "meta": about}


def test_one_forward_and_several_backwards_in_later_batches() -> None:
    caller = Caller()
    caller.do(*SQUARE)
    caller.do(backward("z", retain_graph=True))
    assert caller.grad("x") == [4.0, 6.0]
    caller.do(backward("z"))
    assert caller.grad("x") == [8.0, 12.0]
    problem = caller.fail(backward("z"))
    assert (problem["code"], problem["exception"]) == ("graph_freed", "RuntimeError")
    assert problem["detail"].startswith("Trying to backward through the graph a second time")


def test_backward_from_several_with_gradients_and_to_some() -> None:
    caller = Caller()
    caller.do(*SQUARE, create("w", [1.0, 1.0], requires_grad=True), op("v", "mul", "x", "w"))
    caller.do(backward(["y", "v"], gradient=[[1.0, 0.0], [0.0, 1.0]], inputs=["x"], retain_graph=True))
    assert (caller.grad("x"), caller.grad("w")) == ([4.0, 1.0], None)
    caller.do(create("g", [0.5, 0.5]), backward("v", gradient="g"))
    assert caller.grad("w") == [1.0, 1.5]


def test_gradients_by_name_and_of_higher_order() -> None:
    caller = Caller()
    caller.do(create("x", [2.0, 3.0], requires_grad=True), op("y", "pow", "x", 3), op("z", "sum", "y"))
    grad = {"do": "grad", "name": ["g"], "outputs": ["z"], "inputs": ["x"], "create_graph": True}
    assert caller.do(grad) == [{"names": ["g"]}]
    assert caller.read("g") == [12.0, 27.0]
    caller.do(op("s", "sum", "g"), {"do": "grad", "name": "h", "outputs": "s", "inputs": "x"})
    assert caller.read("h.0") == [12.0, 18.0]
    assert caller.grad("x") is None


def test_gradients_that_do_not_exist() -> None:
    caller = Caller()
    caller.do(*SQUARE, create("w", [1.0], requires_grad=True))
    grad = {"do": "grad", "name": ["a", "b"], "outputs": ["z"], "inputs": ["x", "w"], "retain_graph": True}
    assert caller.fail(grad)["code"] == "unused_input"
    assert caller.do({**grad, "allow_unused": True}) == [{"names": ["a", None]}]
    assert caller.fail({"do": "read", "name": "b"})["code"] == "undefined_name"
    assert caller.do({**grad, "name": ["c", "d"], "materialize_grads": True}) == [{"names": ["c", "d"]}]
    assert caller.read("d") == [0.0]


def test_references_to_a_gradient_and_to_data() -> None:
    caller = Caller()
    caller.do(*SQUARE, backward("z"), op("double", "mul", "x.grad", 2), {"do": "create", "name": "g", "tensor": "x.grad"})
    assert caller.read("double") == [8.0, 12.0]
    caller.do(op(None, "zero_", "x.grad"))
    assert caller.read("g") == [0.0, 0.0]
    caller.do(op(None, "add_", "x.data", 1))
    assert caller.read("x") == [3.0, 4.0]


def test_outputs_by_number_and_by_name() -> None:
    caller = Caller()
    caller.do(create("x", [[1.0, 5.0], [7.0, 3.0]]), op("m", "max", "x", 1), op(["top", None], "max", "x", 1), op("p", "unbind", "x"))
    assert (caller.read("m.0"), caller.read("m.1"), caller.read("top"), caller.read("p.1")) == ([5.0, 7.0], [1, 0], [5.0, 7.0], [7.0, 3.0])
    caller.do({"do": "delete", "names": ["m", "p"]})
    assert caller.fail({"do": "read", "name": "m.0"})["code"] == "undefined_name"


def test_arguments_are_read_as_in_programs() -> None:
    caller = Caller()
    caller.do(
        create("x", [[1.0, 2.0], [3.0, 4.0]]),
        op("c", "add", "x", [[1.0, 0.0], [0.0, 1.0]]),
        op("k", "sum", "x", kwargs={"dim": 0, "keepdim": True}),
        op("i", "getitem", "x", [{"slice": [None, None, 1]}, 1]),
        op("j", "cat", ["x", "c"], 1),
        op("n", "nn.functional.linear", "x", [[1.0, 1.0]]),
        op("s", "mul", "x", "Infinity"),
        op("t", "torch.neg", "x"),
    )
    assert caller.read("c") == [[2.0, 2.0], [3.0, 5.0]]
    assert caller.read("k") == [[4.0, 6.0]]
    assert caller.read("i") == [2.0, 4.0]
    assert caller.read("j") == [[1.0, 2.0, 2.0, 2.0], [3.0, 4.0, 3.0, 5.0]]
    assert caller.read("n") == [[3.0], [7.0]]
    assert caller.read("s") == [["Infinity"] * 2] * 2
    assert caller.read("t") == [[-1.0, -2.0], [-3.0, -4.0]]


def test_shapes_that_depend_on_values() -> None:
    caller = Caller()
    caller.do(create("x", [0.0, 2.0, 0.0, 5.0]), op("i", "nonzero", "x"), op("m", "gt", "x", 0), op("v", "getitem", "x", ["m"]))
    assert (caller.read("i"), caller.read("v")) == ([[1], [3]], [2.0, 5.0])


def test_writing_in_place() -> None:
    caller = Caller()
    caller.do(create("x", [[1.0, 2.0], [3.0, 4.0]]), op(None, "mul_", "x", 2), op("x", "add_", "x", 1), op("other", "relu_", "x"))
    caller.do(op(None, "setitem", "x", [0, {"slice": [1, None]}], 9), op(None, "setitem", "other", [1], [7.0, 8.0]))
    assert caller.read("x") == caller.read("other") == [[3.0, 9.0], [7.0, 8.0]]
    caller.do(op(None, "fill_", "x", 0.5), op(None, "setitem", "x", [[[True, False], [False, False]]], "Infinity"))
    assert caller.read("x") == [["Infinity", 0.5], [0.5, 0.5]]


def test_writing_in_place_is_recorded() -> None:
    caller = Caller()
    caller.do(create("x", [2.0, 3.0], requires_grad=True), op("y", "mul", "x", 2), op(None, "mul_", "y", "x"), op("v", "getitem", "y", [0]))
    caller.do(op(None, "mul_", "v", 10), op("z", "sum", "y"), backward("z"))
    assert caller.grad("x") == [80.0, 12.0]
    (result,) = caller.do({"do": "read", "name": "y", "what": ["meta"]})
    assert result["meta"]["grad_fn"] == "CopySlices"


def test_nothing_is_recorded_with_no_grad_and_past_detach() -> None:
    caller = Caller()
    caller.do(*SQUARE, op(None, "sub_", "x", 1, no_grad=True), op("q", "mul", "x", 3, no_grad=True), op(None, "detach_", "y"))
    found = caller.do(*({"do": "read", "name": name, "what": ["meta"]} for name in ("q", "y", "x")))
    assert [result["meta"]["requires_grad"] for result in found] == [False, False, True]
    assert caller.read("x") == [1.0, 2.0]


def test_setting_what_a_tensor_has() -> None:
    caller = Caller()
    caller.do(create("x", [1.0, 2.0]), create("g", [5.0, 6.0]), {"do": "set", "name": "x", "requires_grad": True, "grad": "g"})
    assert caller.grad("x") == [5.0, 6.0]
    caller.do({"do": "set", "name": "x", "grad": None})
    assert caller.grad("x") is None
    caller.do(op("y", "mul", "x", 3), {"do": "set", "name": "y", "retain_grad": True}, op("z", "sum", "y"), backward("z"))
    assert (caller.grad("y"), caller.grad("x")) == ([1.0, 1.0], [3.0, 3.0])
    caller.do({"do": "set", "name": "x", "data": "g"})
    assert caller.read("x") == [5.0, 6.0]


def test_a_name_can_be_used_again_when_it_was_deleted() -> None:
    caller = Caller()
    caller.do(create("x", 1.0), {"do": "delete", "names": ["x"]}, create("x", 2.0))
    assert caller.read("x") == 2.0


def test_the_answer_has_the_values_of_the_moment() -> None:
    caller = Caller()
    caller.do(create("x", [1.0]))
    read = {"do": "read", "name": "x"}
    found = caller.do(read, op(None, "add_", "x", 1), read, op(None, "add_", "x", 1), read)
    assert [result["value"]["data"] for result in found if result] == [[1.0], [2.0], [3.0]]


@pytest.mark.parametrize("seed", [0, 7])
def test_random_numbers_are_the_sessions_own(seed: int) -> None:
    one, two = Caller(document={"seed": seed}), Caller(document={"seed": seed})
    one.do(op("a", "rand", 3))
    two.do(op("a", "rand", 3), {"do": "seed", "value": seed}, op("b", "rand", 3))
    one.do(create("c", [0.0] * 3), {"do": "seed", "value": seed}, op(None, "uniform_", "c"))
    assert one.read("a") == two.read("a") == two.read("b") == one.read("c")


def test_the_default_dtype_is_the_sessions_own() -> None:
    one, two = Caller(), Caller(document={"default_dtype": "float64"})
    one.do({"do": "default_dtype", "value": "float16"}, create("x", [1.5]), op("y", "ones", 2))
    two.do(create("x", [1.5]))
    dtypes = [caller.do({"do": "read", "name": name})[0]["value"]["dtype"] for caller, name in ((one, "x"), (one, "y"), (two, "x"))]
    assert dtypes == ["float16", "float16", "float64"]
    assert one.service.get(one.id, owner=None)["default_dtype"] == "float16"


def test_a_deadline_ends_the_instruction_that_exceeds_it() -> None:
    from gradwire_engine.errors import DeadlineExceeded

    caller = Caller()
    left = 4

    def check() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise DeadlineExceeded("The time is over.")

    status, document = caller.send({"instructions": [*SQUARE, backward("z"), *SQUARE]}, check)
    assert (status, document["code"], document["seq"]) == (504, "deadline_exceeded", 1)
    assert document["instruction"] == len(document["results"]) >= 2
    assert caller.read("x") == [2.0, 3.0]
