"""Where tensors start: an address like that of memory, for programs that ask whether two tensors share it."""

from __future__ import annotations

from typing import Any

from gradwire_engine.meta import dummy


def start_of(tensor: Any) -> int:
    """The bytes from the beginning of a tensor's storage to its first element."""
    view = tensor._view
    if view is None:
        return int(tensor._data.start)
    base = view.base
    # Views of an array without memory start where the views of the tensor do.
    array = dummy(base._data.meta)
    first = array.ctypes.data
    for link in view.chain:
        array = link.replay(array)
    return int(base._data.start + array.ctypes.data - first)


def address_of(tensor: Any) -> int:
    """A number that two tensors have in common exactly when they start at the same place of one storage."""
    whole = tensor if tensor._view is None else tensor._view.base
    return int(whole._data.storage.address) + start_of(tensor)
