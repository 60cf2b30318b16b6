"""Jacobians, Hessians and products with many vectors in chunks: the same results as all rows at once, in less memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine import transforms
from gradwire_engine.dtypes import Array
from gradwire_engine.errors import GradwireError
from gradwire_engine.execute import Runner
from gradwire_engine.limits import UNBOUNDED, Limits
from gradwire_engine.meta import dense
from gradwire_engine.meter import Meter
from gradwire_engine.op import ops
from gradwire_engine.parse import parse
from gradwire_engine.plan import compile_trace
from gradwire_engine.plan.chunks import InChunks, operations_of
from gradwire_engine.plan.interpreted import Interpreted
from gradwire_engine.symbolic import Trace, trace

Named = Mapping[str, Any]
GENERATOR = np.random.default_rng(5)
X, W = GENERATOR.normal(size=7), GENERATOR.normal(size=(5, 7))
STACK = GENERATOR.normal(size=(11, 7))


def layer(named: Named) -> dict[str, Any]:
    return {"y": ops.tanh(named["w"] @ named["x"]) * named["x"].sum(), "same": named["x"] * 1}


def tall(named: Named) -> dict[str, Any]:
    return {"y": ops.outer(ops.sin(named["x"]), ops.cumsum(named["x"], 0)).flatten().repeat(2)}


def loss(named: Named) -> dict[str, Any]:
    return {"y": (ops.sin(named["w"] @ named["x"]) ** 2).sum() * named["x"].prod()}


class Case:
    """Something to compute whose rows can be computed in chunks.

    Args:
        function: Of the inputs x and w.
        want: What to compute of it.
        more: Further fields of ``transforms.compute``.
    """

    def __init__(self, function: Callable[[Named], Named], want: str, **more: Any) -> None:
        self.function = function
        self.want = want
        self.more = more
        batched = "batch" in more
        self.arrays = [np.stack([X, X - 1, 2 * X]) if batched else X, W]
        if want == "hvp":
            self.arrays.append(np.stack([STACK, STACK + 1, STACK * 3]) if batched else STACK)

    def run(self, values: Sequence[Any], chunks: Mapping[str, Any]) -> list[Any]:
        """The results on tensors or symbols."""
        given = {"x": values[0], "w": values[1]}
        vectors = {"x": values[2]} if self.want == "hvp" else None
        made = transforms.compute(self.function, given, (self.want,), vectors=vectors, **self.more, **chunks)[self.want]
        return [v for part in made.values() for v in (part.values() if isinstance(part, dict) else [part])]

    def trace(self, **chunks: Any) -> Trace:
        """What is recorded for it."""
        return trace(lambda *symbols: self.run(symbols, chunks), [dense(a.shape, a.dtype) for a in self.arrays])

    def expected(self) -> list[Array]:
        """What all rows at once give."""
        return [np.asarray(v) for v in self.run([gradwire.tensor(a) for a in self.arrays], {})]


def squares(named: Named) -> dict[str, Any]:
    return {"y": (named["x"] ** 2).sum() + (named["w"] * 0).sum()}


CASES = {
    "hessian that depends on nothing": Case(squares, "hessian"),
    "jacobian": Case(layer, "jacobian"),
    "jacobian by columns": Case(tall, "jacobian", wrt=["x"]),
    "jacobian of a batch": Case(layer, "jacobian", batch=["x"]),
    "hessian": Case(loss, "hessian"),
    "hessian of a batch": Case(loss, "hessian", batch=["x"]),
    "hvp": Case(loss, "hvp"),
    "hvp of a batch": Case(loss, "hvp", batch=["x"]),
}


def in_chunks(recorded: Trace) -> list[InChunks]:
    return [i.op for i in recorded.instructions if isinstance(i.op, InChunks)]


@pytest.mark.parametrize("chunks", [{"chunk_size": 1}, {"chunk_size": 3}, {"chunk_size": 4}, {"chunk_bytes": 1}, {"chunk_bytes": 1000}])
@pytest.mark.parametrize("name", CASES)
def test_the_results_are_those_of_all_rows_at_once(name: str, chunks: dict[str, int]) -> None:
    case = CASES[name]
    expected = case.expected()
    recorded = case.trace(**chunks)
    assert in_chunks(recorded)
    ways = [compile_trace(recorded)(case.arrays), Interpreted(recorded)(case.arrays)]
    ways.append([np.asarray(v) for v in case.run([gradwire.tensor(a) for a in case.arrays], chunks)])
    for found in ways:
        for ours, all_at_once in zip(found, expected, strict=True):
            assert ours.shape == all_at_once.shape
            np.testing.assert_allclose(ours, all_at_once, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_what_fits_is_computed_at_once(name: str) -> None:
    assert not in_chunks(CASES[name].trace(chunk_bytes=10**9))


def test_the_forward_pass_is_not_repeated() -> None:
    recorded = CASES["jacobian"].trace(chunk_size=2)
    chunks = in_chunks(recorded)
    assert [i.op.name for i in recorded.instructions].count("tanh") == 1
    assert "tanh" not in [i.op.name for op in chunks for i in op.trace.instructions]
    assert operations_of(recorded) == len(recorded.instructions) + sum(len(op.trace.instructions) for op in chunks)


def test_what_runs_in_chunks_counts_as_often_as_it_runs() -> None:
    few, many = (CASES["hessian"].trace(chunk_size=size) for size in (4, 1))
    for run in (compile_trace, Interpreted):
        assert run(many).calls > run(few).calls > run(CASES["hessian"].trace()).calls / 2
    assert all(op.calls == op.chunks * op.plan.calls for op in in_chunks(many))


def counted(recorded: Trace) -> Meter:
    meter = Meter(UNBOUNDED, lambda: None, backward=False)
    meter.measure_trace(recorded)
    return meter


def test_the_meter_counts_the_memory_of_one_chunk_and_the_work_of_all() -> None:
    size = 200

    def function(named: Named) -> dict[str, Any]:
        x = named["x"]
        return {"y": ops.exp(ops.sin(ops.tanh(x) * x)) * x}

    def recorded(**chunks: Any) -> Trace:
        def run(x: Any) -> Any:
            return transforms.compute(function, {"x": x}, ("jacobian",), **chunks)["jacobian"]["y"]["x"]

        return trace(run, [dense((size,), np.dtype(np.float64))])

    whole, part = counted(recorded()), counted(recorded(chunk_size=10))
    answer = 2 * size * size * 8  # made, and written out
    assert part.bytes - answer < (whole.bytes - answer) / 10
    assert whole.work / 2 < part.work < 2 * whole.work
    one = counted(recorded(chunk_size=1))
    assert answer < one.bytes < part.bytes


def test_chunks_stay_within_the_bytes_that_they_are_given() -> None:
    case = CASES["hessian"]
    for nbytes in (5000, 8000):
        chunks = in_chunks(case.trace(chunk_bytes=nbytes))
        assert chunks
        for op in chunks:
            assert sum(out.meta.nbytes for i in op.trace.instructions if not i.op.view for out in i.outs) <= nbytes


def test_custom_functions_in_chunks() -> None:
    cube = {
        "forward": {"inputs": ["x"], "nodes": [{"name": "y", "op": "pow", "args": ["x", 3]}], "outputs": ["y"]},
        "save": ["x"],
        "backward": {
            "inputs": ["grad_y", "x"],
            "nodes": [{"name": "s", "op": "mul", "args": ["x", "x"]}, {"name": "d", "op": "mul", "args": ["s", "grad_y"]}],
            "outputs": {"x": "d"},
        },
    }
    nodes = [{"name": "y", "op": "functions.cube", "args": ["x"]}]
    body = parse({"functions": {"cube": cube}, "nodes": nodes, "outputs": ["y"]}, ["x"], Limits()).body

    def run(x: Any) -> Any:
        def call(named: Named) -> Named:
            return {"y": Runner(lambda: None).run(body, dict(named))["y"]}

        return transforms.jacobian(call, {"x": x}, chunk_size=2)["y"]["x"]

    found = compile_trace(trace(run, [dense((7,), np.dtype(np.float64))]))([X])[0]
    np.testing.assert_allclose(found, np.diag(X**2), rtol=1e-13)


def test_no_rows_in_a_chunk_are_refused() -> None:
    with pytest.raises(GradwireError, match="`chunk_size` should be greater than 0"):
        transforms.jacobian(layer, {"x": gradwire.tensor(X), "w": gradwire.tensor(W)}, chunk_size=0)


def test_a_jacobian_that_is_differentiated_further_has_all_its_rows() -> None:
    def squares(named: Named) -> dict[str, Any]:
        inner = transforms.jacobian(lambda n: {"y": ops.sin(n["x"])}, {"x": named["x"]}, chunk_size=2)["y"]["x"]
        return {"y": (inner**2).sum()}

    found = transforms.compute(squares, {"x": gradwire.tensor(X)}, ("grads",))["grads"]["x"]
    np.testing.assert_allclose(np.asarray(found), -2 * np.sin(X) * np.cos(X), rtol=1e-12)
