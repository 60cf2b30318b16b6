"""The search for a minimum of a function: what SciPy's methods see of it, and when it is to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from time import monotonic
from typing import Any, TypeVar

import numpy as np

from gradwire_engine import codec
from gradwire_engine.dtypes import Array
from gradwire_engine.errors import GradwireError, LimitError, Stopped
from gradwire_engine.limits import Limits
from gradwire_engine.minimize import Enough, Iteration, minimize

from .building import Executable
from .definition import Definition
from .minimizing import Minimization

Report = Callable[[Iteration], None]
T = TypeVar("T")


class _Objective:
    """The function of a vector that the method sees."""

    def __init__(
        self,
        definition: Definition,
        request: Minimization,
        executable: Executable,
        limits: Limits,
        check: Callable[[], None],
        seconds: float,
    ) -> None:
        self._call = request.call
        self._second = request.second
        self._wrt = request.call.wanted.wrt
        self._executable = executable
        self._limits = limits
        self._check = check
        self._ends = monotonic() + seconds
        # When a step began, and how long it took from one step to the next, with what the method itself did in between.
        self._began: float | None = None
        self._takes = 0.0
        self._work = 0
        self._evaluations = 0
        places = {name: i for i, name in enumerate(definition.signature.names)}
        self._places = [places[name] for name in self._wrt]
        arrays = [request.call.arrays[i] for i in self._places]
        self._likes = [(array.shape, array.dtype) for array in arrays]
        self._cuts = np.cumsum([prod(shape) for shape, _ in self._likes])[:-1]
        self.start = self._joined(arrays)

    def evaluate(self, x: Array) -> tuple[float, Array, dict[str, Any]]:
        """Value and gradient, and the answer that has them."""
        call = replace(self._call, arrays=self.at(x))
        answer = self._step(self._executable.cost.work, lambda: self._executable.answer(call, self._limits, self._check))
        self._evaluations += 1
        gradients = [answer["grads"][name]["data"] for name in self._wrt]
        return float(answer["value"]["data"]), self._joined(gradients), answer

    def products(self, executable: Executable) -> Callable[[Array, Array], Array]:
        """The Hessian at a point times a vector, as a function of both."""
        assert self._second is not None
        second = self._second
        places = [self._wrt.index(name) for name in second.wanted.vectors]

        def product(x: Array, vector: Array) -> Array:
            parts = self._parts(vector)
            call = replace(second, arrays=self.at(x), directions=[parts[place] for place in places])
            answer = self._step(executable.cost.work, lambda: executable.answer(call, self._limits, self._check))
            return self._joined([answer["hvps"][name]["data"] for name in self._wrt])

        return product

    def hessian(self, executable: Executable) -> Callable[[Array], Array]:
        """The Hessian at a point."""
        assert self._second is not None
        second = self._second
        sizes = [prod(shape) for shape, _ in self._likes]

        def matrix(x: Array) -> Array:
            call = replace(second, arrays=self.at(x))
            answer = self._step(executable.cost.work, lambda: executable.answer(call, self._limits, self._check))
            blocks = answer["hessian"]
            rows = [
                np.concatenate(
                    [blocks[row][column]["data"].reshape(size, width) for column, width in zip(self._wrt, sizes, strict=True)], 1
                )
                for row, size in zip(self._wrt, sizes, strict=True)
            ]
            return np.concatenate(rows).astype(np.float64)

        return matrix

    def at(self, x: Array) -> list[Array]:
        """The inputs of the function for a vector."""
        arrays = list(self._call.arrays)
        for place, part in zip(self._places, self._parts(x), strict=True):
            arrays[place] = part
        return arrays

    def _step(self, work: int, compute: Callable[[], T]) -> T:
        """Computes something of this much work, unless there is a result already and no room for more."""
        self._check()
        self._work += work
        now = monotonic()
        if self._began is not None:
            # One that took long for once counts for less each time.
            self._takes = max(now - self._began, self._takes / 2)
        self._began = now
        if not self._evaluations:
            return compute()
        if now + self._takes >= self._ends:
            raise self._enough("the time of the request was nearly over")
        if self._work > self._limits.work:
            raise self._enough(f"their work came to more than the {self._limits.work:,} multiply-adds that a request is allowed")
        try:
            return compute()
        except (Stopped, LimitError):
            raise
        except GradwireError as error:
            raise self._enough(f"the function cannot be evaluated at the next point ({error.detail.rstrip('.')})") from None

    def _enough(self, why: str) -> Enough:
        count = "one evaluation" if self._evaluations == 1 else f"{self._evaluations:,} evaluations"
        return Enough(f"The search was stopped after {count}, as {why}; this is the best point so far.")

    def _parts(self, x: Array) -> list[Array]:
        pieces = zip(np.split(x, self._cuts), self._likes, strict=True)
        with np.errstate(all="ignore"):
            # A copy, because methods write into their vectors.
            return [part.astype(dtype).reshape(shape) for part, (shape, dtype) in pieces]

    def _joined(self, parts: Sequence[Array]) -> Array:
        return np.concatenate([part.reshape(-1).astype(np.float64) for part in parts])


def check_search(
    request: Minimization, gradients: Executable, second: Executable | None, limits: Limits, check: Callable[[], None]
) -> None:
    """Holds a search against the limits.

    Args:
        request: What is asked for.
        gradients: Computes the value and gradients.
        second: Computes the second derivatives that the method uses.
        limits: What one evaluation may cost.
        check: Called now and then; what it raises ends the work.

    Raises:
        LimitError: One evaluation costs too much, or there is too much to vary.
    """
    request.check(limits)
    for executable in (gradients, second):
        if executable is not None:
            executable.check(limits, check)


def search(
    definition: Definition,
    request: Minimization,
    gradients: Executable,
    second: Executable | None,
    *,
    limits: Limits,
    check: Callable[[], None],
    seconds: float,
    report: Report,
) -> dict[str, Any]:
    """Minimises a function.

    Args:
        definition: The function.
        request: What is asked for.
        gradients: Computes its value and gradients.
        second: Computes the second derivatives that the method uses.
        limits: What one evaluation may cost, and what the work of all may come to.
        check: Called between operations; what it raises ends the search without a result.
        seconds: The time after which the best point so far is the result.
        report: Called with every iteration.

    Returns:
        ``{"inputs", "value", "grads", "success", "message", "iterations", "evaluations"}``.

    Raises:
        LimitError: One evaluation costs too much, or there is too much to vary.
        GradwireError: The function cannot be evaluated at a point.
    """
    check_search(request, gradients, second, limits, check)
    objective = _Objective(definition, request, gradients, limits, check, seconds)
    found = minimize(
        objective.evaluate,
        objective.start,
        request.method,
        options=request.options,
        bounds=request.bounds,
        product=objective.products(second) if second is not None and request.method.second else None,
        hessian=objective.hessian(second) if second is not None and request.method.hessian else None,
        report=report,
    )
    names = dict(zip(definition.signature.names, objective.at(found.point.x), strict=True))
    return {
        "inputs": {name: codec.encode(names[name]) for name in request.call.wanted.wrt},
        **found.point.found,
        "success": found.success,
        "message": found.message,
        "iterations": found.iterations,
        "evaluations": found.evaluations,
    }
