"""The methods by which functions can be minimised, SciPy's, and the options that each takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .brief import shown
from .errors import ProgramError
from .names import join, kind_of, suggest


@dataclass(frozen=True, slots=True)
class Option:
    """A number that a method can be given.

    Attributes:
        least: The smallest that it may be.
        most: The largest that it may be.
        whole: Whether it is a whole number.
        above: Whether it must be larger than ``least``.
    """

    least: float
    most: float = 1e300
    whole: bool = False
    above: bool = False


@dataclass(frozen=True, slots=True)
class Optimiser:
    """A method.

    Attributes:
        name: SciPy's name for it.
        options: The options that it takes.
        bounds: Whether it keeps to bounds.
        second: Whether it uses products of the Hessian and vectors.
        hessian: Whether it uses the Hessian itself.
        most: The most numbers that it can vary: a step of its own takes so long that with more of them nothing else would get its turn.
        matrices: The square matrices of that many rows that it keeps.
    """

    name: str
    options: Mapping[str, Option] = field(default_factory=dict)
    bounds: bool = False
    second: bool = False
    hessian: bool = False
    most: int | None = None
    matrices: int = 0


MOST_BOUNDED: Final = 100_000
"""The most numbers that can be varied within bounds, of which SciPy makes Python's numbers, in one go."""

_COUNT: Final = Option(1, 10**9, whole=True)
_TOLERANCE: Final = Option(0)
_POSITIVE: Final = Option(0, above=True)
_FRACTION: Final = Option(0, 1, above=True)
_WOLFE: Final = {"c1": _FRACTION, "c2": _FRACTION}
_TRUST: Final = {
    "maxiter": _COUNT,
    "gtol": _TOLERANCE,
    "initial_trust_radius": _POSITIVE,
    "max_trust_radius": _POSITIVE,
    "eta": Option(0, 0.249),
}

OPTIMISERS: Final[Mapping[str, Optimiser]] = {
    method.name: method
    for method in (
        Optimiser(
            "L-BFGS-B",
            {
                "maxiter": _COUNT,
                "maxfun": _COUNT,
                "ftol": _TOLERANCE,
                "gtol": _TOLERANCE,
                "maxcor": Option(1, 100, whole=True),
                "maxls": Option(1, 1000, whole=True),
            },
            bounds=True,
        ),
        Optimiser("BFGS", {"maxiter": _COUNT, "gtol": _TOLERANCE, "xrtol": _TOLERANCE, **_WOLFE}, most=2_000, matrices=7),
        Optimiser("CG", {"maxiter": _COUNT, "gtol": _TOLERANCE, **_WOLFE}),
        Optimiser("Newton-CG", {"maxiter": _COUNT, "xtol": _TOLERANCE, **_WOLFE}, second=True),
        Optimiser("trust-ncg", _TRUST, second=True),
        Optimiser("trust-krylov", _TRUST, second=True, most=2_000, matrices=7),
        Optimiser("trust-exact", _TRUST, hessian=True, most=2_000, matrices=9),
        Optimiser("dogleg", _TRUST, hessian=True, most=2_000, matrices=6),
        Optimiser(
            "trust-constr",
            {
                "maxiter": _COUNT,
                "gtol": _TOLERANCE,
                "xtol": _TOLERANCE,
                "barrier_tol": _TOLERANCE,
                "initial_tr_radius": _POSITIVE,
                "initial_constr_penalty": _POSITIVE,
                "initial_barrier_parameter": _POSITIVE,
                "initial_barrier_tolerance": _POSITIVE,
            },
            bounds=True,
            second=True,
            most=20_000,
        ),
        Optimiser(
            "TNC",
            {
                "maxfun": _COUNT,
                "ftol": _TOLERANCE,
                "gtol": _TOLERANCE,
                "xtol": _TOLERANCE,
                "eta": _FRACTION,
                "stepmx": _POSITIVE,
                "accuracy": _POSITIVE,
                "rescale": _TOLERANCE,
            },
            bounds=True,
        ),
        Optimiser("SLSQP", {"maxiter": _COUNT, "ftol": _POSITIVE}, bounds=True, most=200, matrices=11),
    )
}
"""The methods by name, the usual one first."""


def read_optimiser(name: Any) -> Optimiser:
    """The method of that name, which may be written in any case; without a name, the usual one.

    Raises:
        ProgramError: There is no such method (``unknown_method``, with a suggestion).
    """
    if name is None:
        return next(iter(OPTIMISERS.values()))
    if not isinstance(name, str):
        raise ProgramError(f"'method' must be the name of a method, not {kind_of(name)}.", code="invalid_type", pointer="/method")
    known = {method.lower(): method for method in OPTIMISERS}
    if name.lower() not in known:
        hint = suggest(name.lower(), known)
        for lower, method in known.items():
            hint = hint.replace(repr(lower), repr(method))
        raise ProgramError(
            f"There is no method {shown(name)}.{hint} There are {', '.join(OPTIMISERS)}.", code="unknown_method", pointer="/method"
        )
    return OPTIMISERS[known[name.lower()]]


def read_options(method: Optimiser, given: Any) -> dict[str, float]:
    """Checks the options of a method.

    Args:
        method: The method.
        given: The options by name, ``None`` for none.

    Raises:
        ProgramError: One is not known to this method (``unknown_option``, with a suggestion), or has a value that is not allowed.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ProgramError(f"'options' must be an object, not {kind_of(given)}.", code="invalid_type", pointer="/options")
    return {name: _number(method, name, value) for name, value in given.items()}


def _number(method: Optimiser, name: str, value: Any) -> float:
    option, pointer = method.options.get(name), join("/options", name)
    if option is None:
        raise ProgramError(
            f"The method {method.name} has no option {shown(name)} here.{suggest(name, method.options)} "
            f"Its options are {', '.join(method.options)}.",
            code="unknown_option",
            pointer=pointer,
        )
    what = "a whole number" if option.whole else "a number"
    numbers = (int,) if option.whole else (int, float)
    # JSON.stringify(100.0) is 100, and others write 100 as 100.0.
    value = int(value) if option.whole and isinstance(value, float) and value.is_integer() else value
    fits = isinstance(value, numbers) and not isinstance(value, bool) and option.least <= value <= option.most
    if not fits or (option.above and value == option.least):
        above = "greater than" if option.above else "at least"
        most = "" if option.most >= 1e300 else f" and at most {option.most:,}"
        raise ProgramError(
            f"The option '{name}' must be {what} {above} {option.least:,}{most}; got {shown(value)}.",
            code="invalid_option",
            pointer=pointer,
        )
    return int(value) if option.whole else float(value)
