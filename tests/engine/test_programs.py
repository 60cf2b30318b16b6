from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gw
from gradwire_engine.errors import GradwireError, LimitError, ProgramError
from gradwire_engine.execute import Runner
from gradwire_engine.limits import Limits
from gradwire_engine.meter import Meter
from gradwire_engine.modes import PURE
from gradwire_engine.parse import parse

X = gw.tensor([2.0, 3.0], dtype="float64")


def go() -> None:
    """A check that never stops anything."""


def run(nodes: list[dict[str, Any]], outputs: list[str], inputs: Mapping[str, gw.Tensor] | None = None, **rest: Any) -> dict[str, Any]:
    given = {"x": X} if inputs is None else dict(inputs)
    program = parse({"nodes": nodes, "outputs": outputs, **rest}, list(given), Limits())
    meter = Meter(Limits(), go, backward=False)
    meter.measure(program.body, given)
    values = Runner(go, meter.before).run(program.body, dict(given))
    return {name: values[name].tolist() for name in outputs}


def node(name: Any, op: Any, *args: Any, **rest: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "args": list(args), **rest}


@pytest.mark.parametrize(
    ("nodes", "result"),
    [
        ([node("y", "mul", "x", 2)], [4.0, 6.0]),
        ([node("y", "add", "x", "x", kwargs={"alpha": 3})], [8.0, 12.0]),
        ([node("y", "mul", "x", [10, 20])], [20.0, 60.0]),
        ([node("y", "mul", "x", {"data": [1, 2], "dtype": "float64"})], [2.0, 6.0]),
        ([node("y", "mul", "x", {"complex": [0, 1]})], [2j, 3j]),
        ([node("y", "mul", "x", "Infinity")], [np.inf, np.inf]),
        ([node("y", "torch.mul", "x", 0.1)], [0.2, 0.30000000000000004]),
        ([node("y", "cat", ["x", [1.0]])], [2.0, 3.0, 1.0]),
        ([node("y", "reshape", "x", 2, 1)], [[2.0], [3.0]]),
        ([node("y", "reshape", "x", [1, 2])], [[2.0, 3.0]]),
        ([node("y", "sum", "x", kwargs={"dim": [0], "keepdim": True})], [5.0]),
        ([node("y", "getitem", "x", [{"slice": [None, None, 2]}])], [2.0]),
        ([node("y", "getitem", "x", ["...", None, -1])], [3.0]),
        ([node("i", "argmax", "x"), node("y", "getitem", "x", ["i"])], 3.0),
        ([node("m", "gt", "x", 2.5), node("y", "getitem", "x", ["m"])], [3.0]),
        ([node("s", "sort", "x", kwargs={"descending": True}), node("y", "mul", "s.0", "s.1")], [3.0, 0.0]),
        ([node(["v", None], "sort", "x"), node("y", "neg", "v")], [-2.0, -3.0]),
        ([node("y", "zeros", [2, 2])], [[0.0, 0.0], [0.0, 0.0]]),
        ([node("y", "where", [True, False], "x", 0)], [2.0, 0.0]),
        ([node("y", "clamp", "x", None, 2.5)], [2.0, 2.5]),
        ([node("y", "to", "x", "int64")], [2, 3]),
    ],
)
def test_arguments_mean_what_the_signature_says(nodes: list[dict[str, Any]], result: Any) -> None:
    assert run(nodes, ["y"]) == {"y": result}


FUNCTION = {
    "forward": {"inputs": ["x"], "nodes": [node("y", "exp", "x")], "outputs": ["y"]},
    "backward": {"inputs": ["grad_y"], "nodes": [], "outputs": {"x": "grad_y"}},
}


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ({"nodes": [node("y", "mull", "x", 2)]}, "unknown_op", "/nodes/0/op"),
        ({"nodes": [node("y", "__import__", "os")]}, "unknown_op", "/nodes/0/op"),
        ({"nodes": [node("y", "__mul__", "x", 2)]}, "unknown_op", "/nodes/0/op"),
        ({"nodes": [node("y", "_unsafe_view", "x", [2])]}, "unknown_op", "/nodes/0/op"),
        ({"nodes": [node("y", "mul_", "x", 2)]}, "inplace_in_program", "/nodes/0/op"),
        ({"nodes": [node("y", 3, "x")]}, "invalid_type", "/nodes/0/op"),
        ({"nodes": [node("y", "mul", "a", 2)]}, "undefined_name", "/nodes/0/args/0"),
        ({"nodes": [node("y", "neg", "z"), node("z", "neg", "x")]}, "forward_reference", "/nodes/0/args/0"),
        ({"nodes": [node("y", "neg", "y")]}, "forward_reference", "/nodes/0/args/0"),
        ({"nodes": [node("x", "neg", "x")]}, "duplicate_name", "/nodes/0/name"),
        ({"nodes": [node("y", "neg", "x"), node("y", "neg", "x")]}, "duplicate_name", "/nodes/1/name"),
        ({"nodes": [node(["y", "y"], "sort", "x")]}, "duplicate_name", "/nodes/0/name/1"),
        ({"nodes": [node("2y", "neg", "x")]}, "invalid_name", "/nodes/0/name"),
        ({"nodes": [node("lambda", "neg", "x")]}, "invalid_name", "/nodes/0/name"),
        ({"nodes": [node("NaN", "neg", "x")]}, "invalid_name", "/nodes/0/name"),
        ({"nodes": [node("y" * 129, "neg", "x")]}, "invalid_name", "/nodes/0/name"),
        ({"nodes": [node(None, "neg", "x")]}, "invalid_name", "/nodes/0/name"),
        ({"nodes": [{"op": "neg", "args": ["x"]}]}, "missing_field", "/nodes/0"),
        ({"nodes": [node("y", "neg", "x", arguments=[])]}, "unknown_field", "/nodes/0/arguments"),
        ({"nodes": [node("y", "neg", "x", no_grad=1)]}, "invalid_type", "/nodes/0/no_grad"),
        ({"nodes": ["y = -x"]}, "invalid_type", "/nodes/0"),
        ({"nodes": {"y": "neg"}}, "invalid_type", "/nodes"),
        ({"nodes": [], "outputs": ["z"]}, "undefined_name", "/outputs/0"),
        ({"nodes": [], "outputs": ["x", "x"]}, "duplicate_name", "/outputs"),
        ({"nodes": [], "outputs": "x"}, "invalid_type", "/outputs"),
        ({"nodes": [node("y", "sort", "x"), node("z", "neg", "y")], "outputs": ["z"]}, "undefined_name", "/nodes/1/args/0"),
        ({"nodes": [node("y", "sort", "x"), node("z", "neg", "y.2")], "outputs": ["z"]}, "undefined_name", "/nodes/1/args/0"),
        ({"nodes": [node(["a", "b", "c"], "sort", "x")], "outputs": ["a"]}, "output_count", "/nodes/0/name"),
        ({"nodes": [node("y", "mul", "x", [[1], [2, 3]])]}, "ragged_tensor", "/nodes/0/args/1/1"),
        ({"nodes": [node("y", "mul", "x", {"data": [2**63], "dtype": "int64"})]}, "integer_out_of_range", "/nodes/0/args/1/data/0"),
        (
            {"nodes": [node("y", "mul", "x", {"data": [1.0], "requires_grad": True})]},
            "constant_requires_grad",
            "/nodes/0/args/1/requires_grad",
        ),
        ({"nodes": [node("y", "functions.f", "x")]}, "unknown_function", "/nodes/0/op"),
        ({"nodes": [node("y", "neg", "x", "x")]}, "arity", "/nodes/0"),
        ({"nodes": [node("y", "neg")]}, "arity", "/nodes/0"),
        ({"nodes": [node("y", "sum", "x", kwargs={"dims": 0})]}, "argument_type", "/nodes/0"),
        ({"nodes": [node("y", "cumsum", "x", "x")]}, "argument_type", "/nodes/0/args/1"),
        ({"nodes": [node("y", "cumsum", "x", kwargs={"dim": 1.5})]}, "argument_type", "/nodes/0/kwargs/dim"),
        ({"nodes": [node("y", "cumsum", "x", 3)]}, "dim_out_of_range", "/nodes/0"),
        ({"nodes": [node("y", "add", "x", [1.0, 2.0, 3.0])]}, "shape_mismatch", "/nodes/0"),
        ({"functions": {"f": {**FUNCTION, "save": ["q"]}}}, "undefined_name", "/functions/f/save/0"),
        ({"functions": {"f": {"forward": FUNCTION["forward"]}}}, "missing_field", "/functions/f"),
        (
            {"functions": {"f": {**FUNCTION, "forward": {"inputs": ["x"], "nodes": [node("y", "functions.f", "x")], "outputs": ["y"]}}}},
            "recursion",
            "/functions/f/forward/nodes/0/op",
        ),
        (
            {"functions": {"f": {**FUNCTION, "backward": {"inputs": ["grad_z"], "nodes": [], "outputs": {"x": "grad_z"}}}}},
            "undefined_name",
            "/functions/f/backward/inputs/0",
        ),
        (
            {"functions": {"f": {**FUNCTION, "backward": {"inputs": ["grad_y"], "nodes": [], "outputs": {"q": "grad_y"}}}}},
            "undefined_name",
            "/functions/f/backward/outputs/q",
        ),
    ],
)
def test_mistakes_are_found_and_located(document: dict[str, Any], code: str, pointer: str) -> None:
    nodes = document.get("nodes", [])
    outputs = document.get("outputs", ["x"])
    rest = {key: value for key, value in document.items() if key not in ("nodes", "outputs")}
    with pytest.raises(GradwireError) as caught:
        run(nodes, outputs, **rest)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert caught.value.detail


def test_an_unknown_op_gets_a_suggestion() -> None:
    with pytest.raises(ProgramError, match=r"There is no operation 'cross_entropi'\. Did you mean '.*cross_entropy"):
        run([node("y", "cross_entropi", "x")], ["y"])


@pytest.mark.parametrize(
    "nodes",
    [
        [node("y", "zeros", [10**6, 10**6])],
        [node("y", "expand", "x", [10**9, 2])],
        [node("y", "eye", 10**6)],
        [node("y", "arange", 10**12)],
        [node("y", "repeat", "x", [10**9])],
        [node("a", "reshape", "x", [2, 1])] + [node(f"y{i}", "repeat", "a" if not i else f"y{i - 1}", [1000, 1]) for i in range(4)],
    ],
)
def test_too_large_tensors_are_refused_before_they_are_made(nodes: list[dict[str, Any]]) -> None:
    with pytest.raises(LimitError) as caught:
        run(nodes, [nodes[-1]["name"]])
    assert caught.value.code == "tensor_too_large"


def test_the_sum_of_a_programs_tensors_is_bounded() -> None:
    small = Limits(program_bytes=1000)
    program = parse({"nodes": [node(f"y{i}", "mul", "x", i) for i in range(100)], "outputs": ["y99"]}, ["x"], small)
    with pytest.raises(LimitError) as caught:
        Meter(small, go, backward=False).measure(program.body, {"x": X})
    assert (caught.value.code, caught.value.pointer) == ("program_too_large", "/nodes/61")


def test_nodes_are_counted_through_functions() -> None:
    functions: dict[str, Any] = {"f0": FUNCTION}
    for i in range(1, 40):
        nodes = [node("a", f"functions.f{i - 1}", "x"), node("y", f"functions.f{i - 1}", "a")]
        functions[f"f{i}"] = {**FUNCTION, "forward": {"inputs": ["x"], "nodes": nodes, "outputs": ["y"]}}
    with pytest.raises(LimitError) as caught:
        parse({"functions": functions, "nodes": [], "outputs": ["x"]}, ["x"], Limits())
    assert caught.value.code == "too_many_nodes"


def test_a_backward_program_is_measured_too() -> None:
    function = {
        "forward": {"inputs": ["x"], "nodes": [node("y", "mul", "x", 1)], "outputs": ["y"]},
        "backward": {"inputs": ["grad_y"], "nodes": [node("big", "zeros", [10**6, 10**6])], "outputs": {"x": "grad_y"}},
    }
    x = gw.tensor([1.0], requires_grad=True)
    program = parse({"functions": {"f": function}, "nodes": [node("y", "functions.f", "x")], "outputs": ["y"]}, ["x"], Limits())
    meter = Meter(Limits(), go, backward=True)
    meter.measure(program.body, {"x": x})
    values = Runner(go, meter.before).run(program.body, {"x": x})
    with pytest.raises(LimitError):
        values["y"].backward()


def test_values_decide_shapes_and_the_rest_is_measured_when_they_are_known() -> None:
    nodes = [node("m", "gt", "x", 2.5), node("y", "masked_select", "x", "m"), node("z", "mul", "y", [1.0])]
    assert run(nodes, ["z"]) == {"z": [3.0]}
    with pytest.raises(LimitError):
        run([*nodes, node("big", "repeat", "z", [10**9])], ["big"])


def evaluated(nodes: list[dict[str, Any]], output: str, **inputs: gw.Tensor) -> Any:
    return run(nodes, [output], inputs)[output]


def test_operations_that_look_at_values_are_measured_when_they_run() -> None:
    x = gw.tensor([2, 0, 1])
    assert evaluated([node("y", "nn.functional.one_hot", "x")], "y", x=x) == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert evaluated([node("y", "tensor_split", "x", [1])], "y.1", x=x) == [0, 1]
    with pytest.raises(GradwireError) as caught:
        evaluated([node("y", "repeat_interleave", "x", [1, 0, 10**12])], "y", x=x)
    assert caught.value.code == "data_dependent_shape"


def test_a_program_changes_nothing_that_it_is_given() -> None:
    mean, variance = gw.tensor([0.0, 0.0]), gw.tensor([1.0, 1.0])
    nodes = [node("y", "nn.functional.batch_norm", "x", "m", "v", kwargs={"training": True})]
    token = PURE.set(True)
    try:
        evaluated(nodes, "y", x=gw.tensor([[3.0, 4.0], [1.0, 2.0]]), m=mean, v=variance)
    finally:
        PURE.reset(token)
    assert (mean.tolist(), variance.tolist()) == ([0.0, 0.0], [1.0, 1.0])


def test_functions_call_functions_32_deep_and_no_deeper() -> None:
    functions: dict[str, Any] = {"f0": FUNCTION}
    for i in range(1, 40):
        functions[f"f{i}"] = {**FUNCTION, "forward": {"inputs": ["x"], "nodes": [node("y", f"functions.f{i - 1}", "x")], "outputs": ["y"]}}
    with pytest.raises(ProgramError) as caught:
        run([], ["x"], functions=functions)
    assert (caught.value.code, caught.value.pointer) == ("too_deep", "/functions/f32")


def test_the_body_of_a_function_is_counted_once() -> None:
    def bytes_of(nodes: list[dict[str, Any]], functions: dict[str, Any]) -> int:
        program = parse({"nodes": nodes, "functions": functions, "outputs": []}, ["x"], Limits())
        meter = Meter(Limits(), go, backward=False)
        meter.measure(program.body, {"x": X})
        Runner(go, meter.before).run(program.body, {"x": X})
        return meter.bytes

    body = [node("a", "exp", "x"), node("y", "exp", "a")]
    function = {**FUNCTION, "forward": {"inputs": ["x"], "nodes": body, "outputs": ["y"]}}
    assert bytes_of([node("y", "functions.f", "x")], {"f": function}) == bytes_of(body, {})


def test_a_node_keeps_no_tensor_that_its_rules_do_not_save() -> None:
    h = gw.tensor([1.0, 2.0], requires_grad=True) * 1
    kept = weakref.ref(h)
    y = h.sum(0)
    del h
    assert kept() is None
    y.backward()


def test_repeats_whose_sum_wraps_are_refused() -> None:
    with pytest.raises(GradwireError, match="allocated size does not match"):
        gw.ops.repeat_interleave(X[:1].expand(3), gw.tensor([2**63 - 1, 2**63 - 1, 4]), output_size=2)
