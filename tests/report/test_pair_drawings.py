"""Pictures of pairs as XML readers see them."""

import re
from xml.dom import minidom

import pytest

from genoformer.report.pair_drawings import FAINTEST, draw_arcs, draw_square_map, tick_places

PAIRS = [(0, 9, 1.0), (1, 8, 0.5), (2, 7, 0.01)]


def shapes(path, tag):
    return minidom.parse(str(path)).getElementsByTagName(tag)


def test_each_pair_is_an_arc_as_dark_as_it_is_sure(tmp_path):
    draw_arcs(tmp_path / "a.svg", "r", "GGGAAAACCC", above=PAIRS[:2], below=PAIRS[2:])
    arcs = [arc for arc in shapes(tmp_path / "a.svg", "path") if arc.getAttribute("fill") == "none"]
    assert [float(arc.getAttribute("stroke-opacity")) for arc in arcs] == [1.0, 0.5, FAINTEST]
    assert [re.search(r"a\S+ \S+ 0 0 (\d)", arc.getAttribute("d"))[1] for arc in arcs] == ["1", "1", "0"]
    letters = [text.firstChild.data for text in shapes(tmp_path / "a.svg", "text")]
    assert "".join(word for word in letters if word in "ACGU") == "GGGAAAACCC"


def test_arcs_stay_inside_the_picture(tmp_path):
    draw_arcs(tmp_path / "a.svg", "r", "A" * 3000, above=[(0, 2999, 1.0)], below=[(5, 2900, 0.2)])
    [root] = shapes(tmp_path / "a.svg", "svg")
    height, width = (float(root.getAttribute(name)) for name in ("height", "width"))
    assert width < 1300
    for arc in shapes(tmp_path / "a.svg", "path")[:2]:
        x, y, radius, _, _, _, sweep, across, _ = map(float, re.findall(r"[\d.]+", arc.getAttribute("d")))
        top = y - radius if sweep else y + radius
        assert 0 < x < x + across < width and 0 < top < height


def test_a_map_has_the_upper_pairs_above_the_diagonal_and_the_others_below(tmp_path):
    draw_square_map(tmp_path / "m.svg", "r", 10, above=PAIRS[:1], below=PAIRS[1:], unit="base")
    cells = [cell for cell in shapes(tmp_path / "m.svg", "rect") if cell.getAttribute("fill-opacity")]
    places = [(float(cell.getAttribute("x")), float(cell.getAttribute("y"))) for cell in cells]
    assert [x > y for x, y in places] == [True, False, False] and places[0] == (36 + 9 * 64, 36)


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", 'a&"b"', "\x01\ufffe é"])
def test_titles_are_escaped(tmp_path, title):
    draw_arcs(tmp_path / "a.svg", title, "", above=[], below=[])
    draw_square_map(tmp_path / "m.svg", title, 0, above=[], below=[], unit="base")
    wanted = re.sub("[\x01\ufffe]", "\ufffd", title)
    for name in ("a.svg", "m.svg"):
        assert shapes(tmp_path / name, "title")[0].firstChild.data == wanted
        assert not shapes(tmp_path / name, "script")


def test_ticks_are_round_and_few():
    assert [list(tick_places(n)) for n in (0, 3, 1000)] == [[], [1, 2, 3], [200, 400, 600, 800, 1000]]
