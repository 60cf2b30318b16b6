"""Products with several zeros, whose higher derivatives torch does not have."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire

ZEROS = [[2.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 5.0], [0.0, 2.0, -1.0, 4.0]]


def hessian(function: Callable[[Any], Any], values: list[float]) -> Any:
    x = gradwire.tensor(values, dtype=gradwire.float64, requires_grad=True)
    (first,) = gradwire.grad([function(x)], [x], create_graph=True)
    return np.array([gradwire.grad([first[i]], [x], retain_graph=True)[0].numpy() for i in range(len(values))])


def mixed_products(values: list[float]) -> Any:
    """The second derivatives of a product: the product of the other elements, off the diagonal."""
    size = len(values)
    expected = np.zeros((size, size))
    for i, j in itertools.permutations(range(size), 2):
        expected[i, j] = math.prod(v for k, v in enumerate(values) if k not in (i, j))
    return expected


@pytest.mark.parametrize("values", ZEROS)
def test_second_derivatives_of_a_product(values: list[float]) -> None:
    np.testing.assert_array_equal(hessian(lambda x: x.prod(), values), mixed_products(values))
    np.testing.assert_array_equal(hessian(lambda x: x.prod(0), values), mixed_products(values))


@pytest.mark.parametrize("values", ZEROS)
def test_second_derivatives_of_a_running_product(values: list[float]) -> None:
    expected = np.zeros((len(values), len(values)))
    for end in range(1, len(values) + 1):
        expected[:end, :end] += mixed_products(values[:end])
    np.testing.assert_array_equal(hessian(lambda x: x.cumprod(0).sum(), values), expected)


def test_third_derivative_of_a_product() -> None:
    x = gradwire.tensor([0.0, 0.0, 0.0, 7.0], dtype=gradwire.float64, requires_grad=True)
    g = x.prod()
    for i in range(3):
        (g,) = gradwire.grad([g], [x], create_graph=True)
        g = g[i]
    assert g.item() == 7.0
