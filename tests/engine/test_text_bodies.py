"""Custom functions whose bodies are text: the same functions as from nodes, and errors that show the place in the right text."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_engine.errors import GradwireError
from gradwire_engine.identity import program_hash
from gradwire_engine.limits import Limits
from gradwire_engine.program import Program
from gradwire_engine.text import read_program, write_text

CUBE_NODES: dict[str, Any] = {
    "forward": {
        "inputs": ["x"],
        "nodes": [{"name": "s", "op": "mul", "args": ["x", "x"]}, {"name": "y", "op": "mul", "args": ["s", "x"]}],
        "outputs": ["y"],
    },
    "save": ["x"],
    "backward": {
        "inputs": ["grad_y", "x"],
        "nodes": [
            {"name": "a", "op": "mul", "args": ["x", "x"]},
            {"name": "b", "op": "mul", "args": ["a", 3]},
            {"name": "gx", "op": "mul", "args": ["grad_y", "b"]},
        ],
        "outputs": {"x": "gx"},
    },
}
CUBE_TEXT: dict[str, Any] = {
    "forward": {"inputs": ["x"], "program": "y = x * x * x", "outputs": ["y"]},
    "save": ["x"],
    "backward": {"inputs": ["grad_y", "x"], "program": "square = x * x\ngx = grad_y * (square * 3)", "outputs": {"x": "gx"}},
}
BOTH: dict[str, Any] = {
    "forward": {"inputs": ["x"], "program": "s = x.sin()\nc = x.cos()", "outputs": ["s", "c"]},
    "save": ["s", "c"],
    "backward": {"inputs": ["grad_s", "grad_c", "s", "c"], "program": "g = grad_s * c - grad_c * s", "outputs": {"x": "g"}},
}


def read(functions: Any, text: str = "z = functions.f(x)", **more: Any) -> Program:
    """A program of one input that calls the function ``f``."""
    return read_program({"program": text, "outputs": ["z"], "functions": functions, **more}, ["x"], Limits())


def hash_of(program: Program) -> str:
    return program_hash(program, {"x": "float64"})


def test_a_body_as_text_is_the_body_of_the_nodes() -> None:
    expected = hash_of(read({"f": CUBE_NODES}))
    assert hash_of(read({"f": CUBE_TEXT})) == expected
    for part in ("forward", "backward"):
        assert hash_of(read({"f": {**CUBE_NODES, part: CUBE_TEXT[part]}})) == expected
    nodes = {"nodes": [{"name": "z", "op": "functions.f", "args": ["x"]}], "outputs": ["z"], "functions": {"f": CUBE_TEXT}}
    assert hash_of(read_program(nodes, ["x"], Limits())) == expected


def test_the_names_of_intermediate_values_do_not_matter() -> None:
    other = {**CUBE_TEXT, "forward": {"inputs": ["x"], "program": "q = x * x\ny = q * x", "outputs": ["y"]}}
    assert hash_of(read({"f": other})) == hash_of(read({"f": CUBE_TEXT}))
    another = {**CUBE_TEXT, "forward": {"inputs": ["x"], "program": "y = x * x\ny = y * x + 0", "outputs": ["y"]}}
    assert hash_of(read({"f": another})) != hash_of(read({"f": CUBE_TEXT}))


def test_written_and_read_again() -> None:
    program = read({"f": CUBE_TEXT}, "z = functions.f(x) + 1")
    again = read({"f": CUBE_TEXT}, write_text(program))
    assert hash_of(again) == hash_of(program)


def test_several_outputs_and_calls_between_functions() -> None:
    functions = {
        "f": BOTH,
        "g": {**CUBE_TEXT, "forward": {"inputs": ["x"], "program": "s, c = functions.f(x)\ny = s * c", "outputs": ["y"]}},
    }
    program = read(functions, "z = functions.g(x)")
    assert program.functions["g"].forward.nodes[0].op is program.functions["f"]
    s, c = program.functions["f"].forward.outputs
    assert (s, c) == ("s", "c")


def test_an_output_keeps_its_name_whatever_else_has_that_value() -> None:
    forward = {"inputs": ["x"], "program": "y = x * 2\nz = y", "outputs": ["z"]}
    backward = {"inputs": ["grad_z"], "program": "", "outputs": {"x": "grad_z"}}
    assert read({"f": {"forward": forward, "backward": backward}}).functions["f"].forward.outputs == ("z",)


def refused(functions: Any, **more: Any) -> GradwireError:
    with pytest.raises(GradwireError) as raised:
        read(functions, **more)
    return raised.value


@pytest.mark.parametrize(
    ("part", "text", "code", "line", "column"),
    [
        ("forward", "y = x *", "syntax_error", 1, 8),
        ("forward", "import os\ny = x", "unsupported_syntax", 1, 1),
        ("forward", "a = x\ny = torch.sine(a)", "unknown_op", 2, 5),
        ("forward", "y = functions.f(x)", "recursion", 1, 5),
        ("backward", "gx = grad_y * z", "undefined_name", 1, 15),
        ("backward", "a = 1\ngx = torch.nope(a)", "unknown_op", 2, 6),
    ],
)
def test_errors_show_the_place(part: str, text: str, code: str, line: int, column: int) -> None:
    error = refused({"f": {**CUBE_TEXT, part: {**CUBE_TEXT[part], "program": text}}})
    assert (error.code, error.line, error.column) == (code, line, column)
    assert error.pointer == f"/functions/f/{part}/program"
    assert f"  {line} | {text.splitlines()[line - 1]}" in error.detail
    assert "^" in error.detail


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"program": 3}, "invalid_type", "/functions/f/forward/program"),
        ({"nodes": []}, "unknown_field", "/functions/f/forward/program"),
        ({"inputs": "x"}, "invalid_type", "/functions/f/forward/inputs"),
        ({"inputs": ["x", "1"]}, "invalid_name", "/functions/f/forward/inputs/1"),
        ({"outputs": ["q"]}, "undefined_name", "/functions/f/forward/outputs/0"),
        ({"outputs": None}, "missing_field", "/functions/f/forward"),
        ({"outputs": "y"}, "invalid_type", "/functions/f/forward/outputs"),
        ({"outputs": ["y", "z"], "program": "y = x * 2\nz = y"}, "invalid_name", "/functions/f/forward/outputs/1"),
        ({"outputs": ["y"], "program": "y = x"}, "invalid_name", "/functions/f/forward/outputs/0"),
        ({"outputs": ["x"], "program": "x = x * 2"}, "invalid_name", "/functions/f/forward/outputs/0"),
        ({"more": 1}, "unknown_field", "/functions/f/forward/more"),
    ],
)
def test_what_cannot_be_a_body(change: dict[str, Any], code: str, pointer: str) -> None:
    error = refused({"f": {**CUBE_TEXT, "forward": {**CUBE_TEXT["forward"], **change}}})
    assert (error.code, error.pointer) == (code, pointer)


def test_more_nodes_than_are_allowed_are_refused() -> None:
    long = {**CUBE_TEXT, "forward": {**CUBE_TEXT["forward"], "program": "y = x" + " * x" * 50}}
    with pytest.raises(GradwireError) as raised:
        read_program({"program": "z = functions.f(x)", "outputs": ["z"], "functions": {"f": long}}, ["x"], Limits(nodes=20))
    assert (raised.value.code, raised.value.pointer) == ("too_many_nodes", "/functions/f/forward/program")
