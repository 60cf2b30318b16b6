"""The work of a program is known before it is done: what takes too long is refused, what people compute is not."""

from __future__ import annotations

from typing import Any

import pytest

from gradwire_engine.errors import LimitError
from gradwire_engine.execute import Runner
from gradwire_engine.limits import Limits
from gradwire_engine.meter import Meter
from gradwire_engine.parse import parse

FACTORISATIONS = ("eigh", "svd", "svdvals", "qr", "cholesky", "inv", "det", "slogdet", "pinv")
WIDE = Limits(tensor_bytes=2**40, program_bytes=2**50)


def node(name: str, op: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "args": list(args), "kwargs": kwargs}


def empty(*shape: int, dtype: str = "float32") -> dict[str, Any]:
    return node("a", "empty", list(shape), dtype=dtype)


def measure(*nodes: dict[str, Any], backward: bool = False, limits: Limits = WIDE) -> int:
    """The work of a program, without running it."""
    program = parse({"nodes": list(nodes), "outputs": []}, [], limits)
    meter = Meter(limits, lambda: None, backward=backward)
    meter.measure(program.body, {})
    return meter.work


@pytest.mark.parametrize(
    "nodes",
    [
        [empty(8000, 8000), node("y", "mm", "a", "a")],
        [empty(3, 8000, 8000), node("y", "matmul", "a", "a")],
        [empty(8000, 8000), node("y", "addmm", "a", "a", "a")],
        [empty(5000, 5000, dtype="complex64"), node("y", "mm", "a", "a")],
        [empty(4000, 4000, dtype="int64"), node("y", "mm", "a", "a")],
        [empty(8000, 8000), node("y", "einsum", "ij,jk->ik", ["a", "a"])],
        [empty(5000, 300), node("w", "empty", [1000, 300, 300]), node("y", "bilinear", "a", "a", "w")],
        *([empty(8000, 8000), node("y", f"linalg.{name}", "a")] for name in FACTORISATIONS),
        [empty(8000, 8000), node("y", "linalg.solve", "a", "a")],
        [empty(20_000_000, 10, 10), node("y", "linalg.eigh", "a")],
        [empty(100_000_000, 1, 1), node("y", "linalg.inv", "a")],
        [empty(2000, 2000), node("y", "matrix_power", "a", 2**62 - 1)],
        [empty(1, 1, 100_000), node("y", "conv_transpose1d", "a", "a")],
        [empty(64, 256, 128, 128), node("w", "empty", [512, 256, 3, 3]), node("y", "conv2d", "a", "w", padding=1)],
        [empty(1, 1000, 1000), node("y", "nn.functional.avg_pool2d", "a", 500, 1)],
        [empty(1, 1000, 1000), node("y", "nn.functional.max_pool2d", "a", 500, 1)],
        [empty(100_000_000), node("y", "polygamma", 2, "a")],
        [empty(100_000_000), node("y", "digamma", "a")],
        [empty(1_000_000_000), node("y", "erf", "a")],
        [empty(200_000_000), node("y", "multinomial", "a", 2)],
        [empty(200_000_000), node("y", "median", "a")],
        [empty(1000, 200_000), node("y", "median", "a", 0)],
        [empty(10, 100_000_000, dtype="int8"), node("y", "unique", "a", dim=0)],
        [empty(200_000_000), node("y", "unique", "a")],
        [empty(100_000_000), node("y", "fft.fft", "a")],
    ],
    ids=lambda nodes: f"{nodes[-1]['op']}-{nodes[0]['args'][0]}",
)
def test_what_would_take_minutes_is_refused(nodes: list[dict[str, Any]]) -> None:
    with pytest.raises(LimitError, match="multiply-adds, more than the 400,000,000,000 that are allowed") as caught:
        measure(*nodes)
    assert caught.value.code == "too_much_work"


@pytest.mark.parametrize(
    "nodes",
    [
        [empty(4096, 4096), node("y", "mm", "a", "a")],
        [empty(1500, 1500, dtype="float64"), node("y", "linalg.eigh", "a")],
        [empty(1500, 1500, dtype="float64"), node("y", "linalg.svd", "a")],
        [empty(3000, 3000, dtype="float64"), node("y", "linalg.solve", "a", "a")],
        [empty(3000, 3000, dtype="float64"), node("y", "linalg.cholesky", "a")],
        [empty(100_000, 3, 3), node("y", "linalg.inv", "a")],
        [empty(32, 64, 56, 56), node("w", "empty", [64, 64, 3, 3]), node("y", "conv2d", "a", "w", padding=1)],
        [empty(64, 64, 112, 112), node("y", "nn.functional.max_pool2d", "a", 3, 2)],
        [empty(10_000_000), node("y", "polygamma", 1, "a")],
        [empty(50_000_000), node("y", "exp", "a")],
        [empty(20_000_000), node("y", "sort", "a")],
        [empty(10_000_000), node("y", "fft.fft", "a")],
    ],
    ids=lambda nodes: f"{nodes[-1]['op']}-{nodes[0]['args'][0]}",
)
def test_what_people_compute_is_not_refused(nodes: list[dict[str, Any]]) -> None:
    assert measure(*nodes, backward=True) <= Limits().work


def test_work_adds_up_and_counts_three_times_with_gradients() -> None:
    a, once = empty(300, 300), node("y", "mm", "a", "a")
    made = measure(a)
    one = measure(a, once) - made
    assert one == 300**3
    assert measure(a, once, node("z", "mm", "y", "a")) - made == 2 * one
    assert measure(a, once, backward=True) == 3 * (made + one)


def test_an_op_that_says_nothing_takes_a_unit_for_each_element() -> None:
    a = empty(20, 30)
    made = measure(a)
    assert made == 600
    assert measure(a, node("y", "add", "a", "a")) - made == 3 * 600
    assert measure(a, node("y", "sum", "a")) - made == 601
    assert measure(a, node("y", "t", "a")) == made


def test_a_part_that_looks_at_values_is_counted_when_it_is_known() -> None:
    nodes = [node("a", "ones", [300]), node("i", "nonzero", "a"), node("m", "expand", "i", [300, 300]), node("y", "mm", "m", "m")]
    limits = Limits(work=10**6)
    program = parse({"nodes": nodes, "outputs": []}, [], limits)
    meter = Meter(limits, lambda: None, backward=False)
    meter.measure(program.body, {})
    with pytest.raises(LimitError) as caught:
        Runner(lambda: None, meter.before).run(program.body, {})
    assert (caught.value.code, caught.value.pointer) == ("too_much_work", "/nodes/3")


@pytest.mark.parametrize(
    "nodes",
    [
        [empty(200_000_000, dtype="int8"), node("y", "median", "a", 0)],
        [empty(200_000_000, dtype="int8"), node("y", "kthvalue", "a", 2)],
        [empty(200_000_000, dtype="int8"), node("y", "mode", "a")],
        [empty(200_000_000, dtype="int8"), node("y", "topk", "a", 1)],
    ],
    ids=lambda nodes: str(nodes[-1]["op"]),
)
def test_the_places_that_an_order_needs_are_counted(nodes: list[dict[str, Any]]) -> None:
    with pytest.raises(LimitError, match="bytes for its work") as caught:
        measure(*nodes, limits=Limits())
    assert caught.value.code == "tensor_too_large"
