"""Programs as text: what they become, and what is refused, with the place."""

from __future__ import annotations

import inspect
import sys
import time
from typing import Any

import numpy as np
import pytest

from gradwire_engine.errors import GradwireError
from gradwire_engine.limits import Limits
from gradwire_engine.program import Constant, Node, Program, Reference
from gradwire_engine.text import read_program

FUNCTIONS = {
    "double": {
        "forward": {"inputs": ["x"], "nodes": [{"name": "y", "op": "mul", "args": ["x", 2]}], "outputs": ["y"]},
        "backward": {"inputs": ["grad_y"], "nodes": [], "outputs": {"x": "grad_y"}},
    },
    "both": {
        "forward": {
            "inputs": ["x"],
            "nodes": [{"name": "s", "op": "sin", "args": ["x"]}, {"name": "c", "op": "cos", "args": ["x"]}],
            "outputs": ["s", "c"],
        },
        "backward": {"inputs": ["grad_s"], "nodes": [], "outputs": {"x": "grad_s"}},
    },
}


def read(text: str, *outputs: str, inputs: tuple[str, ...] = ("x", "y")) -> Program:
    """The program, with two inputs and the functions above."""
    return read_program({"program": text, "outputs": list(outputs), "functions": FUNCTIONS}, inputs, Limits())


def shown(value: Any) -> str:
    """An argument in short."""
    if isinstance(value, Reference):
        return value.name
    if isinstance(value, Constant):
        return f"{value.array.dtype}{value.array.tolist()}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, slice):
        return ":".join("" if b is None else str(b) for b in (value.start, value.stop, value.step))
    return "..." if value is Ellipsis else repr(value)


def call_of(node: Node) -> str:
    """A node in short."""
    names = node.names if isinstance(node.names, str) else ",".join(n or "_" for n in node.names)
    args = [shown(a) for a in node.args] + [f"{k}={shown(v)}" for k, v in node.kwargs.items()]
    return f"{names}={node.op.name}({', '.join(args)})" + ("!" if node.no_grad else "")


ACCEPTED: list[tuple[str, str]] = [
    ("z = x * 2", "z=mul(x, 2)"),
    ("z = 2 * x", "z=mul(x, 2)"),
    ("z = 2 - x", "z=rsub(x, 2)"),
    ("z = 2 / x", "reciprocal_1=reciprocal(x) z=mul(reciprocal_1, 2)"),
    ("z = 2 ** x", "z=pow(2, x)"),
    ("z = 2.5 // x", "z=floor_divide(2.5, x)"),
    ("z = 2 < x", "z=gt(x, 2)"),
    ("z = -x @ y", "neg_1=neg(x) z=matmul(neg_1, y)"),
    (
        "z = ~(x > 1) & (y != 2) | (x == y)",
        "gt_1=gt(x, 1) bitwise_not_1=bitwise_not(gt_1) ne_1=ne(y, 2) bitwise_and_1=bitwise_and(bitwise_not_1, ne_1) eq_1=eq(x, y) "
        "z=bitwise_or(bitwise_and_1, eq_1)",
    ),
    ("z = x + y * x", "mul_1=mul(y, x) z=add(x, mul_1)"),
    ("z = torch.add(x, y, alpha=3)", "z=add(x, y, alpha=3)"),
    ("z = torch.nn.functional.relu(x)", "z=nn.functional.relu(x)"),
    ("z = F.softmax(x, dim=-1)", "z=softmax(x, dim=-1)"),
    ("z = nn.functional.gelu(x)", "z=nn.functional.gelu(x)"),
    ("z = linalg.inv(x)", "z=linalg.inv(x)"),
    ("z = sin(x)", "z=sin(x)"),
    ("z = x.sum(0, keepdim=True)", "z=sum(x, 0, keepdim=True)"),
    ("z = x.sum(axis=(0, 1))", "z=sum(x, dim=[0, 1])"),
    ("z = x.sin().cos()", "sin_1=sin(x) z=cos(sin_1)"),
    ("z = x.where(y > 0, 1.5)", "gt_1=gt(y, 0) z=where(gt_1, x, 1.5)"),
    ("z = x.T + x.mT.real", "T_1=T(x) mT_1=mT(x) real_1=real(mT_1) z=add(T_1, real_1)"),
    ("z = x.to(torch.float64)", "z=to(x, 'float64')"),
    ("z = x.to(y)", "z=to(x, other=y)"),
    ("z = x.reshape(2, -1)", "z=reshape(x, 2, -1)"),
    ("z = torch.zeros((2, 3), dtype=torch.long)", "z=zeros([2, 3], dtype='int64')"),
    ("z = torch.stack([x, y])", "z=stack([x, y])"),
    ("z = torch.einsum('ij,j->i', x, y)", "z=einsum('ij,j->i', x, y)"),
    ("z = x * [1.0, 2.0]", "z=mul(x, float32[1.0, 2.0])"),
    ("z = x * torch.tensor([1, 2], dtype=torch.float64)", "z=mul(x, float64[1.0, 2.0])"),
    ("z = torch.tensor([1.0, -2.0])", "z=tensor([1.0, -2.0])"),
    ("z = torch.tensor([1j, 2])", "z=tensor([1j, 2])"),
    ("z = x * 2j", "z=mul(x, 2j)"),
    ("z = x * float('-inf') + torch.pi", f"mul_1=mul(x, -inf) z=add(mul_1, {np.pi!r})"),
    ("a = 1 / 4\nz = x * -a ** 2", "z=mul(x, -0.0625)"),
    ("z = x[0]", "z=getitem(x, [0])"),
    ("z = x[1:, ..., None, ::2]", "z=getitem(x, [1::, ..., None, ::2])"),
    ("z = x[[0, 1], y > 0]", "gt_1=gt(y, 0) z=getitem(x, [int64[0, 1], gt_1])"),
    ("z = x\nz += y\nz *= 2", "z_1=add(x, y) z=mul(z_1, 2)"),
    ("a, b = x.sort()\nz = a * b", "a,b=sort(x) z=mul(a, b)"),
    ("_, i = torch.max(x, dim=0)\nz = i + 1", "_,i=max(x, dim=0) z=add(i, 1)"),
    ("s = torch.sort(x)\nz = s.values * s[1] + s[-2]", "s=sort(x) mul_1=mul(s.0, s.1) z=add(mul_1, s.0)"),
    ("a, b = x.chunk(2)\nz = b", "a,b=chunk(x, 2)"),
    ("a, b = y, x\na, b = b, a\nz = a - b", "z=sub(x, y)"),
    ("a, b = x\nz = a + b", "a,b=unbind(x) z=add(a, b)"),
    ("z = functions.double(x) + 1", "double_1=double(x) z=add(double_1, 1)"),
    ("s, c = functions.both(x)\nz = s * c", "s,c=both(x) z=mul(s, c)"),
    ("with torch.no_grad():\n    a = x * 2  # twice\nz = a * x", "a=mul(x, 2)! z=mul(a, x)"),
    ('"""A docstring."""\n\n\nz = (x +\n     y)\n', "z=add(x, y)"),
    ("w = z = x + 1; w = w * 2", "z=add(x, 1) w=mul(z, 2)"),
    ("x = x + 1\nx = x * x\nz = x", "x_1=add(x, 1) z=mul(x_1, x_1)"),
    ("x[0] = 1.5\nz = x", "select_1=select(x, 0, 0) full_like_1=full_like(select_1, 1.5) z=select_scatter(x, full_like_1, 0, 0)"),
    ("x[y > 0] = 0\nz = x", "gt_1=gt(y, 0) new_full_1=new_full(x, [], 0) z=index_put(x, [gt_1], new_full_1)"),
]


@pytest.mark.parametrize(("text", "nodes"), ACCEPTED, ids=[text for text, _ in ACCEPTED])
def test_accepted(text: str, nodes: str) -> None:
    assert " ".join(call_of(n) for n in read(text, "z").body.nodes) == nodes


REFUSED: list[tuple[str, str, int | None, int | None]] = [
    ("import os", "unsupported_syntax", 1, 1),
    ("z = x\nfrom os import path", "unsupported_syntax", 2, 1),
    ("def f(a): a", "unsupported_syntax", 1, 1),
    ("z = lambda a: a", "unsupported_syntax", 1, 5),
    ("z = [a for a in x]", "unsupported_syntax", 1, 8),
    ("for i in x: z = i", "unsupported_syntax", 1, 1),
    ("while x: z = i", "unsupported_syntax", 1, 1),
    ("z = x if x else y", "unsupported_syntax", 1, 7),
    ("z = x and y", "unsupported_syntax", 1, 7),
    ("z = not x", "unsupported_syntax", 1, 5),
    ("z = x is y", "unsupported_syntax", 1, 7),
    ("class A: z = x", "unsupported_syntax", 1, 1),
    ("del x", "unsupported_syntax", 1, 1),
    ("assert x", "unsupported_syntax", 1, 1),
    ("global x", "unsupported_syntax", 1, 1),
    ("z = yield", "unsupported_syntax", 1, 5),
    ("exec('x')", "unknown_op", 1, 1),
    ("z = eval('x')", "unknown_op", 1, 5),
    ("z = __import__('os')", "unknown_op", 1, 5),
    ("z = open('f')", "unknown_op", 1, 5),
    ("z = x.__class__", "unsupported_attribute", 1, 5),
    ("z = torch.__dict__", "unsupported_attribute", 1, 5),
    ("z = x.sum.__globals__['os']", "unsupported_attribute", 1, 5),
    ("z = f'{x}'", "unsupported_syntax", 1, 6),
    ("z = (w := x)", "unsupported_syntax", 1, 8),
    ("z = torch.cat(*x)", "unsupported_syntax", 1, 15),
    ("z = torch.add(**x)", "unsupported_syntax", 1, 15),
    ("a, *b = x", "unsupported_syntax", 1, 4),
    ("z = {1: x}", "unsupported_syntax", 1, 5),
    ("z: int = x", "unsupported_syntax", 1, 1),
    ("x.sum()", "unsupported_syntax", 1, 1),
    ("x.y = 3", "unsupported_syntax", 1, 1),
    ("with open('f'):\n z = x", "unsupported_syntax", 1, 1),
    ("z = 1 < x < 2", "unsupported_syntax", 1, 5),
    ("z = x << 2", "unsupported_syntax", 1, 5),
    ("z = x +", "syntax_error", 1, 8),
    ("z = (x", "syntax_error", 1, 5),
    ("z = x)", "syntax_error", 1, 6),
    ("z = 'x", "syntax_error", 1, 5),
    ("z = 1x", "syntax_error", 1, 5),
    ("z = x ? y", "invalid_character", 1, 7),
    ("z = é", "invalid_character", 1, 5),
    ("z = x\0", "invalid_character", 1, 6),
    ("z = '\ud800'", "invalid_character", 1, 6),
    ("z = q", "undefined_name", 1, 5),
    ("z = tanhh(x)", "unknown_op", 1, 5),
    ("z = torch.tanhh(x)", "unknown_op", 1, 5),
    ("z = x.tanhh()", "unknown_op", 1, 5),
    ("z = torch._unsafe_view(x, 2)", "unknown_op", 1, 5),
    ("z = functions.nothing(x)", "unknown_function", 1, 5),
    ("z = x.add_(1)", "inplace_in_program", 1, 5),
    ("z = torch.relu_(x)", "inplace_in_program", 1, 5),
    ("z = sum(x)", "unknown_op", 1, 5),
    ("z = x.shape[0]", "unsupported_attribute", 1, 5),
    ("z = x.reshape(x.size(0), 1)", "unsupported_attribute", 1, 15),
    ("z = x.item()", "unsupported_attribute", 1, 5),
    ("y = x * 2\ny.backward()", "unsupported_attribute", 2, 1),
    ("z = x.sum", "unsupported_attribute", 1, 5),
    ("z = torch.sin", "undefined_name", 1, 5),
    ("z = torch.sum(x, dim=y)", "argument_type", 1, 22),
    ("z = torch.mul(x, 'y')", "argument_type", 1, 18),
    ("z = torch.cumsum(x,\n    1.5)", "argument_type", 2, 5),
    ("z = x.sort() * 2", "undefined_name", 1, 5),
    ("z = torch.sort(x)[2]", "index_out_of_range", 1, 5),
    ("a, b, c = x.sort()", "output_count", 1, 1),
    ("z = 99999999999999999999 * x", "integer_out_of_range", 1, 5),
    ("z = x * " + "9" * 401, "integer_out_of_range", 1, 9),
    ("z = x ** (10 ** 99999999)", "integer_out_of_range", 1, 11),
    ("z = x * (1 / 0)", "value_error", 1, 10),
    ("a = x[0]\nx[1] = 2\nz = a + x", "shared_elements", 3, 5),
    ("a = x.T\na += 1\nz = x", "shared_elements", 3, 5),
    ("z = x; torch = 2; " + "w" * 129 + " = x", "invalid_name", 1, 19),
    ("z = " + "(" * 100_000, "too_deep", 1, 105),
    ("z = x" + ".T" * 100_000, "too_deep", 1, 206),
    ("z = x" + "[0]" * 80_000, "too_deep", 1, 306),
    ("z = " + "-" * 100_000 + "x", "too_deep", 1, 105),
    ("z = " + "x+" * 100_000 + "x", "too_deep", 1, 206),
    ("z = x\n" * 200_000, "too_long", None, None),
    ("x;" * 50_100, "too_many_tokens", 1, 100_001),
]


@pytest.mark.parametrize(("text", "code", "line", "column"), REFUSED, ids=[ascii(text[:40]) for text, *_ in REFUSED])
def test_refused(text: str, code: str, line: int | None, column: int | None) -> None:
    start = time.perf_counter()
    with pytest.raises(GradwireError) as caught:
        read(text, "z")
    error = caught.value
    assert (error.code, error.line, error.column, error.pointer) == (code, line, column, "/program")
    assert time.perf_counter() - start < 2
    if line is not None:
        assert f"\n  {line} | " in error.detail
        assert set(error.detail.rpartition("| ")[2]) <= {" ", "^"}


def test_the_picture_shows_the_place() -> None:
    with pytest.raises(GradwireError) as caught:
        read("a = x * 2\nz = a + torch.sinn(a)  # ü\n", "z")
    assert caught.value.detail == (
        "There is no operation 'sinn'. Did you mean 'sin'?\n  2 | z = a + torch.sinn(a)  # ü\n    |         ^^^^^^^^^^"
    )


def test_the_picture_of_a_long_line_is_cut() -> None:
    with pytest.raises(GradwireError) as caught:
        read(f"z = x * [{'1, ' * 5000} q]", "z")
    line, carets = caught.value.detail.split("\n")[1:]
    assert line[carets.index("^")] == "q"
    assert len(line) < 120


def test_columns_are_characters() -> None:
    with pytest.raises(GradwireError) as caught:
        read("z = torch.einsum('ä', q)", "z")
    assert caught.value.column == 23


def test_errors_of_nodes_lead_to_the_text() -> None:
    program = read("a = x * 2\nz = torch.mm(a,\n             y)", "z")
    with pytest.raises(GradwireError) as caught, program.explained():
        raise GradwireError("wrong", pointer="/nodes/1/args/1")
    assert (caught.value.line, caught.value.column, caught.value.pointer) == (3, 14, "/program")


def test_errors_elsewhere_are_left_alone() -> None:
    program = read("z = x * 2", "z")
    with pytest.raises(GradwireError) as caught, program.explained():
        raise GradwireError("wrong", pointer="/backward")
    assert (caught.value.line, caught.value.pointer, caught.value.detail) == (None, "/backward", "wrong")


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ({"program": 3, "outputs": []}, "invalid_type", "/program"),
        ({"program": "", "nodes": [], "outputs": []}, "unknown_field", "/program"),
        ({"program": "z = x"}, "missing_field", ""),
        ({"program": "z = x", "outputs": "z"}, "invalid_type", "/outputs"),
        ({"program": "z = x", "outputs": [1]}, "invalid_type", "/outputs/0"),
        ({"program": "z = x", "outputs": ["z", "z"]}, "duplicate_name", "/outputs"),
        ({"program": "z = x", "outputs": ["x", "q"]}, "undefined_name", "/outputs/1"),
        ({"program": "z = 2", "outputs": ["z"]}, "invalid_type", "/outputs/0"),
        ({"program": "z = x[0]\nx[0] = 1", "outputs": ["z"]}, "shared_elements", "/outputs/0"),
        ({"program": "z = x.sort()", "outputs": ["z"]}, "undefined_name", "/outputs/0"),
    ],
)
def test_refused_beside_the_text(document: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(GradwireError) as caught:
        read_program(document, ["x"], Limits())
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_missing_outputs_names_the_variables() -> None:
    with pytest.raises(GradwireError, match=r"The variables are x, y, z\."):
        read_program({"program": "z = x * y\nn = 3"}, ["x", "y"], Limits())


@pytest.mark.parametrize(
    ("text", "outputs", "named"),
    [
        ("x = x * 2", ["x"], {"x": "x_1"}),
        ("z = x", ["z", "x"], {"z": "x", "x": "x"}),
        ("a = x + 1\nb = a", ["a", "b"], {"a": "a", "b": "a"}),
        ("a = x + 1\nb = a\na = b * 2", ["a", "b"], {"a": "a", "b": "b"}),
        ("s = x.sort()", ["s.1"], {"s.1": "s.1"}),
        ("s = x.sort()\nz = s.indices", ["z"], {"z": "s.1"}),
    ],
)
def test_outputs_have_the_names_of_variables(text: str, outputs: list[str], named: dict[str, str]) -> None:
    assert read(text, *outputs).outputs() == named


def test_too_many_nodes() -> None:
    with pytest.raises(GradwireError) as caught:
        read_program({"program": "z = x + 1 + 1 + 1", "outputs": ["z"]}, ["x"], Limits(nodes=2))
    assert caught.value.code == "too_many_nodes"


def test_the_deepest_that_is_allowed() -> None:
    assert len(read("z = " + "-(" * 50 + "x" + ")" * 50, "z").body.nodes) == 50


def test_little_stack_left() -> None:
    """The reader may be called from deep inside something else."""

    def down(levels: int) -> str:
        if levels:
            return down(levels - 1)
        try:
            read("z = " + "-(" * 50 + "x" + ")" * 50, "z")
        except GradwireError as error:
            return error.code
        return "read"

    depth = len(inspect.stack())
    assert down(10) == "read"
    assert down(sys.getrecursionlimit() - depth - 60) == "too_deep"


def test_long_sums_are_read() -> None:
    assert len(read("z = " + " + ".join(["x"] * 100), "z").body.nodes) == 99
