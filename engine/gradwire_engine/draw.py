"""Graph descriptions as pictures: layers from the leaves down, in an SVG that needs nothing else.

The layout is Sugiyama's: each node one layer below the lowest that it uses, long edges led through the layers between, layers
ordered by the average place of their neighbours, and then moved as close to these as the space allows. See K. Sugiyama, S. Tagawa
and M. Toda, "Methods for Visual Understanding of Hierarchical System Structures" (1981).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any, Final

from .describe import label
from .errors import LimitError

_MOST_NODES: Final = 2_000
_MOST_POINTS: Final = 20_000
_CHARACTER: Final = 7.3
_LINE: Final = 16.0
_PADDING: Final = 10.0
_BETWEEN: Final = 24.0
_LAYER_GAP: Final = 42.0
_SWEEPS: Final = 6

Layer = list["_Point"]


class _Point:
    """A node, or a place in a layer through which a long edge goes.

    Attributes:
        lines: The text of a node; nothing for a place.
        above: What leads to it.
        below: What it leads to.
    """

    __slots__ = ("above", "below", "height", "layer", "leaf", "lines", "width", "x", "y")

    def __init__(self, lines: Sequence[str], layer: int, leaf: bool = False) -> None:
        self.lines = lines
        self.layer = layer
        self.leaf = leaf
        self.above: list[_Point] = []
        self.below: list[_Point] = []
        self.width = max(map(len, lines)) * _CHARACTER + 2 * _PADDING if lines else 2.0
        self.height = len(lines) * _LINE + _PADDING if lines else 0.0
        self.x = self.y = 0.0


def to_svg(description: Mapping[str, Any]) -> str:
    """A graph description as an SVG document; leaves have round ends.

    Args:
        description: What ``describe.graph`` gives.

    Raises:
        LimitError: The graph is too large for a picture.
    """
    nodes, edges = description["nodes"], description["edges"]
    if len(nodes) > _MOST_NODES:
        raise LimitError(
            f"A picture can show {_MOST_NODES:,} nodes, but the graph has {len(nodes):,}. Ask for it as data.", code="graph_too_large"
        )
    depths = _depths(nodes, edges)
    points = {node["id"]: _Point(label(node), depths[node["id"]], node["grad_fn"] == "AccumulateGrad") for node in nodes}
    layers: list[Layer] = [[] for _ in range(max(depths.values(), default=0) + 1)]
    for point in points.values():
        layers[point.layer].append(point)
    routes = _routes(points, edges, layers)
    _order(layers)
    width, height = _place(layers)
    return _write(points.values(), routes, width, height)


def _depths(nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> dict[Any, int]:
    """The layer of every node. They stand in the order of the computation, so that what a node uses comes before it."""
    used: dict[Any, list[Any]] = {node["id"]: [] for node in nodes}
    users: dict[Any, list[Any]] = {node["id"]: [] for node in nodes}
    for edge in edges:
        used[edge["to"]].append(edge["from"])
        users[edge["from"]].append(edge["to"])
    depths: dict[Any, int] = {}
    for node in nodes:
        depths[node["id"]] = 1 + max((depths[other] for other in used[node["id"]]), default=-1)
    for node in nodes:
        if not used[node["id"]] and users[node["id"]]:
            # A leaf stands right above the first that uses it.
            depths[node["id"]] = min(depths[other] for other in users[node["id"]]) - 1
    return depths


def _routes(points: Mapping[Any, _Point], edges: Sequence[Mapping[str, Any]], layers: list[Layer]) -> list[list[_Point]]:
    """The points that each edge goes through; the places between are added to the layers."""
    routes: list[list[_Point]] = []
    added = 0
    for start, end in dict.fromkeys((edge["from"], edge["to"]) for edge in edges):
        route = [points[start]]
        between = range(points[start].layer + 1, points[end].layer)
        added += len(between)
        # Where a graph has so many long edges, leading each around the nodes makes it no clearer.
        for depth in between if added <= _MOST_POINTS else ():
            route.append(_Point((), depth))
            layers[depth].append(route[-1])
        route.append(points[end])
        for upper, lower in pairwise(route):
            upper.below.append(lower)
            lower.above.append(upper)
        routes.append(route)
    return routes


def _order(layers: list[Layer]) -> None:
    """Orders every layer by where its neighbours stand, down and up several times, so that few edges cross."""
    for layer in layers:
        _number(layer)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=_average((lambda p: p.above) if sweep % 2 == 0 else (lambda p: p.below)))
            _number(layer)


def _number(layer: Layer) -> None:
    for number, point in enumerate(layer):
        point.x = float(number)


def _average(neighbours: Callable[[_Point], list[_Point]]) -> Callable[[_Point], float]:
    def key(point: _Point) -> float:
        near = neighbours(point)
        return sum(other.x for other in near) / len(near) if near else point.x

    return key


def _place(layers: list[Layer]) -> tuple[float, float]:
    """Gives every point its coordinates, and the size of the whole."""
    y = _PADDING
    for layer in layers:
        height = max((point.height for point in layer), default=0.0)
        for point in layer:
            point.y = y + height / 2
        y += height + _LAYER_GAP
        _spread(layer, [0.0] * len(layer))
    wanted = _average(lambda point: point.above + point.below)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _spread(layer, [wanted(point) for point in layer])
    left = min((point.x - point.width / 2 for layer in layers for point in layer), default=0.0) - _PADDING
    for layer in layers:
        for point in layer:
            point.x -= left
    width = max((point.x + point.width / 2 for layer in layers for point in layer), default=0.0) + _PADDING
    return width, y - _LAYER_GAP + _PADDING


def _spread(layer: Layer, wanted: list[float]) -> None:
    """Puts the points of a layer as near to where they are wanted as their widths allow, without changing their order."""
    gaps = [(a.width + b.width) / 2 + _BETWEEN for a, b in pairwise(layer)]
    from_left, from_right = wanted.copy(), wanted.copy()
    for i, gap in enumerate(gaps):
        from_left[i + 1] = max(from_left[i + 1], from_left[i] + gap)
    for i in range(len(gaps) - 1, -1, -1):
        from_right[i] = min(from_right[i], from_right[i + 1] - gaps[i])
    # Both keep the distances, and so does what lies in the middle between them.
    for point, a, b in zip(layer, from_left, from_right, strict=True):
        point.x = (a + b) / 2


def _write(points: Any, routes: list[list[_Point]], width: float, height: float) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="monospace" font-size="12" text-anchor="middle" role="img">',
        "<title>The backward graph</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
    ]
    for route in routes:
        parts.append(f'<path d="{_curve(route)}" fill="none" stroke="#555" marker-end="url(#arrow)"/>')
    for point in points:
        parts.append(_box(point))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _curve(route: list[_Point]) -> str:
    start = route[0]
    x, y = start.x, start.y + start.height / 2
    steps = [f"M{x:.1f} {y:.1f}"]
    for point in route[1:]:
        to = point.y - point.height / 2
        middle = (y + to) / 2
        steps.append(f"C{x:.1f} {middle:.1f} {point.x:.1f} {middle:.1f} {point.x:.1f} {to:.1f}")
        x, y = point.x, to
    return "".join(steps)


def _box(point: _Point) -> str:
    left, top = point.x - point.width / 2, point.y - point.height / 2
    radius = point.height / 2 if point.leaf else 3
    box = f'<rect x="{left:.1f}" y="{top:.1f}" width="{point.width:.1f}" height="{point.height:.1f}" rx="{radius:.0f}" '
    first = top + _PADDING / 2 + 12
    lines = [f'<text x="{point.x:.1f}" y="{first + i * _LINE:.1f}">{escape(line)}</text>' for i, line in enumerate(point.lines)]
    return box + 'fill="#f6f8fa" stroke="#333"/>' + "".join(lines)
