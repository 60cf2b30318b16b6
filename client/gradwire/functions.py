"""Registered functions to be called: :class:`Function` waits for answers, :class:`AsyncFunction` leaves the event loop free."""

from __future__ import annotations

from typing import TypeVar

from .conversations import Conversation, Document
from .drivers import arun, run
from .function_calls import FunctionCalls
from .transport import AsyncTransport, Transport
from .waiting import awaiting, waiting

T = TypeVar("T")


class _Described:
    """What is known of a function without asking."""

    _calls: FunctionCalls

    @property
    def name(self) -> str:
        """Its name, perhaps with the hash of a version."""
        return self._calls.name

    @property
    def description(self) -> Document:
        """What the server said of it: its signature, inputs, outputs and hash."""
        return self._calls.description

    def __repr__(self) -> str:
        return f"<function {self.description['signature']}>"


class Function(_Described):
    """A function that a server has, or the services in this process. Safe to use from several threads.

    Inputs are given in the order in which they are declared, by name, or as one mapping of names: numbers, lists or arrays. Every call
    also takes ``batch``, ``randomness``, ``seed`` and ``seconds``.
    """

    def __init__(self, calls: FunctionCalls, transport: Transport) -> None:
        self._calls = calls
        self._transport = transport

    __call__ = waiting(FunctionCalls.call)
    evaluate = waiting(FunctionCalls.evaluate)
    value_and_grad = waiting(FunctionCalls.value_and_grad)
    vjp = waiting(FunctionCalls.vjp)
    jvp = waiting(FunctionCalls.jvp)
    jacobian = waiting(FunctionCalls.jacobian)
    hessian = waiting(FunctionCalls.hessian)
    hvp = waiting(FunctionCalls.hvp)
    compute = waiting(FunctionCalls.compute)
    minimize = waiting(FunctionCalls.minimize)
    gradcheck = waiting(FunctionCalls.gradcheck)
    nan_check = waiting(FunctionCalls.nan_check)
    dry_run = waiting(FunctionCalls.dry_run)
    delete = waiting(FunctionCalls.delete)

    def _run(self, conversation: Conversation[T]) -> T:
        return run(conversation, self._transport)


class AsyncFunction(_Described):
    """The same for an event loop: every call is to be awaited."""

    def __init__(self, calls: FunctionCalls, transport: AsyncTransport) -> None:
        self._calls = calls
        self._transport = transport

    __call__ = awaiting(FunctionCalls.call)
    evaluate = awaiting(FunctionCalls.evaluate)
    value_and_grad = awaiting(FunctionCalls.value_and_grad)
    vjp = awaiting(FunctionCalls.vjp)
    jvp = awaiting(FunctionCalls.jvp)
    jacobian = awaiting(FunctionCalls.jacobian)
    hessian = awaiting(FunctionCalls.hessian)
    hvp = awaiting(FunctionCalls.hvp)
    compute = awaiting(FunctionCalls.compute)
    minimize = awaiting(FunctionCalls.minimize)
    gradcheck = awaiting(FunctionCalls.gradcheck)
    nan_check = awaiting(FunctionCalls.nan_check)
    dry_run = awaiting(FunctionCalls.dry_run)
    delete = awaiting(FunctionCalls.delete)

    async def _run(self, conversation: Conversation[T]) -> T:
        return await arun(conversation, self._transport)
