"""From a conversation to a method: one that waits for its end, or one that leaves the event loop free."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args, get_type_hints

from .conversations import Conversation

P = ParamSpec("P")
T = TypeVar("T")
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


def _signed(method: F, make: Callable[..., Conversation[Any]]) -> F:
    """``method`` with the signature that its caller sees: what the conversation returns in place of the conversation."""
    *_, returned = get_args(get_type_hints(make)["return"])
    signature = inspect.signature(make).replace(return_annotation=returned)
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method
