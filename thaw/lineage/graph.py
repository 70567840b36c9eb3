"""A drawing of a model's lineage: each box comes from the boxes that its arrows point to, below it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from markupsafe import Markup

from thaw.foundation.files.display_names import shortened
from thaw.kinds.kind import Words
from thaw.pages.layout import render

WIDTH, GAP, ROW_GAP, LINE, PAD = 236, 28, 44, 17, 24
"""The width of a box, the gaps between boxes and between rows, the height of a line of text and the margin of the drawing, in px."""
MOST_LISTED = 1000
"""The most training examples on a page."""
WAY = "way"
"""The kind of a node without a box: an edge passes there, so that it does not run behind a box."""
_LETTERS = 31
"""The most letters in a line of a box."""


@dataclass(frozen=True)
class Node:
    """A box. kind: registry, record, stage or data; it gives the box its colour. whole: the text that the pointer shows."""

    key: str
    kind: str
    title: str
    lines: tuple[str, ...] = ()
    whole: str = ""


@dataclass(frozen=True)
class Graph:
    """Boxes, and edges as (key, key of its origin)."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Box:
    """A node with its place, in px."""

    node: Node
    x: float
    y: float
    height: int

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(shortened(line, _LETTERS) for line in self.node.lines)

    @property
    def title(self) -> str:
        return shortened(self.node.title, _LETTERS - 5)


@dataclass(frozen=True)
class Drawing:
    """Boxes in their places, and edges as pairs of boxes."""

    boxes: tuple[Box, ...]
    edges: tuple[tuple[Box, Box], ...]
    width: float
    height: float


def arrange(graph: Graph) -> Drawing:
    """Rows by the longest way from the top; each row is in the order of the boxes that it is joined to above. Edges that others imply are left out."""
    rows, steps = _rows(graph)
    width = max(len(row) for row in rows) * (WIDTH + GAP) - GAP + 2 * PAD
    boxes: dict[str, Box] = {}
    y = float(PAD)
    for row in rows:
        x = (width - len(row) * (WIDTH + GAP) + GAP) / 2
        tallest = max(map(_height, row))
        for node in row:
            boxes[node.key] = Box(node, x, y, tallest if node.kind == WAY else _height(node))
            x += WIDTH + GAP
        y += tallest + ROW_GAP
    pairs = tuple((boxes[above], boxes[below]) for above, below in steps)
    return Drawing(tuple(boxes.values()), pairs, width, y - ROW_GAP + PAD)


def reduced(edges: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The edges without those whose end a longer way reaches too; the graph has no cycle."""
    below: dict[str, set[str]] = defaultdict(set)
    for above, key in edges:
        below[above].add(key)
    reach: dict[str, set[str]] = {}
    for key in TopologicalSorter(below).static_order():
        reach[key] = {far for near in below[key] for far in (near, *reach[near])}
    return tuple(
        (above, key)
        for above, key in dict.fromkeys(edges)
        if not any(key in reach[other] for other in below[above] - {key})
    )


def render_svg(graph: Graph, label: str) -> str:
    """The drawing as SVG; `label` describes it."""
    return render("lineage/graph.svg.j2", {"drawing": arrange(graph), "label": label, "box_width": WIDTH, "line": LINE})


def render_page(
    graph: Graph,
    title: str,
    facts: Sequence[tuple[str, str]],
    examples: Sequence[tuple[str, str, str]] | None,
    words: Words,
) -> str:
    """The drawing on its own page, with a table of facts and the training examples as (path, labels, digest); None: not recorded. words: for examples."""
    listed = (examples or ())[:MOST_LISTED]
    values: Mapping[str, object] = {
        "title": title,
        "svg": Markup(render_svg(graph, title)),  # noqa: S704  # our own template escapes its values
        "facts": facts,
        "examples": listed,
        "words": words,
        "count": None if examples is None else len(examples),
    }
    return render("lineage/page.html.j2", values)


def _rows(graph: Graph) -> tuple[list[list[Node]], list[tuple[str, str]]]:
    """The nodes by row, and the edges, each from one row to the next."""
    edges = reduced(graph.edges)
    depth = _depths([node.key for node in graph.nodes], edges)
    rows: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for node in graph.nodes:
        rows[depth[node.key]].append(node)
    steps: list[tuple[str, str]] = []
    for upper, lower in edges:
        before = upper
        for row in range(depth[upper] + 1, depth[lower]):
            way = Node(f"{upper} to {lower} in row {row}", WAY, "")
            rows[row].append(way)
            steps.append((before, way.key))
            before = way.key
        steps.append((before, lower))
    _sort(rows, steps)
    return rows, steps


def _depths(keys: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The row of each key: the length of the longest way to it."""
    above = _above(keys, edges)
    depth: dict[str, int] = {}
    for key in TopologicalSorter(above).static_order():
        depth[key] = max((depth[upper] + 1 for upper in above[key]), default=0)
    return depth


def _sort(rows: Sequence[list[Node]], steps: Sequence[tuple[str, str]]) -> None:
    """Put each node below the nodes that it is joined to, so that few edges cross; equal nodes keep their order, because Python's sort is stable."""
    above = _above([node.key for row in rows for node in row], steps)
    place: dict[str, float] = {}
    for row in rows:
        row.sort(key=lambda node: _mean([place[upper] for upper in above[node.key]]))
        for number, node in enumerate(row):
            place[node.key] = number - (len(row) - 1) / 2


def _above(keys: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    above: dict[str, list[str]] = {key: [] for key in keys}
    for upper, lower in edges:
        above[lower].append(upper)
    return above


def _mean(places: Sequence[float]) -> float:
    return sum(places) / len(places) if places else 0.0


def _height(node: Node) -> int:
    return 30 + LINE * len(node.lines) + (6 if node.lines else 0)
