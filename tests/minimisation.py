"""What the tests of minimising share: a function with its derivatives by hand, and SciPy called directly."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import optimize

from gradwire_engine.dtypes import Array
from gradwire_engine.optimisers import OPTIMISERS


def start_of(name: str) -> Array:
    """Where the searches by a method start: for dogleg in a place from which the Hessian is positive definite all along."""
    return np.array([1.2, 1.4, 2.0, 4.0] if name == "dogleg" else [-1.2, 1.0, 0.5, 2.0])


def rosen(x: Array) -> tuple[float, Array]:
    """Rosenbrock's function and its gradient."""
    return float(optimize.rosen(x)), np.asarray(optimize.rosen_der(x))


def rosen_product(x: Array, vector: Array) -> Array:
    """Its Hessian times a vector."""
    return np.asarray(optimize.rosen_hess_prod(x, vector))


def rosen_hessian(x: Array) -> Array:
    """Its Hessian."""
    return np.asarray(optimize.rosen_hess(x))


def scipy_minimum(name: str, start: Array, bounds: tuple[Array, Array] | None = None, options: Any = None) -> Any:
    """What SciPy finds for it."""
    minimize: Any = optimize.minimize
    more: dict[str, Any] = {"hessp": rosen_product} if OPTIMISERS[name].second else {}
    if OPTIMISERS[name].hessian:
        more["hess"] = rosen_hessian
    if bounds is not None:
        more["bounds"] = optimize.Bounds(*bounds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return minimize(rosen, start, method=name, jac=True, options=options or {}, **more)
