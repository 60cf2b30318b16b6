"""Hooks that are kept by number, so that the same function can be registered twice and either registration be undone."""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from typing import Any

_next_number = itertools.count().__next__


class RemovableHandle:
    """Undoes the registration of a hook (``torch.utils.hooks.RemovableHandle``).

    Args:
        hooks: The hooks by number.
        marks: Further tables that may hold the number.

    Attributes:
        id: The number.
    """

    def __init__(self, hooks: OrderedDict[int, Any], marks: tuple[OrderedDict[int, Any], ...] = ()) -> None:
        self.id = _next_number()
        # A handle that the user keeps must not keep the module alive.
        self._tables = tuple(weakref.ref(table) for table in (hooks, *marks))

    def remove(self) -> None:
        """Takes the hook away; a second call does nothing."""
        for reference in self._tables:
            table = reference()
            if table is not None:
                table.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def add_hook(
    hooks: OrderedDict[int, Any], hook: Any, *, prepend: bool = False, marks: tuple[tuple[OrderedDict[int, Any], bool], ...] = ()
) -> RemovableHandle:
    """Registers ``hook`` and gives the handle that removes it.

    Args:
        hooks: The table to add to.
        hook: The function.
        prepend: Whether it comes before those that are there.
        marks: Further tables, each with whether the hook's number is noted there.
    """
    handle = RemovableHandle(hooks, tuple(table for table, _ in marks))
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for table, wanted in marks:
        if wanted:
            table[handle.id] = True
    return handle
