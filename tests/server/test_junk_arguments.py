"""Arguments of every kind in every place of every operation: what comes back is a value or an error of ours, never a failure."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gradwire_engine.errors import GradwireError
from gradwire_engine.limits import Limits
from gradwire_server.services.evaluate import evaluate
from gradwire_server.services.ops import list_ops

INPUTS = {
    "x": {"data": [1.0, 2.0, 3.0], "requires_grad": True},
    "m": {"data": [[1.0, 2.0], [3.0, 4.0]], "requires_grad": True},
    "z": {"data": [[[[1.0, 2.0], [3.0, 4.0]]]], "dtype": "float64", "requires_grad": True},
    "i": [0, 1, 1],
    "b": [True, False, True],
    "c": {"data": [[1, 2], [3, 4]], "dtype": "complex64"},
    "e": {"data": [], "shape": [0], "dtype": "float32"},
}
NUMBERS: list[Any] = [0, 1, -1, 2, 5, 1.5, -0.5, True, False, "NaN", 10**30, -(10**6), {"complex": [1, 2]}]
LISTS: list[Any] = [[], [0], [1, 2], [2, 2], [-1], [[1.0, 2.0], [3.0, 4.0]], ["x", "x"], ["m", "m"], ["i"]]
JUNK: list[Any] = [*INPUTS, *NUMBERS, *LISTS, None, "sum", "none", "float64", "int64", "ij,jk->ik"]
LIMITS = Limits(tensor_bytes=2**22, program_bytes=2**24, nodes=1000)


def outcome(document: dict[str, Any]) -> bool:
    """Whether the program ran; anything but an error of ours goes through."""
    try:
        evaluate(document, limits=LIMITS, check=lambda: None)
    except GradwireError:
        return False
    return True


@pytest.mark.parametrize("op", [op["name"] for op in list_ops()])
def test_an_operation_answers_or_refuses(op: str) -> None:
    chosen = random.Random(op)
    for _ in range(12):
        first = [chosen.choice(["x", "m", "z", "c", "i"])] if chosen.random() < 0.8 else []
        args = [*first, *(chosen.choice(JUNK) for _ in range(chosen.choice([0, 1, 1, 2, 2, 3, 4])))]
        node = {"name": "y", "op": op, "args": args}
        if outcome({"inputs": INPUTS, "nodes": [node], "outputs": ["x"]}):
            total = {"name": "s", "op": "sum", "args": ["y"]}
            outcome({"inputs": INPUTS, "nodes": [node, total], "outputs": ["s"], "backward": "s"})
