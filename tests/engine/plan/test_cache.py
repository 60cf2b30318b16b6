"""The cache of plans: bounded, and compiling once."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from gradwire_engine.plan import Plan
from gradwire_engine.plan.cache import PlanCache

from .graphs import plan_of


def make(size: int = 3) -> Plan:
    return plan_of(lambda x: (x.sin() + x.cos()).sum(), [np.zeros(size)])


def test_a_plan_is_compiled_once() -> None:
    cache = PlanCache[Plan](1 << 20)
    first = cache.get("a", make)
    assert cache.get("a", lambda: pytest.fail("It is there already.")) is first
    assert (len(cache), cache.nbytes) == (1, first.nbytes)


def test_threads_that_ask_at_once_wait_for_one() -> None:
    cache, count = PlanCache[Plan](1 << 20), 0
    barrier = threading.Barrier(8)
    found: list[Plan] = []

    def slow() -> Plan:
        nonlocal count
        count += 1
        time.sleep(0.05)
        return make()

    def ask() -> None:
        barrier.wait()
        found.append(cache.get("a", slow))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count == 1
    assert len(set(map(id, found))) == 1


def test_the_least_recently_used_goes_first() -> None:
    size = make().nbytes
    cache = PlanCache[Plan](2 * size)
    cache.get("a", make)
    cache.get("b", make)
    cache.get("a", make)
    cache.get("c", make)
    assert "a" in cache
    assert "b" not in cache
    assert cache.nbytes == 2 * size


def test_a_plan_that_is_too_large_is_handed_out_but_not_kept() -> None:
    cache = PlanCache[Plan](10)
    assert cache.get("a", make)([np.zeros(3)])[0] == 3.0
    assert (len(cache), cache.nbytes) == (0, 0)


def test_a_failure_is_not_kept() -> None:
    cache = PlanCache[Plan](1 << 20)

    def fail() -> Plan:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get("a", fail)
    assert cache.get("a", make).calls > 0
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)
