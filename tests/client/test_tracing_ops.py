"""Every op on all of its samples in a traced function: the same as on the engine's own tensors, gradients included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradwire
import gradwire_engine
from gradwire.connection import Connection
from gradwire.local import LocalTransport
from gradwire.names import creating
from gradwire_engine.autograd import grad
from gradwire_engine.codec import to_base64
from gradwire_engine.errors import GradwireError, ValueNeeded
from gradwire_engine.modes import GENERATOR
from gradwire_engine.random import Generator
from gradwire_engine.value import CREATOR, Value
from tests.samples.base import Sample, T
from tests.samples.build import GRADWIRE, build, draw, flat
from tests.samples.running import Numbered, check_each, over_ops

SEED = 5


@pytest.fixture(autouse=True)
def connection() -> Iterator[Connection]:
    made = Connection(LocalTransport())
    with made:
        yield made
    made.close()


def check(name: str, sample: Sample) -> None:
    if sample.error or (name == "to" and len(sample.args) > 1 and isinstance(sample.args[1], T)):
        return  # as a method, it takes the dtype of the other tensor
    built = build(name, sample, GRADWIRE)
    arrays = [np.ascontiguousarray(t._data).reshape(t._data.shape) for t in built.tensors]
    differentiable = [t.requires_grad for t in built.tensors]

    def parted(items: list[Any]) -> tuple[list[Any], list[Any]]:
        both = list(zip(items, differentiable, strict=True))
        return [item for item, needs in both if needs], [item for item, needs in both if not needs]

    def called(varied: list[Any], rest: list[Any]) -> Any:
        given = {True: iter(varied), False: iter(rest)}
        order = iter(differentiable)
        side = replace(GRADWIRE, tensor=lambda *_: next(given[next(order)]), seed=lambda _: None)
        call = build(name, sample, side)
        return [r for r in flat(creating(call.function)(*call.args, **call.kwargs)) if isinstance(r, Value)]

    tokens = GENERATOR.set(Generator(SEED)), CREATOR.set(gradwire_engine.Tensor)
    try:
        tensors = [GRADWIRE.tensor(array, needs) for array, needs in zip(arrays, differentiable, strict=True)]
        expected = called(*parted(tensors))
        outputs = [e for e in expected if e.requires_grad] if sample.grad else []
        leaves = [t for t in tensors if t.requires_grad]
        cotangents = [draw(tuple(o.shape), o.dtype.numpy, i) for i, o in enumerate(outputs)]
        grads = grad(outputs, leaves, [GRADWIRE.tensor(c, False) for c in cotangents], allow_unused=True) if outputs and leaves else ()
    finally:
        GENERATOR.reset(tokens[0])
        CREATOR.reset(tokens[1])
    if not expected:
        return
    traced = gradwire.function(called, name="sample")
    try:
        found = traced(*parted(arrays), seed=SEED)
    except ValueNeeded:
        return  # what looks at values has no program
    except GradwireError as error:
        if "generator of your own" in str(error):
            return
        raise
    assert [facts(f) for f in found] == [facts(e.detach()._data) for e in expected]
    if outputs and leaves:
        asked = iter(cotangents)
        given = [next(asked) if e.requires_grad else None for e in expected]
        try:
            pulled = traced.vjp(*parted(arrays), grad_outputs=given, seed=SEED, wrt="varied")[1]
        except GradwireError as error:
            if error.code == "data_dependent_shape":
                return  # to pick what was written by a mask
            raise
        for p, g, leaf in zip(pulled, grads, leaves, strict=True):
            np.testing.assert_allclose(p, np.zeros(leaf.shape) if g is None else g._data, rtol=1e-6, atol=1e-12)


def facts(array: Any) -> Any:
    array = np.asarray(array)
    return array.dtype.name, array.shape, to_base64(array)


@over_ops(lambda name, sample: not name.rpartition(".")[2].startswith("_") and name not in ("tensor", "empty"))
def test_traced_functions_agree_with_the_engine(name: str, samples: Numbered) -> None:
    check_each(name, samples, check)


def test_programs_of_the_engine_are_left_alone() -> None:
    assert isinstance(gradwire_engine.zeros(2), gradwire_engine.Tensor)
