"""The gradients of a function against central differences."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from gradwire_engine.dtypes import Array, set_default_dtype, to_real
from gradwire_engine.errors import LimitError, ProgramError
from gradwire_engine.execute import Runner, value_of
from gradwire_engine.gradcheck import GradcheckError, gradcheck
from gradwire_engine.limits import Limits
from gradwire_engine.modes import GENERATOR, PURE
from gradwire_engine.random import Generator
from gradwire_engine.stopping import stoppable
from gradwire_engine.tensor import Tensor

from .building import Executable
from .choosing import read_differentiated
from .definition import Definition
from .wanted import Request, read_request


@dataclass(frozen=True, slots=True)
class Gradcheck:
    """A comparison that is asked for.

    Attributes:
        call: The evaluation of the outputs that are looked at.
        wrt: The inputs by which they are differentiated.
        eps: The step.
        atol: The absolute tolerance.
        rtol: The relative tolerance.
    """

    call: Request
    wrt: tuple[str, ...]
    eps: float
    atol: float
    rtol: float


def read_gradcheck(definition: Definition, document: Any, limits: Limits) -> Gradcheck:
    """Reads ``{"inputs", "wrt", "outputs", "seed", "eps", "atol", "rtol"}``, of which only the inputs are needed.

    Raises:
        GradwireError: The document is wrong; ``pointer`` tells where.
    """
    call = read_request(definition, "gradcheck", document, limits)
    wrt = read_differentiated(definition, document)
    for i, name in enumerate(wrt):
        dtype = definition.signature[name].dtype
        if to_real(dtype) != np.float64:
            raise ProgramError(
                f"Differences mean little in {dtype.name}, as which the input {name!r} is declared: gradcheck needs float64 or complex128.",
                code="needs_double_precision",
                pointer=f"/wrt/{i}" if document.get("wrt") else "/wrt",
            )
    return Gradcheck(call, wrt, _positive(document, "eps", 1e-6), _positive(document, "atol", 1e-5), _positive(document, "rtol", 1e-3))


def _positive(document: Mapping[str, Any], name: str, default: float) -> float:
    value = document.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e300:
        raise ProgramError(f"'{name}' must be a positive number.", code="invalid_type", pointer=f"/{name}")
    return float(value)


def compare(
    definition: Definition, request: Gradcheck, executable: Executable, limits: Limits, check: Callable[[], None]
) -> dict[str, Any]:
    """Compares the gradients with central differences.

    Args:
        definition: The function.
        request: What is asked for.
        executable: The evaluation, which says what one run costs.
        limits: What the whole may cost.
        check: Called between nodes; what it raises ends the work.

    Returns:
        ``{"ok", "detail"}``: whether they agree, and torch's message if they do not.

    Raises:
        LimitError: It would cost too much.
    """
    executable.check(limits, check)
    arrays = dict(zip(definition.signature.names, request.call.arrays, strict=True))
    given = sum(arrays[name].size * (1 + (arrays[name].dtype.kind == "c")) for name in request.wrt)
    found = sum(prod(meta.shape) * (1 + (meta.dtype.kind == "c")) for meta in executable.metas()["outputs"].values())
    # Two runs for each part of an input, and for each part of an output one there and back.
    work, size = executable.cost.work * (2 * given + 3 * found), 16 * given * found
    if work > limits.work:
        raise LimitError(
            f"gradcheck runs the function {2 * given + found:,} times, the work of {work:,} multiply-adds, more than the "
            f"{limits.work:,} that are allowed. Try it on smaller inputs.",
            code="too_much_work",
        )
    if size > limits.program_bytes:
        raise LimitError(
            f"The derivatives to be compared take {size:,} bytes, more than the {limits.program_bytes:,} that are allowed. Try it on "
            "smaller inputs.",
            code="program_too_large",
        )
    return contextvars.copy_context().run(_compare, definition, request, arrays, check)


def _compare(definition: Definition, request: Gradcheck, arrays: Mapping[str, Array], check: Callable[[], None]) -> dict[str, Any]:
    set_default_dtype(definition.dtype)
    named = definition.program.outputs()
    body = replace(definition.program.body, outputs=tuple(named[label] for label in request.call.wanted.outputs))
    # The step is taken in place.
    tensors = {name: Tensor._wrap(array.copy() if name in request.wrt else array) for name, array in arrays.items()}
    for name in request.wrt:
        tensors[name].requires_grad_()

    def function(*varied: Any) -> tuple[Any, ...]:
        # Every run draws the same numbers.
        GENERATOR.set(Generator(request.call.seed or 0))
        token = PURE.set(True)
        try:
            with definition.program.explained():
                values = Runner(check).run(body, {**tensors, **dict(zip(request.wrt, varied, strict=True))})
        finally:
            PURE.reset(token)
        return tuple(value_of(values, name, "/outputs") for name in body.outputs)

    with stoppable(check):
        try:
            gradcheck(function, [tensors[name] for name in request.wrt], request.eps, request.atol, request.rtol)
        except GradcheckError as error:
            return {"ok": False, "detail": error.detail}
    return {"ok": True, "detail": None}
