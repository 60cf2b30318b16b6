"""Gradients of what is written at a mask, in plans as in torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.meta import meta_of_array
from gradwire_engine.op import ops
from gradwire_engine.plan import compile_trace
from gradwire_engine.symbolic import trace

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("shape", "place", "values"),
    [((5,), 0, ()), ((5,), 0, (1,)), ((5,), 0, (3,)), ((5, 2), 0, (2,)), ((5, 2), 0, (3, 2)), ((2, 5), 1, ()), ((2, 5), 1, (2, 1))],
)
def test_gradients_of_what_is_written_at_a_mask_can_be_compiled(shape: Any, place: int, values: Any) -> None:
    mask = np.array([True, False, True, True, False])

    def gradients(x: Any, m: Any, v: Any) -> Any:
        x, v = x.requires_grad_(), v.requires_grad_()
        y = ops.index_put(x * 2, [None] * place + [m], v * 3)
        return list(gradwire.grad([(y * y).sum()], [x, v]))

    arrays = [np.arange(10.0)[: math.prod(shape)].reshape(shape), mask, np.arange(1.0, 1 + math.prod(values)).reshape(values)]
    found = compile_trace(trace(gradients, [meta_of_array(a) for a in arrays]))(arrays)
    tensors = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    y = torch.index_put(tensors[0] * 2, (*[torch.arange(2)[:, None]] * place, *[tensors[1].nonzero()[:, 0]]), tensors[2] * 3)
    (y * y).sum().backward()
    for ours, theirs in zip(found, (tensors[0], tensors[2]), strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-13)
