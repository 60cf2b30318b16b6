"""Tests over all samples: one test an op, because a test a sample costs more than what it checks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import pytest

from . import all_samples
from .base import Sample

Numbered = list[tuple[int, Sample]]


def over_ops(accepts: Callable[[str, Sample], bool]) -> pytest.MarkDecorator:
    """Parametrizes a test with ``name`` and ``samples``: every op and those of its samples that are accepted."""
    chosen = ((name, index, sample) for name, index, sample in all_samples() if accepts(name, sample))
    by_op = [(name, [(index, sample) for _, index, sample in items]) for name, items in groupby(chosen, key=lambda item: item[0])]
    return pytest.mark.parametrize(("name", "samples"), [pytest.param(name, samples, id=name) for name, samples in by_op])


def check_each(name: str, samples: Numbered, check: Callable[[str, Sample], None]) -> None:
    """Runs ``check`` on every sample; raises the first failure, with a note that says which samples failed."""
    failures: list[tuple[int, Sample, BaseException]] = []
    for index, sample in samples:
        try:
            check(name, sample)
        except (Exception, pytest.fail.Exception) as failure:
            failures.append((index, sample, failure))
    if failures:
        index, sample, first = failures[0]
        arguments = ", ".join([*map(repr, sample.args), *(f"{key}={value!r}" for key, value in sample.kwargs.items())])
        first.add_note(f"sample {index}: {name}({arguments})")
        first.add_note(f"{len(failures)} of {len(samples)} samples failed: {', '.join(str(i) for i, _, _ in failures)}")
        raise first
