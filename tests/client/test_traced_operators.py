"""Operators and functions of NumPy on the tensors of a traced function."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import gradwire
from gradwire.connection import Connection
from gradwire.local import LocalTransport
from gradwire_engine.errors import ValueNeeded

A = np.array([1.0, 2.0, 3.0])
B = np.array([0.5, -1.0, 2.0])


@pytest.fixture(autouse=True)
def connected() -> Iterator[None]:
    with Connection(LocalTransport()):
        yield


OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "eq", "ne", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("left", [B, np.float64(2.0), np.array(2.0)])
def test_operators_with_an_array_in_front(name: str, left: Any) -> None:
    if name == "matmul" and np.ndim(left) == 0:
        return
    apply = getattr(operator, name)
    expected = gradwire.tensor(left) if isinstance(left, np.ndarray) else float(left)
    found = gradwire.function(lambda x: apply(left, x))(A)
    np.testing.assert_array_equal(found, apply(expected, gradwire.tensor(A)).numpy())


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_operators_on_bits_with_an_array_in_front(name: str) -> None:
    apply, left, right = getattr(operator, name), np.array([6, 3, 1]), np.array([3, 5, 1])
    np.testing.assert_array_equal(gradwire.function(lambda x: apply(left, x))(right), apply(left, right))


def into_an_array(x: Any) -> Any:
    found = A.copy()
    found *= x
    return found


@pytest.mark.parametrize("callable", [np.sin, np.add.reduce, lambda x: np.add(x, A), lambda x: A << x, into_an_array])
def test_functions_of_numpy_are_refused(callable: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueNeeded, match="functions of gradwire in place of those of NumPy and math"):
        gradwire.function(lambda x: callable(x))(A)
