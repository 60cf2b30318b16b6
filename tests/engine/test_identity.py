"""The hash of programs: what it tells apart and what it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradwire_engine.identity import program_hash
from gradwire_engine.limits import Limits
from gradwire_engine.text import read_program

DECLARED = {"x": {"dtype": "float64", "shape": ["n"]}, "y": {"dtype": "float64", "shape": ["n"]}}


def node(name: Any, op: str, *args: Any, **rest: Any) -> dict[str, Any]:
    """A node in one line."""
    return {"name": name, "op": op, "args": list(args), **rest}


def function(op: str = "exp", save: str = "y", **changes: Any) -> dict[str, Any]:
    """A custom function of one input."""
    return {
        "forward": {"inputs": ["x"], "nodes": [node("y", op, "x")], "outputs": ["y"]},
        "save": [save],
        "backward": {"inputs": ["grad_y", save], "nodes": [node("g", "mul", "grad_y", save)], "outputs": {"x": "g"}},
        **changes,
    }


def hash_of(program: Any, outputs: Any = ("z",), declared: Any = None, functions: Any = None) -> str:
    """The hash of a text, or of a list of nodes."""
    document = {"program" if isinstance(program, str) else "nodes": program, "outputs": list(outputs), "functions": functions or {}}
    return program_hash(read_program(document, ["x", "y"], Limits()), DECLARED if declared is None else declared)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = x * 2\nz = a + y", "b = x * 2\nz = b + y"),
        ("z = x * 2 + y", "z = x * 2\nz += y"),
        ("z = x * 2", [node("z", "mul", "x", 2)]),
        ("z = torch.sum(x, 0)", "z = x.sum(dim=0)"),
        ("z = torch.sum(x, dim=0)", "z = torch.sum(input=x, axis=(0), keepdim=False)"),
        ("z = x.std(0)", "z = x.std(dim=0, keepdim=False)"),
        ("z = F.softplus(x)", "z = F.softplus(x, 1, 20)"),
        ("z = torch.zeros(2, 3) * x", "z = torch.zeros((2, 3), device='cpu') * x"),
        ("z = torch.absolute(x)", "z = abs(x)"),
        ("z = x.to(torch.double)", [node("z", "to", "x", "float64")]),
        ("z = x * float('nan')", "z = x * -torch.nan"),
        ("z, = x.sin(), ", [node(["z"], "sin", "x")]),
        ("a, b = x.sort()\nz = b", "a, b = torch.sort(x)\nz = b"),
        ("# nothing\nz = (x)", "z = x"),
    ],
)
def test_the_same(one: Any, other: Any) -> None:
    assert hash_of(one) == hash_of(other)


DIFFERENT: list[Any] = [
    "z = x * 2",
    "z = x * 2.0",
    "z = x * True",
    "z = x * 0.0",
    "z = x * -0.0",
    "z = x * 2j",
    "z = x * float('nan')",
    "z = x * float('inf')",
    "z = y * 2",
    "z = torch.mul(2, x)",
    "z = x * y",
    "z = y * x",
    "z = x + 2",
    "z = x ** 2",
    "z = x ** y",
    "z = 2 ** x",
    "z = x.sum()",
    "z = x.sum(0)",
    "z = x.sum(1)",
    "z = x.sum(0, keepdim=True)",
    "z = x * torch.tensor(2)",
    "z = x * torch.tensor(2.0)",
    "z = x * torch.tensor(2.0, dtype=torch.float64)",
    "z = x * torch.tensor([2.0])",
    "z = x * torch.tensor([[2.0]])",
    "z = x * torch.tensor([-0.0])",
    "z = x * torch.tensor([0.0])",
    "z = torch.tensor(2.0)",
    "z = x[0]",
    "z = x[0:1]",
    "z = x[0, ...]",
    "z = x[True]",
    "with torch.no_grad():\n    z = x * 2",
    "z = x.sort()[0]",
    "z = x.sort()[1]",
    "a, z = x.sort()",
    "a, b, z = x.chunk(3)",
    "a, z = x.chunk(3)",
    "z = F.gelu(x)",
    "z = F.gelu(x, approximate='tanh')",
    "z = x",
    "z = x * 2\nw = x * 3",
]


def test_different() -> None:
    hashes = {hash_of(text): text for text in DIFFERENT}
    assert len(hashes) == len(DIFFERENT), set(DIFFERENT) - set(hashes.values())
    assert all(len(h) == 64 for h in hashes)


def test_names_of_outputs_and_inputs_matter() -> None:
    text = "z = x * 2\nw = z"
    assert len({hash_of(text, o) for o in (["z"], ["w"], ["z", "w"], ["w", "z"], [])}) == 5
    declared = [DECLARED, {}, {**DECLARED, "x": {"dtype": "float32", "shape": ["n"]}}]
    assert len({hash_of(text, declared=d) for d in declared}) == 3
    assert hash_of(text, declared=dict(reversed(DECLARED.items()))) == hash_of(text)


def test_custom_functions_count_by_what_they_are() -> None:
    def called(name: str, **functions: Any) -> str:
        return hash_of(f"z = functions.{name}(x)", functions=functions)

    base = called("f", f=function())
    renamed = function()
    renamed["forward"] = {"inputs": ["a"], "nodes": [node("y", "exp", "a")], "outputs": ["y"]}
    renamed["backward"]["outputs"] = {"a": "g"}
    assert called("f", f=renamed, unused=function("sin")) == base
    assert hash_of("z = functions.f(x=x)", functions={"f": function()}) == base
    # The name of the function is that of its grad_fn.
    different = [
        called("g", g=function()),
        called("f", f=function("sin")),
        called("f", f=function(save="x")),
        called("f", f=function(backward={**function()["backward"], "outputs": {"x": "grad_y"}})),
        called("f", f=function(backward={**function()["backward"], "outputs": {}})),
    ]
    assert len({base, *different}) == 6
    inner, outer = function("sin"), function()
    outer["forward"] = {"inputs": ["x"], "nodes": [node("y", "functions.g", "x")], "outputs": ["y"]}
    assert called("f", g=function("cos"), f=outer) != called("f", g=inner, f=outer)


def test_one_nan_is_like_another() -> None:
    quiet, other = (np.frombuffer(bits, "<f4").copy() for bits in (b"\x00\x00\xc0\x7f", b"\x01\x00\xc0\xff"))
    assert hash_of([node("z", "mul", "x", {"data": quiet})]) == hash_of([node("z", "mul", "x", {"data": other})])
    pair = hash_of([node("z", "mul", "x", {"data": quiet + 1j * other})])
    assert pair == hash_of([node("z", "mul", "x", {"data": other + 1j * quiet})])


def test_what_cannot_be_bound_has_a_hash() -> None:
    wrong = [[node("z", "sum", "x", kwargs={"dims": 0})], [node("z", "sum", "x", kwargs={"dims": 1})]]
    assert len({hash_of(nodes) for nodes in wrong}) == 2
