"""Descriptions of a backward graph: as data, as DOT and as Mermaid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .dtypes import dtype_of
from .node import Node, OpNode
from .value import Value


def graph(outputs: Sequence[Value], names: Mapping[str, Value] | None = None) -> dict[str, Any]:
    """The backward graph behind ``outputs``, as data.

    Args:
        outputs: Tensors; those without a graph add nothing.
        names: Tensors by name, to label the nodes that made them.

    Returns:
        ``{"nodes": [{"id", "grad_fn", "op", "name", "outputs": [{"shape", "dtype"}]}], "edges": [{"from", "output", "to", "input"}]}``:
        an edge leads from the node that made a tensor to the node that uses it, nodes stand in the order of the computation.
    """
    labels: dict[Node, str] = {}
    for name, value in (names or {}).items():
        maker = value._made_by() or (value._accumulator() if value._accumulator is not None else None)
        if maker is not None:
            # An op of several outputs is called by the name that they share.
            labels.setdefault(maker, name.partition(".")[0])
    seen: set[Node] = set()
    stack = [value._made_by() for value in outputs]
    found: list[Node] = []
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        found.append(node)
        stack.extend(edge[0] for edge in node.edges if edge is not None)
    found.sort(key=lambda n: n.sequence)
    ids = {node: i for i, node in enumerate(found)}
    nodes = [
        {
            "id": ids[node],
            "grad_fn": node.short_name,
            "op": node.spec.op.full_name if isinstance(node, OpNode) else None,
            "name": labels.get(node),
            "outputs": [{"shape": list(shape), "dtype": dtype_of(dtype).name} for shape, dtype in node.outs],
        }
        for node in found
    ]
    edges = [
        {"from": ids[edge[0]], "output": edge[1], "to": ids[node], "input": position}
        for node in found
        for position, edge in enumerate(node.edges)
        if edge is not None
    ]
    return {"nodes": nodes, "edges": edges}


def label(node: Mapping[str, Any]) -> list[str]:
    """What stands in the box of a node: its name, if it has one, its grad_fn, and dtype and shape of what it makes."""
    sizes = ", ".join(f"{o['dtype']} {o['shape']}" for o in node["outputs"])
    return [*([node["name"]] if node["name"] else []), node["grad_fn"], sizes]


def to_dot(description: Mapping[str, Any]) -> str:
    """A graph description in Graphviz's DOT language; leaves are drawn as rounded boxes."""
    lines = ["digraph backward {", '  node [shape=box, fontname="monospace"];']
    for node in description["nodes"]:
        text = "\\n".join(part.replace("\\", "\\\\").replace('"', '\\"') for part in label(node))
        style = ", style=rounded" if node["grad_fn"] == "AccumulateGrad" else ""
        lines.append(f'  n{node["id"]} [label="{text}"{style}];')
    lines += [f"  n{e['from']} -> n{e['to']};" for e in description["edges"]]
    return "\n".join([*lines, "}"]) + "\n"


def to_mermaid(description: Mapping[str, Any]) -> str:
    """A graph description as a Mermaid flowchart; leaves have round ends."""
    lines = ["flowchart TD"]
    for node in description["nodes"]:
        text = "<br/>".join(part.replace('"', "#quot;") for part in label(node))
        left, right = ("([", "])") if node["grad_fn"] == "AccumulateGrad" else ("[", "]")
        lines.append(f'  n{node["id"]}{left}"{text}"{right}')
    lines += [f"  n{e['from']} --> n{e['to']}" for e in description["edges"]]
    return "\n".join(lines) + "\n"
