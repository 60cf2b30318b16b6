"""Every op on a batch of items: the same as one call for each, also backwards, for eager tensors and for symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

import gradwire_engine as gradwire
from gradwire_engine.batching import vmap
from gradwire_engine.dtypes import Array
from gradwire_engine.meta import meta_of_array
from gradwire_engine.op import REGISTRY, Overloads
from gradwire_engine.record import is_tensor
from gradwire_engine.symbolic import trace
from tests.samples.base import Sample
from tests.samples.build import ARRAYS, GRADWIRE, Side, build, differentiated, draw, flat
from tests.samples.running import Numbered, check_each, over_ops

SIZE = 3
RTOL = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-9}


def with_tensors(tensors: Sequence[Any]) -> Side:
    """A side whose tensors are ``tensors``, in order."""
    rest = iter(tensors)
    return replace(GRADWIRE, tensor=lambda *_: next(rest))


def can_be_mapped(name: str, sample: Sample) -> bool:
    """Whether the shapes of the results are known and nothing is drawn."""
    if sample.error or name not in REGISTRY:
        return False
    call = build(name, sample, ARRAYS)
    found: Any = call.function
    op = found.resolve(call.args, call.kwargs, is_tensor)[0] if isinstance(found, Overloads) else found
    masked = name == "getitem" and any(r.dtype in ("bool", "uint8") for r in call.recipes[1:])
    draws = op.random or "dropout" in name or name == "new_tensor"
    return bool(call.recipes) and not op.data_dependent and not draws and not masked


class Mapped:
    """A sample on a batch of items.

    Args:
        name: The op.
        sample: Its sample.
        mapped: The positions of the tensors that differ from item to item.
    """

    def __init__(self, name: str, sample: Sample, mapped: Sequence[int]) -> None:
        self.name = name
        self.sample = sample
        self.mapped = tuple(mapped)
        self.recipes = build(name, sample, ARRAYS).recipes
        self.arrays = [
            np.stack([r.array(i + 10 * k) for k in range(SIZE)]) if i in self.mapped else np.array(r.array(i))
            for i, r in enumerate(self.recipes)
        ]
        # The least precise tensor decides.
        self.rtol = max(RTOL.get(np.dtype(r.dtype).type(0).real.dtype.name, 0.0) for r in self.recipes)
        self.grad = [r.grad and np.dtype(r.dtype).kind in "fc" for r in self.recipes]

    def item(self, k: int) -> list[Array]:
        """The arrays of one item."""
        return [a[k] if i in self.mapped else a for i, a in enumerate(self.arrays)]

    def run(self, tensors: Sequence[Any]) -> list[Any]:
        """The op on tensors."""
        return flat(build(self.name, self.sample, with_tensors(tensors)).run())

    def on_batch(self, tensors: Sequence[Any]) -> list[Any]:
        """The op on all items at once."""
        return list(vmap(lambda named: self.run(list(named.values())), dict(enumerate(tensors)), self.mapped))

    def gradients(self, outputs: Sequence[Any], inputs: Sequence[Any], stacked: bool = False) -> list[Any]:
        """The gradients of a projection of the outputs."""
        chosen = differentiated(self.sample, outputs)
        if not chosen:
            return [gradwire.ops.zeros_like(i) for i in inputs]
        drawn = [draw(o.shape[1:] if stacked else o.shape, o._data.dtype, k) for k, o in enumerate(chosen)]
        cotangents = [gradwire.tensor(np.stack([d] * SIZE) if stacked else d) for d in drawn]
        return list(gradwire.grad(chosen, inputs, cotangents, materialize_grads=True))

    def tensors(self, arrays: Sequence[Array]) -> list[Any]:
        """Leaves."""
        return [GRADWIRE.tensor(np.array(a), g) for a, g in zip(arrays, self.grad, strict=True)]


def close(ours: Any, expected: Array, rtol: float) -> None:
    ours = np.asarray(ours._data if isinstance(ours, gradwire.Value) else ours)
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    if expected.dtype.kind in "fc":
        scale = max(1.0, float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)))
        np.testing.assert_allclose(ours, expected, rtol=rtol, atol=rtol * scale)
    else:
        np.testing.assert_array_equal(ours, expected)


def patterns(count: int) -> list[tuple[int, ...]]:
    """All tensors mapped, and each way to map fewer of up to three."""
    everything = tuple(range(count))
    fewer = [p for n in range(1, count) for p in combinations(everything, n)] if count <= 3 else [everything[:1]]
    return [everything, *fewer]


@over_ops(can_be_mapped)
def test_results(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_results)


@np.errstate(all="ignore")
def check_results(name: str, sample: Sample) -> None:
    for pattern in patterns(len(build(name, sample, ARRAYS).recipes)):
        mapped = Mapped(name, sample, pattern)
        rows = [flat(mapped.run([gradwire.tensor(a) for a in mapped.item(k)])) for k in range(SIZE)]
        if not all(isinstance(r, gradwire.Value) for r in rows[0]):
            return
        expected = [np.stack([r._data for r in column]) for column in zip(*rows, strict=True)]
        found = mapped.on_batch([gradwire.Tensor._wrap(a) for a in mapped.arrays])
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            close(a, b, mapped.rtol)
        program = trace(lambda *symbols, m=mapped: m.on_batch(symbols), [meta_of_array(a) for a in mapped.arrays])
        for a, b in zip(program.run(mapped.arrays), expected, strict=True):
            close(a, b, mapped.rtol)


def has_gradient(name: str, sample: Sample) -> bool:
    if not sample.grad or not can_be_mapped(name, sample):
        return False
    recipes = build(name, sample, ARRAYS).recipes
    # How many values a mask takes is not known.
    masked = name == "index_put" and any(r.dtype == "bool" for r in recipes)
    return not masked and any(r.grad and np.dtype(r.dtype).kind in "fc" for r in recipes)


@over_ops(has_gradient)
def test_gradients(name: str, samples: Numbered) -> None:
    check_each(name, samples, check_gradients)


@np.errstate(all="ignore")
def check_gradients(name: str, sample: Sample) -> None:
    for number, pattern in enumerate(patterns(len(build(name, sample, ARRAYS).recipes))[:3]):
        mapped = Mapped(name, sample, pattern)
        wanted = [i for i, g in enumerate(mapped.grad) if g]
        rows = []
        for k in range(SIZE):
            tensors = mapped.tensors(mapped.item(k))
            rows.append([g._data for g in mapped.gradients(mapped.run(tensors), [tensors[i] for i in wanted])])
        expected = [np.stack(column) for column in zip(*rows, strict=True)]
        check_per_item(mapped, wanted, expected, number == 0)
        check_from_outside(mapped, wanted, expected, number == 0)


def check_per_item(mapped: Mapped, wanted: Sequence[int], expected: Sequence[Array], symbolic: bool) -> None:
    """The gradient of every item by itself, recorded inside."""

    def each(named: Any) -> Any:
        leaves = [v.requires_grad_() if g else v for v, g in zip(named.values(), mapped.grad, strict=True)]
        return mapped.gradients(mapped.run(leaves), [leaves[i] for i in wanted])

    def on_batch(tensors: Sequence[Any]) -> Any:
        return vmap(each, dict(enumerate(tensors)), mapped.mapped)

    for a, b in zip(on_batch([gradwire.Tensor._wrap(a) for a in mapped.arrays]), expected, strict=True):
        close(a, b, mapped.rtol)
    if not symbolic:
        return
    program = trace(lambda *symbols: on_batch(symbols), [meta_of_array(a) for a in mapped.arrays])
    for a, b in zip(program.run(mapped.arrays), expected, strict=True):
        close(a, b, mapped.rtol)


def check_from_outside(mapped: Mapped, wanted: Sequence[int], expected: Sequence[Array], symbolic: bool) -> None:
    """The gradient of the whole batch, recorded outside; what is the same for all items gets the sum."""
    sums = [e if i in mapped.mapped else e.sum(0, dtype=e.dtype) for i, e in zip(wanted, expected, strict=True)]
    tensors = mapped.tensors(mapped.arrays)
    for a, b in zip(mapped.gradients(mapped.on_batch(tensors), [tensors[i] for i in wanted], stacked=True), sums, strict=True):
        close(a, b, mapped.rtol)
    if not symbolic:
        return

    def both(*symbols: Any) -> Any:
        leaves = [s.requires_grad_() if g else s for s, g in zip(symbols, mapped.grad, strict=True)]
        return mapped.gradients(mapped.on_batch(leaves), [leaves[i] for i in wanted], stacked=True)

    program = trace(both, [meta_of_array(a) for a in mapped.arrays])
    for a, b in zip(program.run(mapped.arrays), sums, strict=True):
        close(a, b, mapped.rtol)
