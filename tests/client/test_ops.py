"""Every op on all of its samples through a session in this process: the same as on the engine's own tensors."""

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
from gradwire_engine.autograd import grad as engine_grad
from gradwire_engine.codec import to_base64
from gradwire_engine.errors import GradwireError
from gradwire_engine.node import Node
from gradwire_engine.value import Value
from tests.samples.base import Sample, T
from tests.samples.build import GRADWIRE, Call, Side, build, differentiated, draw, flat
from tests.samples.running import Numbered, check_each, over_ops


@pytest.fixture(autouse=True)
def connection() -> Iterator[Connection]:
    made = Connection(LocalTransport())
    with made:
        yield made
    made.close()


def remote(array: Any, requires_grad: bool) -> Any:
    # As on the engine's side: not laid out differently, because sessions make row-major tensors.
    return gradwire.tensor(np.ascontiguousarray(array).reshape(array.shape), requires_grad=requires_grad)


def eager(array: Any, requires_grad: bool) -> Any:
    return GRADWIRE.tensor(np.ascontiguousarray(array).reshape(array.shape), requires_grad)


# The client has a function of its own, or the elements do not matter.
OWN = {"tensor", "empty"}
REMOTE = replace(GRADWIRE, tensor=remote, seed=gradwire.manual_seed)
EAGER = replace(GRADWIRE, tensor=eager)


def history(node: Node | None, depth: int = 3) -> Any:
    return None if node is None else (node.name(), [history(n, depth - 1) for n, _ in node.next_functions] if depth else [])


def facts(result: Any) -> Any:
    if isinstance(result, Value):
        elements = result.detach().numpy()
        return [result.dtype, tuple(result.shape), to_base64(elements), result.requires_grad, result._is_view(), history(result.grad_fn)]
    return result


def outcome(name: str, sample: Sample, side: Side) -> Any:
    def run() -> tuple[Call, Any]:
        call = build(name, sample, side)
        if side is REMOTE:
            call = replace(call, function=creating(call.function))
        return call, call.run()

    try:
        call, result = run()
        found = [facts(r) for r in flat(result)]
        outputs = differentiated(sample, result) if sample.grad else []
        leaves = [t for t in call.tensors if t.requires_grad]
        if outputs and leaves:
            cotangents = [side.tensor(draw(tuple(o.shape), o.dtype.numpy, i), False) for i, o in enumerate(outputs)]
            grad = engine_grad if side is EAGER else gradwire.autograd.grad
            found += [None if g is None else facts(g) for g in grad(outputs, leaves, cotangents, allow_unused=True)]
        return found
    except GradwireError as error:
        return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins"), str(error)


def check(name: str, sample: Sample) -> None:
    if name == "to" and len(sample.args) > 1 and isinstance(sample.args[1], T):
        return  # as a method, it sends the dtype of the other tensor
    ours, theirs = outcome(name, sample, REMOTE), outcome(name, sample, EAGER)
    if isinstance(ours, tuple) and "generator of your own" in ours[1]:
        return
    assert ours == theirs


@over_ops(lambda name, sample: not name.rpartition(".")[2].startswith("_") and name not in OWN)
def test_sessions_agree_with_the_engine(name: str, samples: Numbered) -> None:
    check_each(name, samples, check)


def test_programs_of_the_engine_are_left_alone() -> None:
    assert isinstance(gradwire_engine.zeros(2), gradwire_engine.Tensor)
