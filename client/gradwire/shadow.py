"""Recording without telling anyone: the graph code runs on shapes alone, and nothing is sent.

A composite operation travels as one instruction, and so does an in-place one; what their parts do to the history of the tensors
is found by running them here in the shadow. The same holds for a backward whose graph is kept: the server walks the tensors,
the client their shadows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Shadow:
    """What was noticed in the shadow.

    Attributes:
        bounded: A shape in it is only an upper bound, because the true one depends on values.
    """

    __slots__ = ("bounded",)

    def __init__(self) -> None:
        self.bounded = False


SHADOW: ContextVar[Shadow | None] = ContextVar("gradwire_shadow", default=None)


@contextmanager
def shadow() -> Iterator[Shadow]:
    """Records inside without announcing it."""
    made = Shadow()
    token = SHADOW.set(made)
    try:
        yield made
    finally:
        SHADOW.reset(token)
