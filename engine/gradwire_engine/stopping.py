"""Stopping a computation from outside: the check that is called between its steps, and inside the long ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import numpy as np

from .dtypes import Array
from .meta import broadcast
from .quiet import quiet

T = TypeVar("T")

CHECK: ContextVar[Callable[[], None] | None] = ContextVar("gradwire_check", default=None)
"""What is called; it raises to stop the computation (``DeadlineExceeded``, ``Cancelled``)."""

_ITEMS_BETWEEN: Final = 256
_BLOCK: Final = 1 << 16
"""How many elements a slow function computes between two checks: a tenth of a second where each takes a microsecond or two."""


def check() -> None:
    """Raises if the computation is to stop."""
    found = CHECK.get()
    if found is not None:
        found()


@contextmanager
def stoppable(by: Callable[[], None]) -> Iterator[None]:
    """Has ``by`` called between the steps of what runs inside, and within kernels, which have a context of their own."""
    token = CHECK.set(by)
    inner = quiet.run(CHECK.set, by)
    try:
        yield
    finally:
        quiet.run(CHECK.reset, inner)
        CHECK.reset(token)


def watched(items: Iterable[T], every: int = _ITEMS_BETWEEN) -> Iterator[T]:
    """The items, with a check every so many."""
    for i, item in enumerate(items):
        if not i % every:
            check()
        yield item


def in_blocks(function: Callable[..., Any], *operands: Any) -> Any:
    """Calls an elementwise function of one result on parts of large operands, with a check before each.

    Args:
        function: A ufunc, or what works on flat arrays as one does. The dtype of its result depends on those of its operands alone.
        operands: Arrays that broadcast, or Python numbers.
    """
    arrays = [i for i, x in enumerate(operands) if isinstance(x, np.ndarray)]
    if math.prod(broadcast(*[operands[i].shape for i in arrays])) <= _BLOCK:
        return function(*operands)
    sample = function(*[x.reshape(-1)[:1] if isinstance(x, np.ndarray) else x for x in operands])
    # The iterator goes through memory as a ufunc does, and gives the result the same order.
    flags: Any = [*[["readonly"]] * len(arrays), ["writeonly", "allocate"]]
    with np.nditer(
        [*(operands[i] for i in arrays), None],
        ["external_loop", "buffered"],
        flags,
        [*(operands[i].dtype for i in arrays), sample.dtype],
        buffersize=_BLOCK,
    ) as steps:
        values: list[Any] = list(operands)
        for *parts, out in steps:
            check()
            for i, part in zip(arrays, parts, strict=True):
                values[i] = part
            out[...] = function(*values)
        result: Array = steps.operands[-1]
    return result
