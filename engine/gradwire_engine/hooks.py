"""Hooks of tensors and nodes: the handles that undo them, and hooks whose code is somewhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import TensorRuntimeError


class RemovableHandle:
    """Undoes the registration of a hook (``torch.utils.hooks.RemovableHandle``)."""

    def __init__(self, hooks: list[Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self._hooks = hooks
        self._hook = hook
        self._removed = False

    def remove(self) -> None:
        """Takes the hook away; a second call does nothing."""
        if self._removed:
            return
        self._removed = True
        for i, present in enumerate(self._hooks):
            if present is self._hook:
                del self._hooks[i]
                return

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class SuspendingHook:
    """A hook whose code is somewhere else: where it is reached, the walk suspends and waits for its answer.

    It is registered like any other hook, on a tensor or on a node.

    Args:
        name: What it is called.
        owner: Whatever its owner wants to find again.
    """

    __slots__ = ("__name__", "__weakref__", "name", "owner")

    def __init__(self, name: str, owner: Any = None) -> None:
        self.name = self.__name__ = name
        self.owner = owner

    def __call__(self, *args: Any) -> Any:
        """Refuses: only a walk that is advanced step by step can reach this hook."""
        raise TensorRuntimeError(f"The hook {self.name} waits for an answer from outside, which this walk cannot give.", code="suspended")
