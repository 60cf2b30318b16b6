"""The names of nodes: a variable's own for its last value, fresh ones for all that has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .values import Call, Several, Tensor

_LONGEST: Final = 100


def name_calls(calls: Iterable[Call], variables: Mapping[str, Any], inputs: frozenset[str]) -> dict[str, str]:
    """Gives every call its name, or one name per output.

    Args:
        calls: The calls in order.
        variables: What the variables stand for in the end.
        inputs: The names of the inputs.

    Returns:
        The variables whose values have another name in the nodes, each with that name.
    """
    wanted: dict[Any, str] = {}
    for own_first in (True, False):
        for variable, value in variables.items():
            if not isinstance(value, (Tensor, Several)) or value.call is None or variable in inputs:
                continue
            call = value.call
            wish = call.wish if call.outputs is None else call.outputs[value.output or 0] if isinstance(value, Tensor) else None
            key = _key(value)
            if key is not None and (wish == variable) is own_first:
                wanted.setdefault(key, variable)
    taken = {*inputs, *variables}
    counts: dict[str, int] = {}

    def fresh(hint: str) -> str:
        stem = hint[:_LONGEST]
        while True:
            counts[stem] = counts.get(stem, 0) + 1
            name = f"{stem}_{counts[stem]}"
            if name not in taken:
                taken.add(name)
                return name

    for call in calls:
        own = call.op.rpartition(".")[2]
        if call.outputs is None:
            call.name = wanted.get((call, None)) or fresh(call.wish or own)
        else:
            call.name = [None if wish is None else wanted.get((call, i)) or fresh(wish) for i, wish in enumerate(call.outputs)]
    named: dict[str, str] = {}
    for variable, value in variables.items():
        if isinstance(value, Several):
            spelled = value.call.name if isinstance(value.call.name, str) else variable
        elif isinstance(value, Tensor):
            spelled = value.spelled()
        else:
            continue
        if spelled != variable:
            named[variable] = spelled
    return named


def _key(value: Tensor | Several) -> tuple[Call, int | None] | None:
    """What a variable can give its name to: a call, or an output that was unpacked."""
    call = value.call
    if call is None:
        return None
    if isinstance(value, Several):
        return (call, None) if call.outputs is None else None
    return (call, value.output) if (value.output is None) is (call.outputs is None) else None
