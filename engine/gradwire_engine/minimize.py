"""Minimising a function of a vector by SciPy's methods, which are imported where they are used."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .dtypes import Array
from .errors import GradwireError, ProgramError, TensorRuntimeError
from .optimisers import Optimiser
from .scipy_searches import undisturbed

# What SciPy's trust region methods answer where a matrix has no Cholesky decomposition.
_NOT_DEFINITE: Final = 3


class Enough(Exception):
    """Raised by what is minimised, to end the search with the best point so far; its argument says why, as a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A point at which the function was evaluated.

    Attributes:
        x: The point.
        value: The value there.
        gradient: The gradient there.
        found: Whatever else the evaluation gave.
    """

    x: Array
    value: float
    gradient: Array
    found: Any

    @property
    def strange(self) -> str | None:
        """What is not finite here, in words; ``None`` if all is."""
        if not math.isfinite(self.value):
            return f"the value is {_special(self.value)}"
        odd = self.gradient[~np.isfinite(self.gradient)]
        return f"the gradient holds {_special(float(odd[0]))}" if odd.size else None


@dataclass(frozen=True, slots=True)
class Iteration:
    """How far a minimisation has come.

    Attributes:
        iteration: The number of the iteration; 0 is the start.
        value: The value of the function.
        gradient_norm: The Euclidean norm of its gradient.
        step: The Euclidean distance from the point before.
        evaluations: The number of evaluations so far.
    """

    iteration: int
    value: float
    gradient_norm: float
    step: float
    evaluations: int


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """What a minimisation came to.

    Attributes:
        point: The point, with what was found there.
        success: Whether the method says that it is a minimum.
        message: Why it ended, as a sentence or in SciPy's words.
        iterations: The number of iterations.
        evaluations: The number of evaluations of the function with its gradient.
    """

    point: Point
    success: bool
    message: str
    iterations: int
    evaluations: int


Evaluate = Callable[[Array], tuple[float, Array, Any]]
"""What is minimised: given a vector, its value, its gradient, and whatever is to be kept of the evaluation."""


def minimize(
    evaluate: Evaluate,
    start: Array,
    method: Optimiser,
    *,
    options: Mapping[str, float],
    bounds: tuple[Array, Array] | None = None,
    product: Callable[[Array, Array], Array] | None = None,
    hessian: Callable[[Array], Array] | None = None,
    report: Callable[[Iteration], None] = lambda iteration: None,
) -> Minimum:
    """Looks for a minimum.

    Args:
        evaluate: The function; it may raise ``Enough``, and anything else that it raises ends the search.
        start: Where to begin, a vector of float64.
        method: How; ``options``, ``bounds`` and ``product`` must be such that it takes them.
        options: Its options.
        bounds: The smallest and the largest that each number may be, infinite where there is no bound.
        product: Given a point and a vector, the Hessian at the one times the other; needed where ``method.second`` is set, and only there.
        hessian: Given a point, the Hessian there; needed where ``method.hessian`` is set, and only there.
        report: Called with every iteration, the start being the first.

    Raises:
        ProgramError: The method refuses the options or the bounds.
        TensorRuntimeError: SciPy is not installed.
    """
    try:
        from scipy import optimize
    except ImportError:
        raise TensorRuntimeError(
            'minimize() needs SciPy, which is not installed. Install it with: pip install "gradwire[special]"', code="missing_extra"
        ) from None
    scipy_minimize: Any = optimize.minimize
    given: dict[str, Any] = {"method": method.name, "jac": True, "options": dict(options)}
    search = _Search(evaluate, bounds, report)
    if bounds is not None:
        start = np.clip(start, *bounds)
        given["bounds"] = optimize.Bounds(*bounds)
    if product is not None:
        given["hessp"] = search.finite(product, "a product of the Hessian and a vector")
    if hessian is not None:
        given["hess"] = search.finite(hessian, "the Hessian")
    try:
        with np.errstate(all="ignore"), undisturbed():
            search.begin(start)
            found = scipy_minimize(search.evaluate, start, callback=search.step, **given)
            if method.name == "dogleg" and found.status == _NOT_DEFINITE:
                found.message = "The Hessian is not positive definite here, as dogleg needs it to be; trust-exact takes any."
            return search.ended(found)
    except Enough as enough:
        return search.broken_off(str(enough))
    except GradwireError:
        raise
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        if search.strange is not None:
            return search.broken_off(f"The method {method.name} cannot go on: {search.strange}.")
        raise ProgramError(
            f"SciPy refuses this for the method {method.name}: {str(error).rstrip('.')}.", code="invalid_option", pointer="/options"
        ) from None


class _Search:
    """What is remembered on the way."""

    def __init__(self, evaluate: Evaluate, bounds: tuple[Array, Array] | None, report: Callable[[Iteration], None]) -> None:
        self._evaluate = evaluate
        self._bounds = bounds
        self._report = report
        self._evaluations = self._iterations = 0
        self._latest: Point | None = None
        self._best: Point | None = None
        self._current: Point | None = None
        self.strange: str | None = None

    def begin(self, start: Array) -> None:
        point = self._at(start)
        if point.strange is not None:
            raise Enough(f"There is nothing to go by: at the start {point.strange}.")
        self._arrive(point)

    def evaluate(self, x: Array) -> tuple[float, Array]:
        point = self._at(x)
        # Whoever calls may write into what it is given.
        return point.value, point.gradient.copy()

    def finite(self, second: Callable[..., Array], what: str) -> Callable[..., Array]:
        """What gives second derivatives, held to give finite ones, which no method looks after."""

        def given(*args: Array) -> Array:
            found = second(*args)
            odd = found[~np.isfinite(found)]
            if odd.size:
                raise Enough(f"The search cannot go on: {what} holds {_special(float(odd[0]))}.")
            return found

        return given

    def step(self, x: Array, *_: Any) -> None:
        """What SciPy calls with every iteration."""
        point = self._at(x)
        self._iterations += 1
        self._arrive(point)
        if point.strange is not None:
            # From here on every comparison is false, whatever the method makes of that.
            raise Enough(f"The search has left where the function can be minimised: in iteration {self._iterations} {point.strange}.")

    def ended(self, found: Any) -> Minimum:
        point, success, message = self._at(found.x), bool(found.success), str(found.message)
        if point.strange is not None:
            return self.broken_off(f"The search has left where the function can be minimised: at its end {point.strange}.")
        if not success and self.strange is not None:
            message = f"{message.rstrip('.')} (on the way there was a point where {self.strange})."
        return Minimum(point, success, message, int(found.nit), self._evaluations)

    def broken_off(self, message: str) -> Minimum:
        point = self._best or self._latest
        if point is None:
            raise ProgramError(message, code="nothing_evaluated")
        return Minimum(point, False, message, self._iterations, self._evaluations)

    def _at(self, x: Array) -> Point:
        for known in (self._latest, self._current, self._best):
            if known is not None and np.array_equal(known.x, x):
                return known
        x = np.array(x, np.float64)
        point = self._latest = Point(x, *self._evaluate(x))
        self._evaluations += 1
        if point.strange is not None:
            self.strange = point.strange
        elif self._is_inside(x) and (self._best is None or point.value <= self._best.value):
            self._best = point
        return point

    def _is_inside(self, x: Array) -> bool:
        return self._bounds is None or bool(np.all(self._bounds[0] <= x) and np.all(x <= self._bounds[1]))

    def _arrive(self, point: Point) -> None:
        before = self._current or point
        self._current = point
        distance, norm = float(np.linalg.norm(point.x - before.x)), float(np.linalg.norm(point.gradient))
        self._report(Iteration(self._iterations, point.value, norm, distance, self._evaluations))


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite" if value > 0 else "minus infinity"
