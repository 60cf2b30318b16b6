"""What is known of every vmap that is running, by its level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from ..value import CREATOR, Value
from .batch import Batched, level


class Scope(NamedTuple):
    """A vmap that is running.

    Attributes:
        size: How many items its batch has.
        randomness: What random operations do: ``"error"``, ``"different"`` or ``"same"``.
        creator: The class of tensors that are made from none outside of it.
    """

    size: int
    randomness: str
    creator: type[Value]


_SCOPES: ContextVar[Mapping[int, Scope]] = ContextVar("gradwire_vmap_scopes", default={})  # noqa: B039 - it is never changed


@contextmanager
def running(depth: int, size: int, randomness: str) -> Iterator[None]:
    """Lets tensors that are made from none inside of a vmap be of its level, and tells the level of its size and its randomness."""
    scope = Scope(size, randomness, Value.for_creation())
    token, creator = _SCOPES.set({**_SCOPES.get(), depth: scope}), CREATOR.set(level(depth))
    try:
        yield
    finally:
        _SCOPES.reset(token)
        CREATOR.reset(creator)


def scope_of(depth: int) -> Scope | None:
    """The vmap that runs on a level, if one does."""
    return _SCOPES.get().get(depth)


@contextmanager
def below(depth: int) -> Iterator[None]:
    """Lets tensors that are made from none be of a level below ``depth``, where operations on the whole batch run."""
    creator = Value.for_creation()
    scope = _SCOPES.get().get(depth)
    if scope is None or not issubclass(creator, Batched) or creator.depth < depth:
        yield
        return
    token = CREATOR.set(scope.creator)
    try:
        yield
    finally:
        CREATOR.reset(token)
