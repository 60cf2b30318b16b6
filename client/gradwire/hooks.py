"""Hooks of tensors that live in sessions: the walk there waits for them, and they run here."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from gradwire_engine.errors import TensorNotImplementedError, ValueNeeded
from gradwire_engine.hooks import SuspendingHook
from gradwire_engine.node import Node

from .remote import Remote
from .session import Session


def unnamed(node: Node, kind: str, hook: Callable[..., Any]) -> Any:
    """Refuses a hook on a node for which the session has no name."""
    raise TensorNotImplementedError(
        f"A hook on {node.short_name} can only be registered through the grad_fn of the tensor that it made.", code="hook_place"
    )


def hook_at(payload: Remote, kind: str, hook: Callable[..., Any], register: Callable[[Any], Any]) -> HookHandle:
    """Registers a hook here and in the session.

    Args:
        payload: What the hook belongs to.
        kind: The kind of hook, as sessions call it.
        hook: The hook.
        register: Registers it here.
    """
    session = payload.session
    if session is None or payload.name is None:
        raise ValueNeeded("The tensor that this node made does not live in a session any more.")
    name = session.new_name()
    waiting = SuspendingHook(name, hook)
    waiting.__name__ = getattr(hook, "__name__", str(hook))
    handle = register(waiting)
    # Where the graph goes, its hooks go; the session would keep them.
    gone = weakref.finalize(waiting, session.drop_hook, name)
    gone.atexit = False
    session.emit({"do": "hook", "name": name, "of": payload.name, "kind": kind}, (), (payload.name,), loud=True)
    return HookHandle(handle, session, name, gone)


class HookHandle:
    """Undoes the registration of a hook, here and in the session."""

    def __init__(self, handle: Any, session: Session, name: str, gone: weakref.finalize[Any, Any]) -> None:
        self._handle = handle
        self._session = session
        self._name: str | None = name
        self._gone = gone

    def remove(self) -> None:
        """Takes the hook away; a second call does nothing."""
        if self._name is not None:
            if not self._gone.alive:
                return
            self._gone.detach()
            self._handle.remove()
            self._session.emit({"do": "unhook", "names": [self._name]})
            self._name = None

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
