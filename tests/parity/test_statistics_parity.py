"""Variances of too few elements, where torch warns and still has an answer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire

torch = pytest.importorskip("torch")

FEW = [
    ((), {}),
    ((1,), {}),
    ((2,), {"correction": 2}),
    ((2,), {"correction": 3}),
    ((2,), {"dim": 0, "correction": 2}),
    ((2,), {"dim": 0, "correction": 3}),
    ((2, 1), {"dim": 1}),
    ((0,), {}),
    ((0, 3), {"dim": 0}),
    ((0, 3), {"dim": 1}),
]


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize(("shape", "options"), FEW)
def test_too_few_elements(name: str, shape: tuple[int, ...], options: dict[str, Any]) -> None:
    values = np.random.default_rng(0).uniform(-2, 2, shape)
    ours = gradwire.tensor(values, requires_grad=True)
    theirs = torch.tensor(values, requires_grad=True)
    result = getattr(ours, name)(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = getattr(theirs, name)(**options)
    np.testing.assert_allclose(result.detach().numpy(), expected.detach().numpy())
    result.sum().backward()
    expected.sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy())
