"""Long computations ask again and again whether they are to stop, inside kernels too, and do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gw
from gradwire_engine import stopping
from gradwire_engine.errors import Cancelled, GradwireError, LimitError, ProgramError
from gradwire_engine.limits import Limits
from gradwire_engine.op import REGISTRY, ops
from gradwire_engine.ops import unique
from gradwire_engine.parse import parse
from gradwire_engine.quiet import quiet
from gradwire_engine.stopping import check, in_blocks, stoppable, watched


class Count:
    """A check that stops at the call of a number."""

    def __init__(self, most: int) -> None:
        self.calls = 0
        self._most = most

    def __call__(self) -> None:
        self.calls += 1
        if self.calls >= self._most:
            raise Cancelled("The caller has gone away.")


def wrap(array: Any) -> Any:
    return gw.Tensor._wrap(array)


def test_kernels_see_the_check_while_it_holds() -> None:
    count = Count(100)
    check()
    with stoppable(count):
        check()
        quiet.run(check)
        with stoppable(lambda: None):
            quiet.run(check)
        quiet.run(check)
    check()
    quiet.run(check)
    assert count.calls == 3


LONG: dict[str, tuple[int, Callable[[], Any]]] = {
    "product of integers": (6, lambda: ops.mm(wrap(np.full((1500, 1500), 2**61)), wrap(np.full((1500, 1500), 2**61)))),
    "matrix_power": (2, lambda: ops.matrix_power(wrap(np.eye(8)), 2**62)),
    "multi_dot": (9, lambda: ops.linalg.multi_dot([wrap(np.eye(3))] * 9)),
    "conv_transpose1d": (5, lambda: ops.conv_transpose1d(wrap(np.ones((1, 1, 20_000))), wrap(np.ones((1, 1, 20_000))))),
    "conv1d": (5, lambda: ops.conv1d(wrap(np.ones((1, 1, 40_000))), wrap(np.ones((1, 1, 20_000))))),
    "avg_pool2d": (5, lambda: ops.nn.functional.avg_pool2d(wrap(np.ones((1, 600, 600))), 300, 1)),
    "max_pool2d": (5, lambda: ops.nn.functional.max_pool2d(wrap(np.ones((1, 600, 600))), 300, 1)),
    "polygamma": (5, lambda: ops.polygamma(2, wrap(np.ones(1_000_000)))),
    "lgamma": (5, lambda: ops.lgamma(wrap(np.ones(1_000_000)))),
    "fmod": (5, lambda: ops.fmod(wrap(np.full(1_000_000, 1e300)), 1e-300)),
    "remainder": (5, lambda: ops.remainder(wrap(np.full(1_000_000, 1e300)), wrap(np.full(1_000_000, 1e-300)))),
    "floor_divide": (5, lambda: ops.floor_divide(wrap(np.full(1_000_000, 1e300)), 1e-300)),
    "multinomial": (5, lambda: ops.multinomial(wrap(np.ones((1_000_000, 2))), 2, True)),
    "randperm": (5, lambda: ops.randperm(2_000_000)),
    "rand": (5, lambda: ops.rand(5_000_000)),
    "unique": (5, lambda: ops.unique(wrap(np.zeros((5, 10_000_000), np.int8)), dim=0)),
    "inverse of a singular matrix": (5, lambda: ops.linalg.inv(wrap(np.diag([1.0] * 500 + [0.0])))),
    "cholesky of an indefinite matrix": (5, lambda: ops.linalg.cholesky(wrap(np.diag([1.0] * 500 + [-1.0])))),
}


@pytest.mark.parametrize("case", LONG)
def test_a_long_kernel_stops(case: str) -> None:
    most, run = LONG[case]
    count = Count(most)
    start = time.perf_counter()
    with stoppable(count), pytest.raises(Cancelled):
        run()
    assert count.calls == most
    assert time.perf_counter() - start < 5


def test_a_backward_pass_stops_within_a_node() -> None:
    x = wrap(np.ones((1, 1, 20_000)))
    x.requires_grad = True
    y = ops.conv1d(x, wrap(np.ones((1, 1, 10_000)))).sum()
    count = Count(8)
    with stoppable(count), pytest.raises(Cancelled):
        y.backward()
    assert count.calls == 8


def test_blocks_give_what_the_function_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "_BLOCK", 7)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 6, 7)), rng.standard_normal((6, 1))
    cases: list[tuple[Any, Any]] = [(a, b), (a.T, a.T), (a[::-1, ::2], 1.5), (np.asfortranarray(a), b), (2.5, a), (b.T, b), (a[:0], b)]
    for left, right in cases:
        found, expected = in_blocks(np.fmod, left, right), np.fmod(left, right)
        np.testing.assert_array_equal(found, expected)
        assert (found.strides, found.dtype) == (expected.strides, expected.dtype)
    half = in_blocks(lambda x: np.sqrt(x).astype(np.float32), a * a)
    assert half.dtype == np.float32
    np.testing.assert_array_equal(half, np.abs(a).astype(np.float32))


def test_watching_changes_nothing() -> None:
    count = Count(4)
    with stoppable(count):
        assert list(watched(range(600))) == list(range(600))
    assert count.calls == 3


def test_many_terms_of_polygamma_are_added_at_once() -> None:
    scipy_special: Any = pytest.importorskip("scipy.special")
    x = np.random.default_rng(0).uniform(-300, 10, 200)
    for n in (1, 2, 3):
        np.testing.assert_allclose(ops.polygamma(n, wrap(x)).numpy(), scipy_special.polygamma(n, x), rtol=1e-8)
    # Near a pole the one term beside it is all that matters.
    start = time.perf_counter()
    assert ops.polygamma(1, wrap(np.array([-(2.0**40) + 2**-10]))).item() == pytest.approx(2.0**20, rel=1e-5)
    assert ops.polygamma(1, wrap(np.array([-(2.0**40)]))).item() == np.inf
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_distinct_slices_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch, axis: int, dtype: Any) -> None:
    monkeypatch.setattr(unique, "_PART", 5)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (6, 2, 3)).astype(dtype)
    if np.dtype(dtype).kind in "if":
        x -= np.asarray(1, dtype)
    if np.dtype(dtype).kind == "f":
        x = np.where(rng.random(x.shape) < 0.2, np.asarray(-0.0, dtype), x) * np.asarray(1.5, dtype)
    values, inverse, counts = ops.unique(wrap(x), return_inverse=True, return_counts=True, dim=axis)
    expected = np.unique(x, return_inverse=True, return_counts=True, axis=axis)
    np.testing.assert_array_equal(values.numpy(), expected[0])
    np.testing.assert_array_equal(inverse.numpy(), expected[1].reshape(-1))
    np.testing.assert_array_equal(counts.numpy(), expected[2])


def test_slices_with_nan_are_distinct_and_last() -> None:
    x = np.array([[np.nan, 1.0], [np.nan, 1.0], [0.0, 1.0], [-np.inf, 0.0], [-0.0, 1.0]])
    values, counts = ops.unique(wrap(x), return_counts=True, dim=0)
    np.testing.assert_array_equal(values.numpy(), [[-np.inf, 0], [0, 1], [np.nan, 1], [np.nan, 1]])
    assert counts.tolist() == [1, 2, 1, 1]


def test_a_chain_of_too_many_matrices_is_refused() -> None:
    matrices = [wrap(np.eye(2))] * 257
    for name, arguments in (("linalg.multi_dot", (matrices,)), ("einsum", (",".join(["ab"] * 257), matrices))):
        with pytest.raises(LimitError, match="at most 256 tensors but got 257") as caught:
            REGISTRY[name](*arguments)
        assert caught.value.code == "too_many_operands"
    assert ops.linalg.multi_dot([wrap(np.eye(2))] * 256).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def many(count: int) -> list[str]:
    return [f"x{i}" for i in range(count)]


@pytest.mark.parametrize(
    "document",
    [
        {"nodes": [{"name": f"y{i}", "op": "exp", "args": ["x0"]} for i in range(3000)], "outputs": []},
        {"nodes": [{"name": "y", "op": "stack", "args": [["x0"] * 3000]}], "outputs": []},
        {"nodes": [{"name": "y", "op": "stack", "args": [[1.0] * 3000]}], "outputs": []},
        {"nodes": [{"name": "y", "op": "tensor", "args": [[[1.0]] * 3000]}], "outputs": []},
        {"nodes": [{"name": many(3000), "op": "unbind", "args": ["x0"]}], "outputs": []},
        {"nodes": [], "outputs": [f"x0.{i}" for i in range(3000)]},
        {
            "nodes": [],
            "outputs": [],
            "functions": {"f": {"forward": {"inputs": many(3000), "outputs": []}, "backward": {"inputs": [], "outputs": {}}}},
        },
    ],
    ids=["nodes", "references", "numbers", "data", "names", "outputs", "inputs"],
)
def test_reading_a_program_stops(document: dict[str, Any]) -> None:
    count = Count(6)
    with stoppable(count), pytest.raises(Cancelled):
        parse(document, ["x0"], Limits())
    assert count.calls == 6


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ({"nodes": [{"name": "y", "op": "stack", "args": [["x"] * 41]}], "outputs": []}, "too_many_references", "/nodes/0/args/0/40"),
        (
            {"nodes": [], "outputs": [], "functions": {f"f{i}": {} for i in range(11)}},
            "too_many_functions",
            "/functions",
        ),
        (
            {
                "nodes": [],
                "outputs": [],
                "functions": {"f": {"forward": {"inputs": many(11), "outputs": []}, "backward": {"inputs": [], "outputs": {}}}},
            },
            "too_many_inputs",
            "/functions/f/forward/inputs",
        ),
        ({"nodes": [{"name": "y", "op": "permute", "args": ["x", [0] * 100_001]}], "outputs": []}, "argument_too_long", "/nodes/0/args/1"),
        ({"nodes": [{"name": "y", "op": "getitem", "args": ["x", [None] * 257]}], "outputs": []}, "invalid_index", "/nodes/0/args/1"),
    ],
)
def test_what_a_program_may_hold(document: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(GradwireError) as caught:
        parse(document, ["x"], Limits(nodes=10))
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_forty_references_for_ten_nodes_are_allowed() -> None:
    parse({"nodes": [{"name": "y", "op": "stack", "args": [["x"] * 40]}], "outputs": []}, ["x"], Limits(nodes=10))


def test_inputs_of_a_function_are_compared_once() -> None:
    names = many(50_000)
    function = {"forward": {"inputs": names, "outputs": names}, "save": names, "backward": {"inputs": [], "outputs": dict.fromkeys(names)}}
    start = time.perf_counter()
    parse({"nodes": [], "outputs": [], "functions": {"f": function}}, [], Limits())
    assert time.perf_counter() - start < 10


def test_a_suggestion_among_many_names_can_be_stopped() -> None:
    rng = np.random.default_rng(0)
    names = ["x" + "".join(rng.choice(["a", "b"], 100)) for _ in range(2000)]
    document = {"nodes": [{"name": "y", "op": "exp", "args": ["x" + "ab" * 50]}], "outputs": []}
    count = Count(20)
    with stoppable(count), pytest.raises(Cancelled):
        parse(document, names, Limits())
    with pytest.raises(ProgramError, match="Did you mean 'xabb"):
        parse(document, [*names[:100], "x" + "abb" + "ab" * 50], Limits())
