"""How a case is written: a function of ``t`` (torch, or Gradwire in its place) that returns what is to be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Case = Callable[[Any], Any]
CASES: dict[str, Case] = {}
BUILTIN = (NotImplementedError, IndexError, ValueError, TypeError, RuntimeError)


def case(function: Case) -> Case:
    """Makes ``function`` a case.

    Raises:
        ValueError: There is a case of that name already.
    """
    if CASES.setdefault(function.__name__, function) is not function:
        raise ValueError(f"there are two cases {function.__name__}")
    return function


@dataclass(frozen=True)
class Failure:
    """An exception as torch's users see it: the builtin kind and the message."""

    kind: str
    message: str


def fails(function: Callable[[], Any]) -> Any:
    """The ``Failure`` of ``function``, ``None`` if it does not fail."""
    try:
        function()
    except BUILTIN as error:
        return Failure(next(kind.__name__ for kind in BUILTIN if isinstance(error, kind)), str(error))
    return None


def leaf(t: Any, *values: Any) -> Any:
    """A vector that requires grad."""
    return t.tensor(list(values) or [1.0, 2.0, 3.0], requires_grad=True)


def square(t: Any) -> Any:
    """A 2 x 3 matrix that requires grad."""
    return t.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)


def names(node: Any) -> Any:
    """The name of a node and, nested, of those that it leads to."""
    if node is None:
        return None
    return [node.name().removeprefix("torch::autograd::"), *[(names(n), k) for n, k in node.next_functions]]
