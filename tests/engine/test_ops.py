"""Every op on all of its samples, without torch: the recorders agree, shape rules tell the truth, gradients are derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.dtypes import Array, to_real
from gradwire_engine.errors import GradwireError
from gradwire_engine.meta import Meta, meta_of_array
from gradwire_engine.op import REGISTRY, Op, Overloads
from gradwire_engine.promotion import compute_dtype
from gradwire_engine.record import is_tensor
from gradwire_engine.shapes import infer
from gradwire_engine.symbolic import Trace, trace
from tests.samples import all_samples
from tests.samples.base import Sample, T
from tests.samples.build import ARRAYS, GRADWIRE, Call, Side, build, differentiated, draw, flat
from tests.samples.running import Numbered, check_each, over_ops

EPS = 1e-6
# Of sums of rounded products, by the least precise dtype.
TOLERANCE = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-9}


def differentiable_recipes(call: Call) -> list[T]:
    return [r for r in call.recipes if r.grad and np.dtype(r.dtype).kind in "fc"]


def is_differentiable(name: str, sample: Sample) -> bool:
    return name in REGISTRY and not sample.error and sample.grad and bool(differentiable_recipes(build(name, sample, ARRAYS)))


VALID = over_ops(lambda _, sample: not sample.error)
FAILING = over_ops(lambda _, sample: sample.error)
DIFFERENTIABLE = over_ops(is_differentiable)


def chosen(call: Call) -> tuple[Op, list[Any]]:
    """The overload that a call means, and one value per parameter."""
    found = call.function
    if isinstance(found, Overloads):
        return found.resolve(call.args, call.kwargs, is_tensor)
    assert isinstance(found, Op)
    return found, found.bind(call.args, call.kwargs, is_tensor)


def is_data_dependent(call: Call) -> bool:
    return chosen(call)[0].data_dependent


def as_metas(op: Op, values: Sequence[Any]) -> list[Any]:
    """What a shape rule gets: the metas of the operands, promoted as the recorders promote them."""
    dtype = compute_dtype(op, values) if op.promoted else None

    def one(value: Any, promoted: bool) -> Any:
        if isinstance(value, tuple):
            return tuple(one(v, promoted) for v in value)
        if not isinstance(value, (np.ndarray, np.generic)):
            return value
        return meta_of_array(np.asarray(value, dtype if promoted else None))

    return [one(v, i in op.promoted) if i in op.tensor_slots else v for i, v in enumerate(values)]


def with_tensors(tensors: Sequence[Any]) -> Side:
    """A side whose tensors are ``tensors``, in order."""
    rest = iter(tensors)
    return replace(GRADWIRE, tensor=lambda *_: next(rest))


def record_program(name: str, sample: Sample, call: Call) -> Trace:
    """The sample recorded as a program of its tensors."""
    return trace(lambda *tensors: flat(build(name, sample, with_tensors(tensors)).run()), [meta_of_array(a) for a in call.tensors])


def array_of(item: Any) -> Any:
    return item._data if isinstance(item, gradwire.Value) else item


def same(a: Any, b: Any) -> None:
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    np.testing.assert_array_equal(a, b)


def steps(meta: Meta) -> tuple[int, ...]:
    """The strides that matter: a dimension of size 1 is never stepped along."""
    return () if 0 in meta.shape else tuple(stride for size, stride in zip(meta.shape, meta.strides, strict=True) if size > 1)


def is_private(name: str) -> bool:
    return name.rpartition(".")[2].startswith("_")


def is_alias(name: str) -> bool:
    found = REGISTRY[name]
    return (found.overloads[0] if isinstance(found, Overloads) else found).name != name


def test_every_op_has_samples() -> None:
    sampled = {name for name, _, _ in all_samples()}
    missing = sorted(name for name in REGISTRY if name not in sampled and not is_private(name) and not is_alias(name))
    assert not missing, f"no samples of: {', '.join(missing)}"


def test_every_sample_is_of_an_op() -> None:
    unknown = sorted({name for name, _, _ in all_samples()} - REGISTRY.keys())
    assert not unknown, f"samples of unknown ops: {', '.join(unknown)}"


@VALID
def test_recorders_agree(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_recorders)


def check_recorders(name: str, sample: Sample) -> None:
    """Eager tensors, plain arrays and a recorded program give the same."""
    eager = [array_of(t) for t in flat(build(name, sample, GRADWIRE).run())]
    plain = [array_of(t) for t in flat(build(name, sample, ARRAYS).run())]
    assert len(eager) == len(plain)
    for a, b in zip(eager, plain, strict=True):
        same(a, b)
    call = build(name, sample, ARRAYS)
    if is_data_dependent(call):
        return
    program = record_program(name, sample, call)
    GRADWIRE.seed(0)
    for a, b in zip(eager, program.run(call.tensors), strict=True):
        same(a, b)


@VALID
def test_shape_rule_agrees_with_kernel(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_shape_rule)


def check_shape_rule(name: str, sample: Sample) -> None:
    call = build(name, sample, ARRAYS)
    op, values = chosen(call)
    if op.composite:
        return
    metas = infer(op, as_metas(op, values))
    results = [meta_of_array(array_of(t)) for t in flat(build(name, sample, GRADWIRE).run())]
    assert len(metas) == len(results)
    for meta, result in zip(metas, results, strict=True):
        assert meta.dtype == result.dtype
        if op.data_dependent:
            assert meta.numel >= result.numel
        else:
            assert meta.shape == result.shape
            assert steps(meta) == steps(result)


@FAILING
def test_errors(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_error)


def check_error(name: str, sample: Sample) -> None:
    with pytest.raises(GradwireError):
        build(name, sample, GRADWIRE).run()
    if sample.error_from_values:
        return
    with pytest.raises(GradwireError) as from_rule:
        run_shape_rule(name, sample)
    assert not from_rule.value.detail.startswith("A symbolic tensor")


def run_shape_rule(name: str, sample: Sample) -> None:
    """Binds the arguments and infers the result; the parts of a composite op are inferred by recording them."""
    call = build(name, sample, ARRAYS)
    op, values = chosen(call)
    if op.composite:
        record_program(name, sample, call)
    else:
        infer(op, as_metas(op, values))


class Projection:
    """A sample as a real function of its inputs: its outputs, projected on random directions.

    Args:
        name: The op.
        sample: Its sample.
        arrays: The values of the tensors.
    """

    def __init__(self, name: str, sample: Sample, arrays: Sequence[Array]) -> None:
        self.name = name
        self.sample = sample
        self.arrays = arrays

    def outputs(self) -> tuple[list[Any], list[Any]]:
        """The differentiated outputs, and the inputs that require grad."""
        call = build(self.name, self.sample, GRADWIRE, [np.array(a) for a in self.arrays])
        return differentiated(self.sample, call.run()), [t for t in call.tensors if t.requires_grad]

    def value(self) -> float:
        """The projection."""
        outputs, _ = self.outputs()
        return sum(_inner(draw(o.shape, o._data.dtype, k), o._data) for k, o in enumerate(outputs))

    def gradients(self, *, create_graph: bool = False) -> tuple[list[Any], list[Any]]:
        """The inputs and their gradients, zeros where an input was not reached."""
        outputs, inputs = self.outputs()
        cotangents = [gradwire.tensor(draw(o.shape, o._data.dtype, k)) for k, o in enumerate(outputs)]
        found = gradwire.grad(outputs, inputs, cotangents, create_graph=create_graph, materialize_grads=True)
        return inputs, list(found)

    def second(self) -> list[Array]:
        """The gradients of a random projection of the gradients."""
        inputs, first = self.gradients(create_graph=True)
        reached = [(k, g) for k, g in enumerate(first) if g.requires_grad]
        if not reached:
            return [np.zeros_like(i._data) for i in inputs]
        cotangents = [gradwire.tensor(draw(g.shape, g._data.dtype, 40 + k)) for k, g in reached]
        return [g._data for g in gradwire.grad([g for _, g in reached], inputs, cotangents, materialize_grads=True)]

    def projected_gradient(self) -> float:
        """The gradients, projected as ``second`` projects them."""
        _, first = self.gradients()
        return sum(_inner(draw(g.shape, g._data.dtype, 40 + k), g._data) for k, g in enumerate(first))

    def moved(self, step: float) -> Projection:
        """The same at inputs moved by ``step`` along a fixed random direction."""
        moves = self._moves()
        return Projection(self.name, self.sample, [a if m is None else a + step * m for a, m in zip(self.arrays, moves, strict=True)])

    def directions(self) -> list[Array]:
        """The directions of ``moved``, of the inputs that require grad."""
        return [m for m in self._moves() if m is not None]

    def _moves(self) -> list[Array | None]:
        tensors = build(self.name, self.sample, GRADWIRE).tensors
        return [draw(t.shape, t._data.dtype, 90 + k) if t.requires_grad else None for k, t in enumerate(tensors)]


def _inner(a: Array, b: Array) -> float:
    return float(np.sum(np.real(np.conj(a) * b), dtype=np.float64))


def derivatives(at: Projection, order: int) -> tuple[float, float]:
    """The derivative along a direction, and the central difference of what it derives from."""

    def value(step: float) -> float:
        moved = at.moved(step)
        return moved.value() if order == 1 else moved.projected_gradient()

    gradients = [g._data for g in at.gradients()[1]] if order == 1 else at.second()
    found = sum(_inner(g, d) for g, d in zip(gradients, at.directions(), strict=True))
    return found, (value(EPS) - value(-EPS)) / (2 * EPS)


def check_derivative(at: Projection, order: int) -> None:
    """Compares gradients with central differences.

    At a kink or a jump central differences mean nothing, so a sample that does not agree has to agree beside its place.
    """
    found, expected = derivatives(at, order)
    if found == pytest.approx(expected, rel=1e-4, abs=1e-4):
        return
    found, expected = derivatives(at.moved(1e-3), order)
    if np.isfinite(expected):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)


@DIFFERENTIABLE
def test_gradients(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_gradients)


@np.errstate(all="ignore")
def check_gradients(name: str, sample: Sample) -> None:
    call = build(name, sample, ARRAYS)
    at = Projection(name, sample, call.tensors)
    outputs, inputs = at.outputs()
    if not outputs or not inputs:
        return
    dtypes = {np.dtype(r.dtype) for r in differentiable_recipes(call)} | {o._data.dtype for o in outputs}
    check_linearity(at, max(TOLERANCE[to_real(d).name] for d in dtypes))
    # Finite differences need double precision.
    if not sample.derivative or {to_real(d).name for d in dtypes} != {"float64"}:
        return
    check_derivative(at, 1)
    if sample.grad2:
        check_derivative(at, 2)


def check_linearity(at: Projection, tolerance: float) -> None:
    """A rule is linear in the cotangent: the gradient of a combination is the combination of the gradients."""
    outputs, inputs = at.outputs()

    def gradients(a: float, b: float) -> list[Array]:
        drawn = [(draw(o.shape, o._data.dtype, k), draw(o.shape, o._data.dtype, 20 + k)) for k, o in enumerate(outputs)]
        cotangents = [gradwire.tensor(np.asarray(a * first + b * second, first.dtype)) for first, second in drawn]
        found = gradwire.grad(outputs, inputs, cotangents, retain_graph=True, materialize_grads=True)
        return [g._data for g in found]

    for both, first, second in zip(gradients(2.0, -0.5), gradients(1.0, 0.0), gradients(0.0, 1.0), strict=True):
        expected = 2.0 * first - 0.5 * second
        scale = max(1.0, float(np.max(np.abs(first[np.isfinite(first)]), initial=0.0)))
        finite = np.isfinite(expected) & np.isfinite(both)
        np.testing.assert_allclose(both[finite], expected[finite], rtol=tolerance, atol=tolerance * scale)
