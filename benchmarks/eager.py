"""The cost of one eager operation, forward and backward, against torch, autograd and MyGrad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import gradwire_engine as gradwire

from .timing import by_turns, table

_OPS = 100
_START = np.array([0.1, 0.2, 0.3])


def _chain(x: Any, sin: Callable[[Any], Any]) -> Any:
    """A chain of 100 small operations: products of tensors, sums, sines, products with a number."""
    y = x
    for _ in range(_OPS // 4):
        y = y * x
        y = y + x
        y = sin(y)
        y = y * 0.5
    return y


def _gradwire() -> Callable[[], object]:
    x = gradwire.tensor(_START, requires_grad=True)

    def run() -> object:
        x.grad = None
        _chain(x, gradwire.ops.sin).sum().backward()
        return x.grad

    return run


def _torch() -> Callable[[], object]:
    import torch

    torch.set_num_threads(1)
    x = torch.tensor(_START, requires_grad=True)

    def run() -> object:
        x.grad = None
        _chain(x, torch.sin).sum().backward()
        return x.grad

    return run


def _autograd() -> Callable[[], object]:
    import autograd
    import autograd.numpy as anp

    gradient = autograd.grad(lambda x: anp.sum(_chain(x, anp.sin)))
    return lambda: gradient(_START)


def _mygrad() -> Callable[[], object]:
    import mygrad

    def run() -> object:
        x = mygrad.tensor(_START)
        _chain(x, mygrad.sin).sum().backward()
        return x.grad

    return run


def measure() -> str:
    """Runs the comparison with whichever peers are installed, checks that all agree, and gives the table."""
    contenders: dict[str, Callable[[], object]] = {}
    for name, make in {"gradwire": _gradwire, "torch": _torch, "autograd": _autograd, "mygrad": _mygrad}.items():
        try:
            contenders[name] = make()
        except ImportError:
            continue
    expected = np.asarray(contenders["gradwire"]())
    for name, run in contenders.items():
        if not np.allclose(np.asarray(run()), expected, rtol=1e-12):
            raise RuntimeError(f"{name} computes another gradient than gradwire.")
    seconds = by_turns(contenders, rounds=60, repeats=5)
    results = {name: value / _OPS * 1e6 for name, value in seconds.items()}
    return table("Eager chain of 100 operations on 3 float64, forward + backward, per operation", "us", results, "gradwire")
