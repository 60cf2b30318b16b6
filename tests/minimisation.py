"""What the tests of minimising share: a function with its derivatives by hand, and SciPy called directly."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import optimize

from gradwire_engine.dtypes import Array
from gradwire_engine.optimisers import OPTIMISERS


def rosen(x: Array) -> tuple[float, Array]:
    """Rosenbrock's function and its gradient."""
    return float(optimize.rosen(x)), np.asarray(optimize.rosen_der(x))


def rosen_product(x: Array, vector: Array) -> Array:
    """Its Hessian times a vector."""
    return np.asarray(optimize.rosen_hess_prod(x, vector))


def scipy_minimum(name: str, start: Array, bounds: tuple[Array, Array] | None = None, options: Any = None) -> Any:
    """What SciPy finds for it."""
    minimize: Any = optimize.minimize
    more: dict[str, Any] = {"hessp": rosen_product} if OPTIMISERS[name].second else {}
    if bounds is not None:
        more["bounds"] = optimize.Bounds(*bounds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return minimize(rosen, start, method=name, jac=True, options=options or {}, **more)
