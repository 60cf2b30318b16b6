"""The samples of every op, one module a family; each module has ``SAMPLES``, by the op's public name."""

from __future__ import annotations

import importlib
import pkgutil

from .base import Sample


def all_samples() -> list[tuple[str, int, Sample]]:
    """Every sample with the op's name and its number among the samples of that op, over all modules.

    Raises:
        ValueError: Two modules have samples of the same op.
    """
    found: dict[str, list[Sample]] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        samples: dict[str, list[Sample]] = getattr(importlib.import_module(f"{__name__}.{module}"), "SAMPLES", {})
        twice = found.keys() & samples.keys()
        if twice:
            raise ValueError(f"samples/{module}.py has samples of {', '.join(sorted(twice))}, which another module has too")
        found |= samples
    return [(name, index, sample) for name, samples in sorted(found.items()) for index, sample in enumerate(samples)]
