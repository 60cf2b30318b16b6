"""Programs written as text and read back: the same nodes, by their hash."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradwire_engine.errors import GradwireError
from gradwire_engine.identity import program_hash
from gradwire_engine.limits import Limits
from gradwire_engine.parse import parse
from gradwire_engine.program import Program
from gradwire_engine.text import read_program, write_text
from gradwire_server.services.evaluate import evaluate
from tests.engine.test_text import FUNCTIONS
from tests.samples import all_samples
from tests.samples.documents import NotSendable, sample_document


def same_again(document: dict[str, Any], inputs: list[str]) -> str:
    """Writes the program and reads it back; the text."""
    program = read_program(document, inputs, Limits())
    text = write_text(program)
    again = read_program({**{k: v for k, v in document.items() if k != "nodes"}, "program": text}, inputs, Limits())
    assert program_hash(again, {}) == program_hash(program, {}), text
    return text


def sendable() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every sample that a program can hold, and that runs."""
    for name, number, sample in all_samples():
        if name.startswith("_") or "._" in name or sample.error:
            continue
        try:
            yield f"{name}-{number}", sample_document(name, sample)
        except NotSendable:
            continue


def test_every_op_is_written_and_read() -> None:
    tried = set()
    for label, document in sendable():
        try:
            evaluate(document, limits=Limits(), check=lambda: None)
        except GradwireError:
            continue  # what a document says otherwise than a call in Python, as with a device
        same_again(document, list(document["inputs"]))
        tried.add(label.rpartition("-")[0])
    assert len(tried) > 380


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("z = x * 2 + 1", "mul_1 = x * 2\nz = mul_1 + 1\n"),
        ("z = torch.mul(2, x)", "z = torch.mul(2, x)\n"),
        ("z = F.relu(-x).T", "neg_1 = -x\nrelu_1 = neg_1.relu()\nz = relu_1.T\n"),
        ("z = x.sum(dim=0)", "z = x.sum(dim=0)\n"),
        ("z = x[0, 1:, ..., None, ::2]", "z = x[0, 1:, ..., None, ::2]\n"),
        ("z = x[()]", "z = x[()]\n"),
        ("s = x.sort()\nz = s[0] - s.indices", "s = x.sort()\nz = s[0] - s[1]\n"),
        ("_, z = x.sort()", "_, z = x.sort()\n"),
        ("z, = x.chunk(1)", "z, = x.chunk(1)\n"),
        ("with torch.no_grad():\n  a = x + 1\n  b = a + 1\nz = b + x", "with torch.no_grad():\n    a = x + 1\n    b = a + 1\nz = b + x\n"),
        ("x = x + 1\nz = x", "z = x + 1\n"),
        ("z = functions.double(x)", "z = functions.double(x)\n"),
        ("z = x * 2j - float('-inf')", 'mul_1 = x * complex(0.0, 2.0)\nz = mul_1 - float("-inf")\n'),
        ("z = x.to(torch.float64) * -0.0", "to_1 = x.to(torch.float64)\nz = to_1 * -0.0\n"),
        ("z = x * torch.tensor([1, 2], dtype=torch.int8)", "z = x * torch.tensor([1, 2], dtype=torch.int8)\n"),
        ("z = torch.einsum('i,i->', x, x)", "z = torch.einsum('i,i->', x, x)\n"),
    ],
)
def test_written(text: str, written: str) -> None:
    assert same_again({"program": text, "outputs": ["z"], "functions": FUNCTIONS}, ["x"]) == written


def test_names_of_outputs_are_written() -> None:
    document = {"program": "a = x + 1\nb = x\nx = a\na, b = b, a", "outputs": ["x", "a", "b"]}
    assert same_again(document, ["x"]) == "b = x + 1\nx, a = b, x\n"


def test_names_that_the_text_needs_are_changed() -> None:
    nodes = [
        {"name": "torch", "op": "sin", "args": ["x"]},
        {"name": ["_", "complex"], "op": "sort", "args": ["torch"]},
        {"name": "float", "op": "softmax", "args": ["_", 0]},
    ]
    text = same_again({"nodes": nodes, "outputs": ["float", "complex"]}, ["x"])
    assert text.splitlines()[-1] == "float, complex = float_1, complex_1"
    with pytest.raises(GradwireError, match="'torch' cannot be written"):
        write_text(parse({"nodes": [], "outputs": []}, ["torch"], Limits()))


ELEMENTS = {
    "float64": st.floats(),
    "float32": st.floats(width=32),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint8": st.integers(0, 255),
    "bool": st.booleans(),
    "complex128": st.complex_numbers(),
}


@st.composite
def constants(draw: st.DrawFn) -> dict[str, Any]:
    """A tensor in JSON, empty ones among them."""
    dtype = draw(st.sampled_from(list(ELEMENTS)))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    count = math.prod(shape)
    array = np.array(draw(st.lists(ELEMENTS[dtype], min_size=count, max_size=count)), dtype).reshape(shape)
    return {"data": array, "dtype": dtype, "shape": shape}


NUMBERS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["NaN", "Infinity", "-Infinity"]),
    st.tuples(st.floats(-1e30, 1e30), st.floats(-1, 1)).map(lambda p: {"complex": list(p)}),
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A program of random nodes; it is well formed, and need not fit together."""
    names = ["x", "y"]
    nodes: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 8))):
        value = st.one_of(st.sampled_from(names), NUMBERS, constants())
        name: Any = draw(st.sampled_from([f"n{number}", f"torch{number}", f"mul_{number}"]))
        kind = draw(st.sampled_from(["binary", "unary", "sort", "index", "function", "cat", "sum", "static"]))
        ref = draw(st.sampled_from(names))
        node: dict[str, Any] = {"name": name, "no_grad": draw(st.booleans())}
        if kind == "binary":
            op = draw(st.sampled_from(["add", "sub", "mul", "div", "pow", "matmul", "lt", "bitwise_and", "torch.maximum", "rsub"]))
            node |= {"op": op, "args": [draw(value), draw(value)]}
        elif kind == "unary":
            node |= {"op": draw(st.sampled_from(["neg", "T", "real", "sin", "nn.functional.relu"])), "args": [draw(value)]}
        elif kind == "sort":
            node |= {"name": [name, draw(st.sampled_from([None, name + "i"]))], "op": "sort", "args": [ref]}
        elif kind == "index":
            item = st.one_of(
                st.sampled_from(["...", None, True]),
                st.integers(-3, 3),
                constants(),
                st.just(ref),
                st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=3, max_size=3).map(lambda b: {"slice": b}),
            )
            node |= {"op": "getitem", "args": [ref, draw(st.lists(item, max_size=4))]}
        elif kind == "function":
            node |= {"op": "functions.double", "args": [draw(value)]}
        elif kind == "cat":
            node |= {"op": "stack", "args": [draw(st.lists(st.one_of(st.just(ref), constants()), max_size=3))], "kwargs": {"dim": 0}}
        elif kind == "sum":
            node |= {"op": "sum", "args": [ref, draw(st.lists(st.integers(-2, 2), max_size=2))], "kwargs": {"keepdim": draw(st.booleans())}}
        else:
            dtype = draw(st.sampled_from(["float64", "int8", "complex64"]))
            node |= {"op": "full", "args": [[2, 0]], "kwargs": {"fill_value": draw(NUMBERS), "dtype": dtype}}
        nodes.append(node)
        names += [n for n in node["name"] if n] if isinstance(node["name"], list) else [node["name"]]
    outputs = draw(st.lists(st.sampled_from(names), unique=True))
    return {"nodes": nodes, "outputs": outputs, "functions": FUNCTIONS}


def read_nodes(document: dict[str, Any]) -> Program:
    """The program of the document, with its two inputs."""
    return parse(document, ["x", "y"], Limits())


@settings(max_examples=150, deadline=None)
@given(documents())
def test_any_program_is_read_back(document: dict[str, Any]) -> None:
    same_again(document, ["x", "y"])
