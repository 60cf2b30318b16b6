"""From a conversation to a method: one that waits for its end, or one that leaves the event loop free."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args, get_type_hints

from .conversations import Conversation

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


def waiting(make: Callable[Concatenate[Any, P], Conversation[T]]) -> Callable[Concatenate[Any, P], T]:
    """The method that runs the conversation and waits for its end."""

    @functools.wraps(make)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self._run(make(self._calls, *args, **kwargs))
        return result

    return _signed(method, make)


def awaiting(make: Callable[Concatenate[Any, P], Conversation[T]]) -> Callable[Concatenate[Any, P], Awaitable[T]]:
    """The method that runs the conversation without holding up the event loop."""

    @functools.wraps(make)
    async def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await self._run(make(self._calls, *args, **kwargs))
        return result

    return _signed(method, make)


def waiting_for(kind: Callable[[T, Any], R], make: Callable[Concatenate[Any, P], Conversation[T]]) -> Callable[Concatenate[Any, P], R]:
    """The same for a conversation that ends with the calls of something, of which a ``kind`` is made."""

    @functools.wraps(make)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return kind(self._run(make(self._calls, *args, **kwargs)), self._transport)

    return _signed(method, make, kind)


def awaiting_for(
    kind: Callable[[T, Any], R], make: Callable[Concatenate[Any, P], Conversation[T]]
) -> Callable[Concatenate[Any, P], Awaitable[R]]:
    """The same without holding up the event loop."""

    @functools.wraps(make)
    async def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return kind(await self._run(make(self._calls, *args, **kwargs)), self._transport)

    return _signed(method, make, kind)


def _signed(method: F, make: Callable[..., Conversation[Any]], returned: Any = None) -> F:
    """``method`` with the signature that its caller sees: what it returns in place of the conversation."""
    if returned is None:
        *_, returned = get_args(get_type_hints(make)["return"])
    signature = inspect.signature(make).replace(return_annotation=returned)
    # What help and editors look at; functions are not declared to have it.
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method
