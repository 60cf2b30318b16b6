"""Long texts in parts: while Python compiles a text no other thread works, so that none may be long."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

LINES: Final = 128
"""The number of lines of a part, which take Python a millisecond or two; up to twice as many are not worth a division."""

_NAME: Final = re.compile(r"\b[a-z]\d+\b")


def split(lines: Sequence[str], results: str, kept: Sequence[str], names: dict[str, Any]) -> list[str]:
    """Functions that are called one after the other, with a list of what one has for others: ``part0(kept)``, ``part1(kept)``, ...

    There are none where the lines are few.

    Args:
        lines: The statements. A letter and a number that are not in ``names`` are a variable, which is assigned once, before it is read.
        results: The expression that the last function returns.
        kept: The variables that are in the list from the start, in order.
        names: What the text refers to; gets what the functions refer to.
    """
    if len(lines) <= 2 * LINES:
        return []
    groups = [lines[i : i + LINES] for i in range(0, len(lines), LINES)]
    used = [_variables(group, names) for group in groups]
    used[-1] |= _variables([results], names)
    later: list[set[str]] = [set()]
    for found in reversed(used[1:]):
        later.append(later[-1] | found)
    place = {name: i for i, name in enumerate(kept)}
    texts: list[str] = []
    for number, (group, found, wanted) in enumerate(zip(groups, used, reversed(later), strict=True)):
        text = [f"def part{number}(kept):"]
        brought = sorted(found & place.keys())
        if brought:
            names[f"pick{number}"] = itemgetter(*[place[name] for name in brought])
            text.append(f"    {', '.join(brought)} = pick{number}(kept)")
        for line in group:
            text.append(f"    {line}")
            if line.endswith(" = None"):
                # What is not needed any more is not to stay in memory for the sake of the list.
                text += [f"    kept[{place[name]}] = None" for name in line.split(" = ")[:-1] if name in place]
        left = sorted((found & wanted) - place.keys())
        place.update({name: len(place) + i for i, name in enumerate(left)})
        if left:
            text.append(f"    kept += ({', '.join(left)},)")
        if number == len(groups) - 1:
            text.append(f"    return [{results}]")
        texts.append("\n".join(text) + "\n")
    return texts


def _variables(lines: Sequence[str], names: dict[str, Any]) -> set[str]:
    return set(_NAME.findall("\n".join(lines))).difference(names)
