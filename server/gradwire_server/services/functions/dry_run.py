"""What a call would give and take, without computing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradwire_engine.errors import LimitError
from gradwire_engine.limits import Limits
from gradwire_engine.meta import Meta

from .building import Executable
from .definition import Definition
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
    refusal: LimitError | None = None
    try:
        executable.check(limits, check)
    except LimitError as error:
        refusal = error
    cost = executable.cost
    return {
        "hash": definition.hash,
        "inputs": {name: _described(meta) for name, meta in definition.metas(request.arrays).items()},
        **{name: _each(found) for name, found in executable.metas().items()},
        "operations": executable.operations,
        "peak_bytes": cost.bytes,
        "largest_tensor_bytes": cost.largest,
        "work": cost.work,
        "fits": refusal is None,
        "refusal": None if refusal is None else {"code": refusal.code, "detail": refusal.detail},
    }


def _each(found: Any) -> Any:
    return _described(found) if isinstance(found, Meta) else {name: _each(part) for name, part in found.items()}


def _described(meta: Meta) -> dict[str, Any]:
    return {"dtype": meta.dtype.name, "shape": list(meta.shape)}
