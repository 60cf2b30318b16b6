"""Short programs of the kind that tutorials on automatic differentiation are made of; one module a topic.

They are written as users write them, without types, and ``torch`` is a parameter: there is nothing that mypy could check.
"""

from __future__ import annotations

import importlib
import pkgutil

from .base import SNIPPETS, Snippet


def all_snippets() -> dict[str, Snippet]:
    """Every snippet of every topic, by name."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}")
    return SNIPPETS
