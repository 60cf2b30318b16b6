"""Pictures of graphs: everything is there, nothing lies on anything else, and edges lead down."""

from __future__ import annotations

import random
import re
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest

import gradwire_engine as gradwire
from gradwire_engine.describe import graph
from gradwire_engine.draw import to_svg
from gradwire_engine.errors import LimitError

NAMESPACE = "{http://www.w3.org/2000/svg}"


def node(id: int, grad_fn: str = "AddBackward0", name: str | None = None) -> dict[str, Any]:
    return {"id": id, "grad_fn": grad_fn, "op": None, "name": name, "outputs": [{"shape": [2], "dtype": "float32"}]}


def edge(start: int, end: int, output: int = 0) -> dict[str, Any]:
    return {"from": start, "output": output, "to": end, "input": 0}


def boxes(svg: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of every node."""
    found = []
    for rect in svg.findall(f"{NAMESPACE}rect")[1:]:
        x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


def curves(svg: ElementTree.Element) -> list[list[float]]:
    return [[float(number) for number in re.findall(r"-?\d+\.\d", path.attrib["d"])] for path in svg.findall(f"{NAMESPACE}path")]


def check(svg: ElementTree.Element) -> None:
    """Nothing overlaps, all of it lies in the picture, and every edge leads from the bottom of a box down to the top of one."""
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    placed = boxes(svg)
    for left, top, right, bottom in placed:
        assert left >= 0 and top >= 0 and right <= width + 1 and bottom <= height + 1  # noqa: PT018
    for (left, top, right, bottom), (left2, top2, right2, bottom2) in combinations(placed, 2):
        assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
    for points in curves(svg):
        assert points[1] < points[-1]
        assert any(abs((box[0] + box[2]) / 2 - points[0]) < 0.2 and abs(box[3] - points[1]) < 0.2 for box in placed)
        assert any(abs((box[0] + box[2]) / 2 - points[-2]) < 0.2 and abs(box[1] - points[-1]) < 0.2 for box in placed)


def test_a_graph_as_it_is_recorded() -> None:
    x = gradwire.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    w = gradwire.tensor([1.0, 2.0], requires_grad=True)
    loss = ((x @ w - 1.0) ** 2).sum() + (w * w).sum()
    description = graph([loss], {"x": x, "w": w, "loss": loss})
    svg = ElementTree.fromstring(to_svg(description))
    check(svg)
    texts = [element.text for element in svg.iter(f"{NAMESPACE}text")]
    for item in description["nodes"]:
        assert item["grad_fn"] in texts
    assert {"x", "w", "loss", "float32 [2, 2]"} <= set(texts)
    assert len(boxes(svg)) == len(description["nodes"])
    # Both of the edges of w * w are one line.
    assert len(curves(svg)) == len({(e["from"], e["to"]) for e in description["edges"]})


@pytest.mark.parametrize("seed", range(8))
def test_graphs_of_any_shape(seed: int) -> None:
    draw = random.Random(seed)
    nodes = [node(i, "AccumulateGrad" if i < 5 else "MulBackward0", name="n" * draw.randrange(1, 40)) for i in range(60)]
    edges = [edge(draw.randrange(i), i) for i in range(5, 60) for _ in range(draw.randrange(1, 4))]
    svg = ElementTree.fromstring(to_svg({"nodes": nodes, "edges": edges}))
    check(svg)
    assert len(boxes(svg)) == 60
    assert len(curves(svg)) == len({(e["from"], e["to"]) for e in edges})


def test_a_graph_of_nothing_and_of_one() -> None:
    assert boxes(ElementTree.fromstring(to_svg({"nodes": [], "edges": []}))) == []
    svg = ElementTree.fromstring(to_svg({"nodes": [node(7)], "edges": []}))
    check(svg)
    assert len(boxes(svg)) == 1


def test_a_leaf_stands_right_above_what_uses_it() -> None:
    nodes = [node(0, "AccumulateGrad"), node(1, "AccumulateGrad"), *(node(i) for i in range(2, 6))]
    edges = [edge(0, 2), edge(2, 3), edge(3, 4), edge(4, 5), edge(1, 5)]
    placed = boxes(ElementTree.fromstring(to_svg({"nodes": nodes, "edges": edges})))
    assert placed[1][1] == placed[4][1]


def test_text_is_escaped() -> None:
    svg = to_svg({"nodes": [node(0, '<script>alert("&")</script>Backward')], "edges": []})
    assert "<script" not in svg
    assert '<script>alert("&")</script>Backward' in [text.text for text in ElementTree.fromstring(svg).iter(f"{NAMESPACE}text")]


def test_a_graph_that_is_too_large_is_refused_and_a_tangled_one_is_drawn() -> None:
    with pytest.raises(LimitError, match="A picture can show 2,000 nodes, but the graph has 2,001"):
        to_svg({"nodes": [node(i) for i in range(2001)], "edges": []})
    chain = [edge(i, i + 1) for i in range(999)] + [edge(i, 999) for i in range(900)]
    svg = ElementTree.fromstring(to_svg({"nodes": [node(i) for i in range(1000)], "edges": chain}))
    assert len(curves(svg)) == len(chain)
