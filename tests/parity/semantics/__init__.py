"""Small programs that are run twice, on Gradwire and on torch, by ``test_semantics``; one module a topic."""

from __future__ import annotations

import importlib
import pkgutil

from .base import CASES, Case


def all_cases() -> dict[str, Case]:
    """Every case of every topic, by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return CASES
