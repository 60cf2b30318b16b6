"""Grad mode and the generator in force, which belong to a context; outside any that has one of its own, the process has a generator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from typing import Any, ParamSpec, TypeVar

from .random import Generator

P = ParamSpec("P")
R = TypeVar("R")

GRAD_MODE: ContextVar[bool] = ContextVar("gradwire_grad_mode", default=True)
PURE: ContextVar[bool] = ContextVar("gradwire_pure", default=False)
"""Set while a program runs: nothing may be written in place, not even running statistics."""

GUARD: ContextVar[Callable[[Any, Sequence[Any]], None] | None] = ContextVar("gradwire_guard", default=None)
"""Called with an op and its operands before the general path runs it on arrays; it raises to refuse the call."""

GENERATOR: ContextVar[Generator | None] = ContextVar("gradwire_generator", default=None)

_fallback = Generator()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded (``torch.is_grad_enabled``)."""
    return GRAD_MODE.get()


def current_generator() -> Generator:
    """The generator that random operations draw from when they are not given one.

    A service sets one for each request, so that requests share no state; where none is set it is the process's.
    """
    return GENERATOR.get() or _fallback


def manual_seed(seed: int) -> Generator:
    """Seeds the generator in force, the context's or else the process's, and returns it (``torch.manual_seed``)."""
    return current_generator().manual_seed(seed)


class set_grad_enabled:
    """Turns recording on or off, as a call, a context manager or a decorator (``torch.set_grad_enabled``).

    Args:
        mode: Whether operations are recorded.
    """

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self._token: Token[bool] | None = GRAD_MODE.set(mode)
        self._before: list[Token[bool]] = []

    def __enter__(self) -> None:
        # As a call it takes effect at once; as a context manager that effect is what __exit__ undoes.
        token, self._token = self._token, None
        self._before.append(token if token is not None else GRAD_MODE.set(self.mode))

    def __exit__(self, *exc: object) -> None:
        GRAD_MODE.reset(self._before.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Wraps ``function`` so that it runs in this mode."""
        if self._token is not None:
            GRAD_MODE.reset(self._token)
            self._token = None
        return _decorate(type(self), (self.mode,), function)


class _Fixed:
    """A grad mode as a context manager or a decorator."""

    mode: bool

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        self.__init__()  # type: ignore[misc]  # "@no_grad" without parentheses: a decorator at once
        return self(function)

    def __enter__(self) -> None:
        self._tokens.append(GRAD_MODE.set(self.mode))

    def __exit__(self, *exc: object) -> None:
        GRAD_MODE.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Wraps ``function`` so that it runs in this mode."""
        return _decorate(type(self), (), function)


class no_grad(_Fixed):
    """Records nothing inside (``torch.no_grad``): a context manager or a decorator."""

    mode = False


class enable_grad(_Fixed):
    """Records inside, also within ``no_grad`` (``torch.enable_grad``): a context manager or a decorator."""

    mode = True


class inference_mode(set_grad_enabled):
    """Records nothing inside (``torch.inference_mode``), as ``no_grad``: a context manager or a decorator.

    Args:
        mode: ``False`` leaves the mode as it is around it.
    """

    def __init__(self, mode: bool = True) -> None:
        super().__init__(GRAD_MODE.get() and not mode)
        # Unlike set_grad_enabled, it does nothing before it is entered.
        assert self._token is not None
        GRAD_MODE.reset(self._token)
        self._token = None

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        """Decorates at once where it is used without parentheses."""
        self = super().__new__(cls)
        if callable(mode):
            self.__init__(True)  # type: ignore[misc]
            return self(mode)
        return self

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Wraps ``function`` so that it runs in this mode."""
        return _decorate(type(self), (), function)


def _decorate(mode: Callable[..., Any], args: tuple[Any, ...], function: Callable[P, R]) -> Callable[P, R]:
    if inspect.isgeneratorfunction(function):
        return _decorate_generator(mode, args, function)  # type: ignore[no-any-return]

    @functools.wraps(function)
    def wrapped(*a: P.args, **k: P.kwargs) -> R:
        with mode(*args):
            return function(*a, **k)

    return wrapped


def _decorate_generator(mode: Callable[..., Any], args: tuple[Any, ...], function: Callable[..., Any]) -> Any:
    """Sets the mode around each step of the generator, so that its caller keeps its own."""

    @functools.wraps(function)
    def wrapped(*a: Any, **k: Any) -> Any:
        steps = function(*a, **k)
        proceed: Callable[[], Any] = functools.partial(next, steps)
        while True:
            try:
                with mode(*args):
                    item = proceed()
            except StopIteration as end:
                return end.value
            try:
                sent = yield item
            except GeneratorExit:
                with mode(*args):
                    steps.close()
                raise
            except BaseException as error:
                proceed = functools.partial(steps.throw, error)
            else:
                proceed = functools.partial(steps.send, sent)

    return wrapped
