"""Forward mode through custom functions: their ``jvp`` programs are what runs, wherever derivatives along tangents are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine import transforms
from gradwire_engine.batching import vmap
from gradwire_engine.errors import GradwireError
from gradwire_engine.execute import Runner
from gradwire_engine.identity import program_hash
from gradwire_engine.limits import Limits
from gradwire_engine.meta import meta_of_array
from gradwire_engine.plan import compile_trace
from gradwire_engine.symbolic import trace
from gradwire_engine.text import read_program

Named = Mapping[str, Any]
# y = x^3. The gradient of the second is wrong on purpose, so that it shows where the program jvp is used and where it is not.
CUBE: dict[str, Any] = {
    "forward": {"inputs": ["x"], "program": "y = x * x * x", "outputs": ["y"]},
    "save": ["x"],
    "backward": {"inputs": ["grad_y", "x"], "program": "g = grad_y * (x * x * 3)", "outputs": {"x": "g"}},
    "jvp": {"inputs": ["tangent_x", "x"], "program": "t = tangent_x * (x * x * 3)", "outputs": {"y": "t"}},
}
MARKED = {**CUBE, "backward": {**CUBE["backward"], "program": "g = grad_y * 100"}}
# s = a * b + b, d = a - b.
PAIR: dict[str, Any] = {
    "forward": {"inputs": ["a", "b"], "program": "s = a * b + b\nd = a - b", "outputs": ["s", "d"]},
    "save": ["a", "b"],
    "backward": {
        "inputs": ["grad_s", "grad_d", "a", "b"],
        "program": "ga = grad_s * b + grad_d\ngb = grad_s * (a + 1) - grad_d",
        "outputs": {"a": "ga", "b": "gb"},
    },
    "jvp": {
        "inputs": ["tangent_a", "tangent_b", "a", "b"],
        "program": "ts = tangent_a * b + (a + 1) * tangent_b\ntd = tangent_a - tangent_b",
        "outputs": {"s": "ts", "d": "td"},
    },
}
X = np.array([0.5, -1.0, 2.0])
V = np.array([1.0, 0.3, -2.0])


def calling(function: Any, text: str, *inputs: str) -> Any:
    """The function of named values that a text is, which calls ``f``."""
    program = read_program({"program": text, "outputs": ["z"], "functions": {"f": function}}, inputs, Limits())

    def call(named: Named) -> dict[str, Any]:
        return {"z": Runner(lambda: None).run(program.body, dict(named))[program.name_of("z")]}

    return call


def tensors(**arrays: Any) -> dict[str, Any]:
    return {name: gradwire.tensor(a, dtype="float64") for name, a in arrays.items()}


def tangent(call: Any, inputs: dict[str, Any], along: dict[str, Any]) -> Any:
    """The derivative, eager and compiled, which are the same."""
    eager = np.asarray(transforms.jvp(call, tensors(**inputs), tensors(**along))[1]["z"])
    arrays = [np.asarray(a, np.float64) for a in (*inputs.values(), *along.values())]

    def run(*symbols: Any) -> Any:
        return transforms.jvp(call, dict(zip(inputs, symbols, strict=False)), dict(zip(along, symbols[len(inputs) :], strict=True)))[1]["z"]

    compiled = compile_trace(trace(run, [meta_of_array(a) for a in arrays]))(arrays)[0]
    np.testing.assert_allclose(compiled, eager, rtol=1e-14)
    return eager


@pytest.mark.parametrize("function", [CUBE, MARKED])
def test_the_program_is_what_runs(function: Any) -> None:
    call = calling(function, "z = functions.f(x.sin() * 2).exp()", "x")
    inner = 2 * np.sin(X)
    expected = np.exp(inner**3) * 3 * inner**2 * 2 * np.cos(X) * V
    np.testing.assert_allclose(tangent(call, {"x": X}, {"x": V}), expected, rtol=1e-13)


@pytest.mark.parametrize("along", [{"a": V, "b": X}, {"a": V}, {"b": V}])
def test_several_inputs_and_outputs(along: dict[str, Any]) -> None:
    call = calling(PAIR, "s, d = functions.f(a, b)\nz = s * d", "a", "b")
    a, b = X, X + 3
    ta, tb = (along.get(name, np.zeros(3)) for name in "ab")
    s, d = a * b + b, a - b
    expected = (ta * b + (a + 1) * tb) * d + s * (ta - tb)
    np.testing.assert_allclose(tangent(call, {"a": a, "b": b}, along), expected, rtol=1e-13)


def test_an_input_that_is_a_number_and_an_output_that_is_not_used() -> None:
    call = calling(PAIR, "s, d = functions.f(a, 2.0)\nz = s * 3", "a")
    np.testing.assert_allclose(tangent(call, {"a": X}, {"a": V}), 6 * V)


def test_an_output_without_a_tangent_is_constant() -> None:
    half = {**PAIR, "jvp": {**PAIR["jvp"], "outputs": {"s": "ts", "d": None}}}
    call = calling(half, "s, d = functions.f(a, b)\nz = s + d * 10", "a", "b")
    np.testing.assert_allclose(tangent(call, {"a": X, "b": X}, {"a": V}), V * X)


def test_functions_that_call_functions_and_themselves_twice() -> None:
    call = calling(CUBE, "z = functions.f(functions.f(x))", "x")
    np.testing.assert_allclose(tangent(call, {"x": X}, {"x": V}), 9 * X**8 * V, rtol=1e-13)


@pytest.mark.parametrize("mapped", [["x"], ["v"], ["x", "v"]])
def test_over_a_batch(mapped: list[str]) -> None:
    call = calling(PAIR, "s, d = functions.f(x, x.sum())\nz = s * d", "x")
    rows = {"x": np.stack([X, X + 1]) if "x" in mapped else X, "v": np.stack([V, V * 2]) if "v" in mapped else V}

    def each(named: Named) -> Any:
        return transforms.jvp(call, {"x": named["x"]}, {"x": named["v"]})[1]["z"]

    expected = [tangent(call, {"x": rows["x"][i] if "x" in mapped else X}, {"x": rows["v"][i] if "v" in mapped else V}) for i in range(2)]
    np.testing.assert_allclose(np.asarray(vmap(each, tensors(**rows), mapped)), np.stack(expected), rtol=1e-13)
    compiled = compile_trace(trace(lambda x, v: vmap(each, {"x": x, "v": v}, mapped), [meta_of_array(rows[n]) for n in "xv"]))(
        list(rows.values())
    )
    np.testing.assert_allclose(compiled[0], np.stack(expected), rtol=1e-13)


def test_tall_jacobians_go_forwards() -> None:
    call = calling(MARKED, "y = functions.f(x)\nz = torch.outer(y, y).flatten().repeat(3)", "x")
    found = np.asarray(transforms.jacobian(call, tensors(x=X))["z"]["x"])
    cubes, slopes = X**3, np.diag(3 * X**2)
    outer = np.einsum("ik,j->ijk", slopes, cubes) + np.einsum("i,jk->ijk", cubes, slopes)
    np.testing.assert_allclose(found, np.tile(outer.reshape(9, 3), (3, 1)), rtol=1e-12)


def test_what_goes_forwards_can_be_differentiated_backwards() -> None:
    call = calling(CUBE, "z = functions.f(x)", "x")

    def along(named: Named) -> dict[str, Any]:
        return {"y": transforms.jvp(call, {"x": named["x"]}, tensors(x=V))[1]["z"].sum()}

    np.testing.assert_allclose(np.asarray(transforms.value_and_grad(along, tensors(x=X))[1]["x"]), 6 * X * V, rtol=1e-13)


def refused(function: Any, text: str = "z = functions.f(x)") -> GradwireError:
    with pytest.raises(GradwireError) as raised:
        transforms.jvp(calling(function, text, "x"), tensors(x=X), tensors(x=V))
    return raised.value


def test_functions_without_the_program_are_refused() -> None:
    plain = {name: part for name, part in CUBE.items() if name != "jvp"}
    assert refused(plain).code == "jvp_missing"
    assert refused({**CUBE, "jvp": None}).code == "jvp_missing"


def test_a_tangent_of_another_shape_is_refused() -> None:
    wrong = {**CUBE, "jvp": {"inputs": ["tangent_x"], "program": "t = torch.cat([tangent_x, tangent_x])", "outputs": {"y": "t"}}}
    error = refused(wrong)
    assert error.code == "shape_mismatch"
    assert "'jvp' of the function 'f' gives a tangent of the shape [6] for the output 'y'" in error.detail


def test_a_tangent_is_broadcast_to_the_output() -> None:
    same = {**CUBE, "jvp": {"inputs": ["tangent_x"], "program": "t = tangent_x.sum()", "outputs": {"y": "t"}}}
    np.testing.assert_allclose(tangent(calling(same, "z = functions.f(x)", "x"), {"x": X}, {"x": V}), np.full(3, V.sum()))


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"inputs": ["grad_y"], "program": "t = grad_y * 2"}, "undefined_name", "/functions/f/jvp/inputs/0"),
        ({"inputs": ["tangent_x", "y"], "program": "t = tangent_x * y"}, "undefined_name", "/functions/f/jvp/inputs/1"),
        ({"outputs": {"x": "t"}}, "undefined_name", "/functions/f/jvp/outputs/x"),
        ({"outputs": ["t"]}, "invalid_type", "/functions/f/jvp/outputs"),
        ({"outputs": {"y": 3}}, "invalid_type", "/functions/f/jvp/outputs/y"),
        ({"program": "t = tangent_x * q"}, "undefined_name", "/functions/f/jvp/program"),
    ],
)
def test_what_cannot_be_the_program(change: dict[str, Any], code: str, pointer: str) -> None:
    error = refused({**CUBE, "jvp": {**CUBE["jvp"], **change}})
    assert (error.code, error.pointer) == (code, pointer)


def test_the_program_is_part_of_the_identity() -> None:
    def hash_of(function: Any) -> str:
        document = {"program": "z = functions.f(x)", "outputs": ["z"], "functions": {"f": function}}
        return program_hash(read_program(document, ["x"], Limits()), {})

    other = {**CUBE, "jvp": {**CUBE["jvp"], "program": "t = tangent_x * (x * x * 4)"}}
    renamed = {**CUBE, "jvp": {**CUBE["jvp"], "program": "s = x * x\nt = tangent_x * (s * 3)"}}
    without = {name: part for name, part in CUBE.items() if name != "jvp"}
    assert len({hash_of(f) for f in (CUBE, other, without)}) == 3
    assert hash_of(renamed) == hash_of(CUBE)


def test_the_gradient_does_not_ask_for_it() -> None:
    call = calling(MARKED, "z = functions.f(x).sum()", "x")
    np.testing.assert_array_equal(np.asarray(transforms.value_and_grad(call, tensors(x=X))[1]["x"]), np.full(3, 100.0))
