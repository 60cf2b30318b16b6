"""The op table as data."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

import gradwire_engine  # noqa: F401  (declares the ops)
from gradwire_engine.brief import shown
from gradwire_engine.dtypes import dtype_of
from gradwire_engine.errors import ProgramError
from gradwire_engine.names import suggest
from gradwire_engine.op import REGISTRY, Op, Overloads
from gradwire_engine.params import MISSING, Param


def list_ops() -> list[dict[str, Any]]:
    """Every op that programs can use, by name."""
    return list(_catalogue().values())


def get_op(name: str) -> dict[str, Any]:
    """The description of one op.

    Raises:
        ProgramError: There is no such op (code ``unknown_op``).
    """
    found = _catalogue().get(name.removeprefix("torch."))
    if found is None:
        raise ProgramError(f"There is no operation {shown(name)}.{suggest(name, REGISTRY)}", code="unknown_op")
    return found


@functools.cache
def table_hash() -> str:
    """Identifies the set of ops with their signatures: two servers with the same hash run the same programs."""
    text = json.dumps(list_ops(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.cache
def _catalogue() -> dict[str, dict[str, Any]]:
    return {name: _describe(name, found) for name, found in sorted(REGISTRY.items()) if not name.startswith("_") and "._" not in name}


def _describe(name: str, found: Op | Overloads) -> dict[str, Any]:
    overloads = found.overloads if isinstance(found, Overloads) else [found]
    return {
        "name": name,
        "doc": found.__doc__ or "",
        "alias_of": overloads[0].name if overloads[0].name != name else None,
        "overloads": [_describe_overload(o) for o in overloads],
    }


def _describe_overload(op: Op) -> dict[str, Any]:
    return {
        "overload": op.overload,
        "signature": op.signature(),
        "parameters": [_describe_param(p) for p in op.params],
        "outputs": list(op.outputs) if op.outputs is not None else ("list" if op.variable_outputs else 1),
        "differentiable": None if op.composite else list(op.differentiable),
        "grad_fn": op.grad_fn if op.vjp else None,
        "composite": op.composite,
        "view": op.view,
        "random": op.random,
        "data_dependent_shape": op.data_dependent,
    }


def _describe_param(param: Param) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": param.name,
        "type": param.annotation,
        "keyword_only": param.keyword_only,
        "required": param.default is MISSING,
    }
    if param.default is not MISSING:
        default = param.default
        described["default"] = dtype_of(default).name if hasattr(default, "itemsize") else default
    return described
