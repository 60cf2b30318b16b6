"""Index expressions in JSON: ``[0, {"slice": [1, null, 2]}, "...", "rows"]`` is ``x[0, 1::2, ..., rows]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .errors import ProgramError
from .names import kind_of

_MOST_ITEMS: Final = 256


def from_json(value: Any, resolve: Callable[[Any, str], Any], pointer: str = "") -> tuple[Any, ...]:
    """An index expression from its JSON form.

    Args:
        value: A list of integers, ``null``, ``"..."``, booleans, ``{"slice": [start, stop, step]}`` and tensor slots.
        resolve: Reads a tensor slot: ``resolve(slot, pointer)``.
        pointer: Where ``value`` stands in the document.

    Returns:
        The tuple that Python would have between the brackets.

    Raises:
        ProgramError: An item is none of these.
    """
    if not isinstance(value, list):
        raise ProgramError(
            'An index must be a list with one item per dimension, such as [0], [{"slice": [0, 2, 1]}] or ["...", null, "mask"], '
            f"but got {kind_of(value)}.",
            code="invalid_index",
            pointer=pointer,
        )
    if len(value) > _MOST_ITEMS:
        raise ProgramError(
            f"An index has at most {_MOST_ITEMS} items, but this one has {len(value):,}. "
            "To pick many elements, index with a tensor of integers.",
            code="invalid_index",
            pointer=pointer,
        )
    return tuple([_item_from_json(item, resolve, f"{pointer}/{i}") for i, item in enumerate(value)])


def _item_from_json(item: Any, resolve: Callable[[Any, str], Any], pointer: str) -> Any:
    if item is None or isinstance(item, int):
        return item
    if item == "...":
        return Ellipsis
    if isinstance(item, dict) and "slice" in item:
        return _slice_from_json(item, pointer)
    if isinstance(item, (str, list, dict)):
        return resolve(item, pointer)
    raise ProgramError(
        f'An index must be an integer, null, "...", true, false, {{"slice": [start, stop, step]}} or a tensor, but got {kind_of(item)}.',
        code="invalid_index",
        pointer=pointer,
    )


def _slice_from_json(item: dict[str, Any], pointer: str) -> slice:
    for key in item:
        if key != "slice":
            raise ProgramError(f"A slice has the one field 'slice', but got {key!r} too.", code="unknown_field", pointer=f"{pointer}/{key}")
    bounds = item["slice"]
    if not isinstance(bounds, list) or len(bounds) not in (2, 3):
        raise ProgramError(
            "A slice must be a list [start, stop] or [start, stop, step] of integers or null.",
            code="invalid_index",
            pointer=f"{pointer}/slice",
        )
    for i, bound in enumerate(bounds):
        if bound is not None and (not isinstance(bound, int) or isinstance(bound, bool)):
            raise ProgramError(
                f"The bounds of a slice must be integers or null, but got {kind_of(bound)}.",
                code="invalid_index",
                pointer=f"{pointer}/slice/{i}",
            )
    return slice(*bounds)
