"""The picture of a lineage: nothing lies over anything else, every box is there, and names may hold anything."""

import xml.etree.ElementTree as ET
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.kinds.kind import ANY
from thaw.lineage.graph import GAP, MOST_LISTED, WAY, WIDTH, Graph, Node, arrange, reduced, render_page, render_svg

SVG = "{http://www.w3.org/2000/svg}"


def graph_of(*edges: tuple[str, str]) -> Graph:
    keys = dict.fromkeys(key for edge in edges for key in edge)
    return Graph(tuple(Node(key, "stage", key, ("one line",)) for key in keys), edges)


def test_edges_that_a_longer_way_implies_are_left_out() -> None:
    assert set(reduced([("a", "b"), ("b", "c"), ("a", "c"), ("a", "c")])) == {("a", "b"), ("b", "c")}


def test_what_comes_from_something_stands_above_it_and_long_edges_pass_beside_boxes() -> None:
    drawing = arrange(graph_of(("a", "b"), ("b", "c"), ("c", "d"), ("a", "x"), ("x", "d")))
    assert all(above.y + above.height <= below.y for above, below in drawing.edges)
    ways = [box for box in drawing.boxes if box.node.kind == WAY]
    assert len(ways) == 1 and len(drawing.edges) == 6


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 9))
    pairs = list(combinations(range(count), 2))
    edges = draw(st.lists(st.sampled_from(pairs), max_size=14)) if pairs else []
    nodes = tuple(Node(str(number), "stage", f"n{number}") for number in range(count))
    return Graph(nodes, tuple((str(a), str(b)) for a, b in edges))


@settings(max_examples=60)
@given(graph=graphs())
def test_no_two_boxes_overlap_and_every_node_is_drawn_once(graph: Graph) -> None:
    drawing = arrange(graph)
    assert sorted(box.node.key for box in drawing.boxes if box.node.kind != WAY) == [node.key for node in graph.nodes]
    for first, second in combinations(drawing.boxes, 2):
        beside = abs(first.x - second.x) >= WIDTH + GAP - 1e-6
        assert beside or first.y + first.height < second.y or second.y + second.height < first.y
    assert all(box.x >= 0 and box.x + WIDTH <= drawing.width for box in drawing.boxes)
    assert all(box.y + box.height <= drawing.height for box in drawing.boxes)
    assert all(above.y < below.y for above, below in drawing.edges)


def test_the_svg_is_xml_and_names_of_any_kind_stay_text() -> None:
    nasty = Node("a", "record", "<script>&\u202e", ("</svg>", "long " * 30), 'whole "text" <b>')
    root = ET.fromstring(render_svg(Graph((nasty,), ()), "a & b"))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts[0] == "<script>&\ufffd" and texts[1] == "</svg>" and len(str(texts[2])) <= 31
    assert root.attrib["aria-label"] == "a & b"


def test_the_page_lists_images_up_to_a_number_and_says_so() -> None:
    graph, facts = graph_of(("a", "b")), [("Git commit", "not recorded")]
    images = [(f"{number}.png", "<ants>", "ab" * 32) for number in range(MOST_LISTED + 1)]
    page = render_page(graph, "t", facts, images, ANY)
    assert "1,001 examples. The table has the first 1,000" in page and "&lt;ants&gt;" in page and "1000.png" not in page
    assert page.count("<svg") == 1 and "not recorded" in page
    assert "were not recorded" in render_page(graph, "t", facts, None, ANY)
