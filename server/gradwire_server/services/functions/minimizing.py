"""What a minimisation of a function is to be, read from its document."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from gradwire_engine import codec
from gradwire_engine.brief import shown
from gradwire_engine.dtypes import Array
from gradwire_engine.errors import GradwireError, LimitError, ProgramError, TensorRuntimeError
from gradwire_engine.limits import Limits
from gradwire_engine.names import join, kind_of, suggest
from gradwire_engine.optimisers import MOST_BOUNDED, OPTIMISERS, Optimiser, read_optimiser, read_options

from .definition import Definition
from .wanted import Request, read_request

# Vectors that a method keeps beside its own: points, gradients, and what is on the way between them and the function.
_VECTORS: Final = 20


@dataclass(frozen=True, slots=True)
class Minimization:
    """A minimisation that is asked for.

    Attributes:
        call: The value and the gradients, at the start.
        second: The second derivatives there that the method uses: the Hessian, or its product with a vector.
        method: The method.
        options: Its options.
        bounds: The smallest and the largest that each number may be, for all inputs that vary one after another.
        size: How many numbers vary.
    """

    call: Request
    second: Request | None
    method: Optimiser
    options: Mapping[str, float]
    bounds: tuple[Array, Array] | None
    size: int

    @property
    def nbytes(self) -> int:
        """What the method keeps beside what an evaluation takes, about."""
        return 8 * self.size * (_VECTORS + 2 * int(self.options.get("maxcor", 10)) + self.method.matrices * self.size)

    def check(self, limits: Limits) -> None:
        """Holds the number of variables against what the method takes, and against the limits.

        Raises:
            LimitError: There are too many.
        """
        method, size = self.method, self.size
        if method.most is not None and size > method.most:
            raise LimitError(
                f"{method.name} works on whole matrices and takes at most {method.most:,} numbers, but there are {size:,} to vary. "
                "L-BFGS-B, CG, Newton-CG and trust-ncg take any number.",
                code="too_many_variables",
                pointer="/method",
            )
        if self.nbytes > limits.program_bytes:
            raise LimitError(
                f"A minimisation by {method.name} keeps about {self.nbytes // (8 * size)} vectors of {size:,} numbers, "
                f"{self.nbytes:,} bytes, more than the {limits.program_bytes:,} that are allowed.",
                code="program_too_large",
            )


def read_minimization(definition: Definition, document: Any, limits: Limits) -> Minimization:
    """Reads ``{"inputs", "wrt", "output", "method", "bounds", "options", "seed"}``, of which only the inputs are needed.

    Raises:
        GradwireError: The document is wrong; ``pointer`` tells where.
    """
    call = read_request(definition, "minimize", document, limits)
    if call.seed is None:
        # All evaluations draw the same numbers: a function that is another one each time has no minimum.
        call = replace(call, seed=secrets.randbits(63))
    wrt = call.wanted.wrt
    for i, name in enumerate(wrt):
        dtype = definition.signature[name].dtype
        if dtype.kind == "c":
            raise TensorRuntimeError(
                f"Only real numbers can be varied, but the input {name!r} is declared as {dtype.name}: leave it out of 'wrt', or "
                "declare its real and imaginary part as two inputs.",
                code="complex_input",
                pointer=f"/wrt/{i}" if document.get("wrt") else "/wrt",
            )
    method = read_optimiser(document.get("method"))
    options = read_options(method, document.get("options"))
    starts = {name: array for name, array in zip(definition.signature.names, call.arrays, strict=True) if name in wrt}
    size = sum(array.size for array in starts.values())
    if not size:
        raise ProgramError("There is nothing to vary: the inputs in 'wrt' have no elements.", code="nothing_to_vary", pointer="/wrt")
    second: Request | None = None
    if method.second:
        # The vectors are given later, and have these shapes.
        wanted = replace(call.wanted, parts=("hvp",), vectors=tuple(starts))
        second = replace(call, wanted=wanted, directions=list(starts.values()))
    elif method.hessian:
        second = replace(call, wanted=replace(call.wanted, parts=("hessian",)))
    bounds = _bounds(definition, method, wrt, starts, document.get("bounds"), limits)
    return Minimization(call, second, method, options, bounds, size)


def _bounds(
    definition: Definition, method: Optimiser, wrt: Sequence[str], starts: Mapping[str, Array], given: Any, limits: Limits
) -> tuple[Array, Array] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise ProgramError(
            f"'bounds' must be an object of pairs by the names of inputs, not {kind_of(given)}.", code="invalid_type", pointer="/bounds"
        )
    for name in given:
        if name not in wrt:
            known = name in definition.signature
            hint = " It is not among those in 'wrt'." if known else suggest(name, starts)
            raise ProgramError(
                f"There is no input {shown(name)} to be varied within bounds.{hint}",
                code="unknown_input",
                pointer=join("/bounds", str(name)),
            )
    pairs = {name: _pair(pair, name, starts[name], limits) for name, pair in given.items() if pair is not None}
    if not any(np.isfinite(side).any() for pair in pairs.values() for side in pair):
        return None
    if not method.bounds:
        takers = ", ".join(each.name for each in OPTIMISERS.values() if each.bounds)
        raise ProgramError(f"The method {method.name} takes no bounds; {takers} do.", code="bounds_not_taken", pointer="/bounds")
    if (size := sum(array.size for array in starts.values())) > MOST_BOUNDED:
        raise LimitError(
            f"At most {MOST_BOUNDED:,} numbers can be varied within bounds, but there are {size:,}. Vary less by 'wrt', or vary what is "
            "unbounded, such as the logarithm of what must be positive.",
            code="too_many_variables",
            pointer="/bounds",
        )
    unbounded = (np.float64(-np.inf), np.float64(np.inf))
    sides = [
        np.concatenate([np.broadcast_to(pairs.get(name, unbounded)[side], starts[name].shape).reshape(-1) for name in wrt])
        for side in (0, 1)
    ]
    return sides[0], sides[1]


def _pair(pair: Any, name: str, start: Array, limits: Limits) -> tuple[Array, Array]:
    pointer = join("/bounds", name)
    if not isinstance(pair, list) or len(pair) != 2:
        raise ProgramError(
            f"The bounds of {name!r} must be a list of two, the smallest and the largest, each a number, a tensor of its shape, or null.",
            code="invalid_bounds",
            pointer=pointer,
        )
    least, most = (_side(side, name, start, f"{pointer}/{i}", limits) for i, side in enumerate(pair))
    if np.any(least > most):
        raise ProgramError(
            f"The bounds of {name!r} leave nothing between them: the first is the larger.", code="invalid_bounds", pointer=pointer
        )
    return least, most


def _side(side: Any, name: str, start: Array, pointer: str, limits: Limits) -> Array:
    if side is None:
        return np.asarray(-np.inf if pointer.endswith("/0") else np.inf)
    try:
        array = codec.decode(side, declared=start.dtype, max_elements=limits.tensor_bytes).array.astype(np.float64)
    except GradwireError as error:
        raise error.at(pointer) from None
    if array.shape not in ((), start.shape):
        raise TensorRuntimeError(
            f"The bound of {name!r} has the shape {list(array.shape)}; expected a number, or the shape {list(start.shape)} of the input.",
            code="shape_mismatch",
            pointer=pointer,
        )
    if np.isnan(array).any():
        raise ProgramError(f"The bound of {name!r} is NaN; null stands for none.", code="invalid_bounds", pointer=pointer)
    return array
