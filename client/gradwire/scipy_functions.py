"""Callables for SciPy's optimisers, which ask for a value and for its derivatives one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradwire_engine.dtypes import Array

if TYPE_CHECKING:
    from .traced_function import TracedFunction


class ScipyFunctions:
    """A scalar function of its first argument, a vector, as ``scipy.optimize.minimize`` wants it.

    ``minimize(f.scipy.fun, x0, args=(X, y), jac=f.scipy.jac, hessp=f.scipy.hessp)``: what follows the vector is handed through. Value and
    gradient at the same place, with the same objects as further arguments, are one request.

    Args:
        function: The function.
        start: Arguments that are flattened together to one vector in place of the first one; see :meth:`flattened`.
    """

    def __init__(self, function: TracedFunction, start: Sequence[Array] | None = None) -> None:
        self._function = function
        self._start = start
        self._last: tuple[bytes, tuple[Any, ...], float, Array] | None = None

    def flattened(self, *start: Any) -> ScipyFunctions:
        """The same for a function of several arrays, which SciPy sees as one vector.

        Args:
            start: An array per argument; ``x0`` is all of them as one vector, and :meth:`split` takes such a vector apart.
        """
        return ScipyFunctions(self._function, [np.asarray(array) for array in start])

    @property
    def x0(self) -> Array:
        """Where to start."""
        return _joined(self._start or ())

    def split(self, x: Array) -> tuple[Array, ...]:
        """The arguments that a vector stands for."""
        if self._start is None:
            return (x,)
        ends = np.cumsum([array.size for array in self._start])[:-1]
        return tuple(
            part.reshape(array.shape).astype(array.dtype, copy=False) for part, array in zip(np.split(x, ends), self._start, strict=True)
        )

    def fun_and_jac(self, x: Array, *args: Any) -> tuple[float, Array]:
        """The value and the gradient, for ``jac=True``."""
        x = np.asarray(x)
        # What is in x may change under way, so that its elements say whether it is the same place.
        place = x.tobytes()
        last = self._last
        if last is None or last[0] != place or len(last[1]) != len(args) or any(a is not b for a, b in zip(last[1], args, strict=True)):
            value, grads = self._function.value_and_grad(*self.split(x), *args, wrt=self._wrt)
            last = self._last = (place, args, float(value), _joined(grads))
        return last[2], last[3].copy()

    def fun(self, x: Array, *args: Any) -> float:
        """The value."""
        return self.fun_and_jac(x, *args)[0]

    def jac(self, x: Array, *args: Any) -> Array:
        """The gradient."""
        return self.fun_and_jac(x, *args)[1]

    def hess(self, x: Array, *args: Any) -> Array:
        """The Hessian."""
        parts = self.split(np.asarray(x))
        blocks = self._function.hessian(*parts, *args, wrt=self._wrt)
        rows = [
            [np.reshape(block, (a.size, b.size)) for block, b in zip(row, parts, strict=True)] for row, a in zip(blocks, parts, strict=True)
        ]
        return np.block(rows).astype(np.float64, copy=False)

    def hessp(self, x: Array, p: Array, *args: Any) -> Array:
        """The Hessian times a vector."""
        products = self._function.hvp(*self.split(np.asarray(x)), *args, vectors=self.split(np.asarray(p)), wrt=self._wrt)
        return _joined(products)

    @property
    def _wrt(self) -> list[int | str]:
        return list(range(1 if self._start is None else len(self._start)))


def _joined(arrays: Sequence[Array]) -> Array:
    """All elements as one vector of float64, of which SciPy's optimisers are made."""
    return np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64, copy=False)
