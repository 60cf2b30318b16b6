"""Timing by turns: every contender runs a little, again and again, so that a slow spell of the machine meets them all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def by_turns(contenders: Mapping[str, Callable[[], object]], *, rounds: int, repeats: int) -> dict[str, float]:
    """The median seconds of one call of each contender.

    Args:
        contenders: What to call, by name.
        rounds: How often the turn goes round.
        repeats: Calls per turn, timed together.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        run()
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            for _ in range(repeats):
                run()
            times[name].append((time.perf_counter() - start) / repeats)
    return {name: statistics.median(found) for name, found in times.items()}


def table(title: str, unit: str, results: Mapping[str, float], reference: str) -> str:
    """The results as text, each with its ratio to ``reference``."""
    width = max(len(name) for name in results)
    base = results[reference]
    lines = [title, *(f"  {name:<{width}}  {value:10.2f} {unit}   {value / base:6.2f}x" for name, value in results.items())]
    return "\n".join(lines)
