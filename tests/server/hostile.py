"""Programs of one operation on inputs of every unusual kind, for the tests of arguments that no operation was written for."""

from __future__ import annotations

from typing import Any

from gradwire_engine.limits import Limits
from gradwire_server.services.evaluate import evaluate
from gradwire_server.wire import dumps, loads

NAN_MATRIX = [["NaN", 1.0], [1.0, 2.0]]
BATCH = [[[1.0, 0.0], [0.0, 1.0]], NAN_MATRIX]


def nested(depth: int, leaf: Any = 1.0) -> Any:
    for _ in range(depth):
        leaf = [leaf]
    return leaf


INPUTS: dict[str, Any] = {
    "x": {"data": [1.0, 2.0, 3.0], "requires_grad": True},
    "m": {"data": [[1.0, 2.0], [3.0, 4.0]], "requires_grad": True},
    "scalar": {"data": 1.0, "requires_grad": True},
    "nan": {"data": NAN_MATRIX, "requires_grad": True},
    "batch": {"data": BATCH, "requires_grad": True},
    "none": {"data": [[], []], "shape": [2, 0], "dtype": "float32", "requires_grad": True},
    "empty": {"data": [], "shape": [0, 5], "dtype": "float32", "requires_grad": True},
    "d63": {"data": nested(63), "requires_grad": True},
    "d64": {"data": nested(64), "requires_grad": True},
    "i64": {"data": nested(64, 0)},
    "c64": {"data": nested(64, [1.0, 2.0]), "dtype": "complex64", "requires_grad": True},
    "floats": [1.0, 2.0],
    "volume": {"data": [[[1.0, 2.0], [3.0, 4.0]]], "requires_grad": True},
    "lines": {"data": [[[], []]], "shape": [1, 2, 0], "dtype": "float32", "requires_grad": True},
    "filters": {"data": nested(1, [[[1.0, 1.0]], [[1.0, 1.0]]])[0], "requires_grad": True},
}


def program(op: str, *args: Any, backward: bool = False, **kwargs: Any) -> dict[str, Any]:
    """A program of one node, whose result is summed and differentiated where ``backward`` says so."""
    nodes: list[dict[str, Any]] = [{"name": "y", "op": op, "args": list(args), "kwargs": kwargs}]
    if not backward:
        return {"inputs": INPUTS, "nodes": nodes, "outputs": ["y"]}
    nodes.append({"name": "s", "op": "sum", "args": ["y"]})
    return {"inputs": INPUTS, "nodes": nodes, "outputs": ["s"], "backward": "s"}


def answer(document: dict[str, Any], limits: Limits | None = None) -> Any:
    """The answer as its reader has it."""
    return loads(dumps(evaluate(document, limits=limits or Limits(), check=lambda: None)))


def value(document: dict[str, Any]) -> Any:
    """The values of the one output."""
    (output,) = answer(document)["outputs"].values()
    return output["data"]
