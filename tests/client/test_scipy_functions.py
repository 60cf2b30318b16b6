"""Traced functions in the hands of SciPy's optimisers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradwire
from gradwire.connection import Connection
from gradwire.local import LocalTransport
from gradwire.transport import Request, Response

optimize = pytest.importorskip("scipy.optimize")


class Counting:
    """A transport that counts the requests by the last part of their paths."""

    remote = False

    def __init__(self) -> None:
        self._transport = LocalTransport()
        self.asked: list[str] = []

    def send(self, request: Request) -> Response:
        self.asked.append(request.path.rpartition("/")[2])
        return self._transport.send(request)

    def close(self) -> None:
        self._transport.close()


@pytest.fixture
def counting() -> Any:
    transport = Counting()
    connection = Connection(transport)
    with connection:
        yield transport
    connection.close()


def rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


X = np.random.default_rng(0).normal(size=(40, 2))
Y = X @ [1.0, -2.0] + 0.5


def squares(w: Any, c: Any, x: Any, y: Any) -> Any:
    return ((x @ w + c - y) ** 2).mean()


@pytest.mark.parametrize("method", ["BFGS", "CG", "L-BFGS-B", "Newton-CG", "trust-ncg", "trust-exact"])
def test_minimises(method: str, connection: Connection) -> None:
    with connection:
        scipy = gradwire.function(rosenbrock).scipy
        second: dict[str, Any] = {"hess": scipy.hess} if method == "trust-exact" else {"hessp": scipy.hessp}
        if method in ("BFGS", "CG", "L-BFGS-B"):
            second = {}
        found = optimize.minimize(scipy.fun, np.zeros(4), jac=scipy.jac, method=method, **second)
    np.testing.assert_allclose(found.x, np.ones(4), atol=1e-3)


def test_value_and_gradient_are_one_request(counting: Counting) -> None:
    scipy = gradwire.function(rosenbrock).scipy
    found = optimize.minimize(scipy.fun, np.zeros(4), jac=scipy.jac, method="BFGS")
    assert counting.asked.count("value_and_grad") == found.nfev == found.njev
    counting.asked.clear()
    together = optimize.minimize(scipy.fun_and_jac, np.zeros(4), jac=True, method="BFGS")
    assert counting.asked == ["value_and_grad"] * together.nfev
    np.testing.assert_array_equal(together.x, found.x)
    x = np.zeros(4)
    scipy.jac(x)[:] = 7.0
    np.testing.assert_array_equal(scipy.jac(x), [-2.0, -2.0, -2.0, 0.0])
    # The same array with other elements is another place.
    x[0] = 1.0
    assert scipy.fun(x) == 102.0


def test_further_arguments_are_handed_through(connection: Connection) -> None:
    with connection:
        scipy = gradwire.function(squares).scipy
        found = optimize.minimize(scipy.fun, np.zeros(2), args=(0.5, X, Y), jac=scipy.jac, hessp=scipy.hessp, method="Newton-CG")
        np.testing.assert_allclose(found.x, [1.0, -2.0], atol=1e-5)
        assert scipy.fun(np.zeros(2), 0.5, X, Y) != scipy.fun(np.zeros(2), 0.5, X, 2 * Y)


def test_several_arrays_as_one_vector(connection: Connection) -> None:
    with connection:
        scipy = gradwire.function(squares).scipy.flattened(np.zeros(2), np.zeros((), np.float32))
        assert scipy.x0.tolist() == [0.0, 0.0, 0.0]
        found = optimize.minimize(scipy.fun, scipy.x0, args=(X, Y), jac=scipy.jac, hess=scipy.hess, method="trust-exact")
        w, c = scipy.split(found.x)
        np.testing.assert_allclose(w, [1.0, -2.0], atol=1e-4)
        assert (c.ndim, c.dtype.name) == (0, "float32")
        assert c == pytest.approx(0.5, abs=1e-4)
        np.testing.assert_allclose(scipy.hess(found.x, X, Y) @ found.x, scipy.hessp(found.x, found.x, X, Y), rtol=1e-4)
