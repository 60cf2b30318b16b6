"""What a call would give and take, without computing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradwire_engine.errors import LimitError
from gradwire_engine.limits import Limits
from gradwire_engine.meta import Meta

from .building import Executable
from .definition import Definition
from .minimizing import Minimization
from .searching import check_search
from .wanted import Request


def describe_run(
    definition: Definition, request: Request, executable: Executable, limits: Limits, check: Callable[[], None]
) -> dict[str, Any]:
    """Describes a call.

    Args:
        definition: The function.
        request: The call.
        executable: What would be run.
        limits: What it is held against.
        check: Called now and then; what it raises ends the work.
    """
    return {
        "hash": definition.hash,
        "inputs": {name: _described(meta) for name, meta in definition.metas(request.arrays).items()},
        **_taken(executable),
        **_verdict(lambda: executable.check(limits, check)),
    }


def describe_search(
    definition: Definition,
    request: Minimization,
    gradients: Executable,
    second: Executable | None,
    limits: Limits,
    check: Callable[[], None],
) -> dict[str, Any]:
    """Describes a minimisation: what one evaluation gives and takes, how many there will be being unknown.

    Args:
        definition: The function.
        request: What is asked for.
        gradients: Computes the value and gradients.
        second: Computes the second derivatives that the method uses.
        limits: What it is held against.
        check: Called now and then; what it raises ends the work.
    """
    return {
        "hash": definition.hash,
        "inputs": {name: _described(meta) for name, meta in definition.metas(request.call.arrays).items()},
        "method": request.method.name,
        "variables": request.size,
        **_taken(gradients),
        "second_derivatives": None if second is None else _taken(second),
        "search_bytes": request.nbytes,
        **_verdict(lambda: check_search(request, gradients, second, limits, check)),
    }


def _taken(executable: Executable) -> dict[str, Any]:
    """What is computed, and what that takes."""
    cost = executable.cost
    return {
        **{name: _each(found) for name, found in executable.metas().items()},
        "operations": executable.operations,
        "peak_bytes": cost.bytes,
        "largest_tensor_bytes": cost.largest,
        "work": cost.work,
    }


def _verdict(check: Callable[[], None]) -> dict[str, Any]:
    try:
        check()
    except LimitError as refusal:
        return {"fits": False, "refusal": {"code": refusal.code, "detail": refusal.detail}}
    return {"fits": True, "refusal": None}


def _each(found: Any) -> Any:
    return _described(found) if isinstance(found, Meta) else {name: _each(part) for name, part in found.items()}


def _described(meta: Meta) -> dict[str, Any]:
    return {"dtype": meta.dtype.name, "shape": list(meta.shape)}
