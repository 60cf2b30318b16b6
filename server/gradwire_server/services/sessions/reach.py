"""What a backward graph reaches: the memory that it keeps alive, and the memory that a walk over it needs."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from gradwire_engine.node import AccumulateGrad, Node
from gradwire_engine.value import Value

from .memory import Account


def count(values: Iterable[Any], since: int, account: Account) -> None:
    """Counts tensors with everything that their graphs keep alive.

    Args:
        values: Tensors, arrays and anything else, which takes no memory.
        since: Nodes up to this number are counted already.
        account: The memory of the session.
    """
    stack: list[Node] = []
    for value in values:
        if isinstance(value, np.ndarray):
            account.count(value)
        elif isinstance(value, Value):
            account.count(value._data)
            if value._node is not None:
                stack.append(value._node)
            if value._view is not None:
                account.count_view(value, len(value._view.chain))
                # A write through the view gave its base a new history.
                if value._view.base._node is not None:
                    stack.append(value._view.base._node)
    while stack:
        node = stack.pop()
        if node.sequence <= since:
            continue
        kept = list(node.kept())
        if not account.count_node(node, len(node.edges), len(kept)):
            continue
        for payload in kept:
            if isinstance(payload, np.ndarray):
                account.count(payload)
        stack.extend(edge[0] for edge in node.edges if edge is not None)


class Reach(NamedTuple):
    """What a walk over a graph meets.

    Attributes:
        leaves: The tensors at the ends of its paths, and those on the way whose gradients are kept.
        nodes: The nodes between.
        passed: The bytes of all gradients that pass along its edges.
    """

    leaves: tuple[Value, ...]
    nodes: list[Node]
    passed: int

    def peak(self) -> int:
        """The most bytes of gradients that are on their way at a time."""
        waiting: dict[Node, dict[int, int]] = {}
        present = peak = 0
        for node in sorted(self.nodes, key=lambda node: node.sequence, reverse=True):
            done = sum(waiting.pop(node, {}).values())
            for after, index, shape, dtype in filter(None, node.edges):
                places = waiting.setdefault(after, {})
                if index not in places:
                    places[index] = prod(shape) * dtype.itemsize
                    present += places[index]
            peak = max(peak, present)
            present -= done
        return peak


def survey(tensors: Iterable[Value]) -> Reach:
    """Follows the graph behind ``tensors`` by shapes alone."""
    leaves: dict[int, Value] = {}
    nodes: list[Node] = []
    seen: set[Node] = set()
    stack: list[Node] = []
    passed = 0
    for value in tensors:
        node = value._made_by()
        if node is None:
            leaves[id(value)] = value
        elif node not in seen:
            seen.add(node)
            stack.append(node)
    while stack:
        node = stack.pop()
        nodes.append(node)
        if node.retained is not None:
            leaves.update((id(kept), kept) for reference in node.retained.values() if (kept := reference()) is not None)
        for edge in node.edges:
            if edge is None:
                continue
            passed += prod(edge[2]) * edge[3].itemsize
            after = edge[0]
            if after not in seen:
                seen.add(after)
                if isinstance(after, AccumulateGrad):
                    leaves[id(after.variable)] = after.variable
                else:
                    stack.append(after)
    return Reach(tuple(leaves.values()), nodes, passed)
