"""Minimising beside the function, over both transports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire
from gradwire.connection import Connection
from gradwire.errors import ServiceValueError

pytest.importorskip("scipy")


@pytest.fixture(autouse=True)
def connected(connection: Connection) -> Any:
    with connection:
        yield


@gradwire.function
def valley(x: Any, shift: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum() + shift


def test_a_traced_function_is_minimised() -> None:
    found = valley.minimize(np.zeros(4), 2.0, wrt="x", method="trust-ncg")
    assert found.success
    np.testing.assert_allclose(found.inputs["x"], np.ones(4), atol=1e-4)
    assert found.value == pytest.approx(2.0)
    assert found.grads["x"].shape == (4,)
    assert 0 < found.iterations <= found.evaluations
    bounded = valley.minimize(np.zeros(4), 2.0, wrt="x", bounds={"x": [0, 0.5]}, options={"maxiter": 50})
    assert bounded.inputs["x"].max() == 0.5


def test_a_registered_function_is_minimised() -> None:
    function = valley.registered(np.zeros(3), 1.0)
    found = function.minimize(np.zeros(3), 1.0, wrt="x")
    np.testing.assert_allclose(found.inputs["x"], np.ones(3), atol=1e-4)
    with pytest.raises(ServiceValueError, match="Did you mean 'BFGS'"):
        function.minimize(np.zeros(3), 1.0, wrt="x", method="BFSG")
