"""What a module says of a name that it does not have: torch's words, with torch's name of the module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def missing(module: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module of ours that stands for one of torch's.

    Args:
        module: The module's ``__name__``.
    """
    theirs = "torch" + module.removeprefix("gradwire")

    def refuse(name: str) -> Any:
        raise AttributeError(f"module '{theirs}' has no attribute '{name}'")

    return refuse
