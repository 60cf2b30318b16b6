"""torch's names for the ops of the table: ``gradwire.sin``, ``gradwire.linalg.inv``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from gradwire_engine.errors import LinAlgError
from gradwire_engine.op import REGISTRY, Op, Overloads
from gradwire_engine.value import CREATOR, Value

from ._missing import no_attribute
from .tensor import Tensor, made


class Names:
    """The ops below one path, as attributes.

    Args:
        path: The path with a dot at its end; empty for the top.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        full = self._path + name
        found: Any = None if name.startswith("_") else REGISTRY.get(full)
        if found is None and not self._path and name.endswith("_") and not name.startswith("_"):
            found = getattr(Tensor, name, None)  # in place: torch.sin_(x) is x.sin_()
            if found is not None:
                return found
        if full == "linalg.LinAlgError":
            made: Any = LinAlgError
        elif found is not None:
            made = creating(found) if makes_tensors(found) else found
        elif any(known.startswith(full + ".") for known in REGISTRY):
            made = Names(full + ".")
        else:
            raise no_attribute(f"torch.{self._path}".rstrip("."), name)
        setattr(self, name, made)
        return made

    def __dir__(self) -> list[str]:
        rest = [known.removeprefix(self._path) for known in REGISTRY if known.startswith(self._path)]
        return sorted({r.partition(".")[0] for r in rest if not r.startswith("_")})

    def __repr__(self) -> str:
        return f"<the operations of torch.{self._path[:-1]}>"


def makes_tensors(op: Op | Overloads) -> bool:
    """Whether a call may make tensors from no tensor."""
    forms = op.overloads if isinstance(op, Overloads) else [op]
    return any(form.creation or form.numbers_alone or not form.tensor_slots for form in forms)


def creating(op: Callable[..., Any]) -> Callable[..., Any]:
    """``op``, making tensors that live in the session."""

    @functools.wraps(op, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("generator") is not None and not any(isinstance(a, Value) for a in (*args, *kwargs.values())):
            # A generator of the caller's lives here, so the numbers are drawn here.
            drawn = op(*args, **kwargs)
            return made(drawn._data, requires_grad=drawn.requires_grad)
        # Where a function is being traced, or mapped over a batch, tensors are made for that.
        token = CREATOR.set(CREATOR.get(Tensor))
        try:
            return op(*args, **kwargs)
        finally:
            CREATOR.reset(token)

    return call
