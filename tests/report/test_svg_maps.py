"""Circles, logos, folds, arcs, maps and strips: what is drawn where."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from genoformer.report.svg_charts import named_bars
from genoformer.report.svg_circle import CircleGene, circle_map, composition, shortened
from genoformer.report.svg_logo import LETTERS, information, logo
from genoformer.report.svg_pairs import draw_arcs, draw_fold, fold_places, pair_map
from genoformer.report.svg_strips import draw_strip
from genoformer.sequence.alphabet import encode_bases
from genoformer.structures.dot_bracket import parse_dot_bracket

GENE = CircleGene(0, 250, 1, 7, "<b>a</b>")


def nodes(picture, name):
    return list(ElementTree.fromstring(picture).iter(name))


def test_composition_counts_windows():
    found = composition(encode_bases("G" * 200 + "C" * 200 + "AT" * 200))
    assert found.content.tolist() == [1, 1, 0, 0] and found.skew.tolist() == [1, -1, 0, 0] and found.mean == 0.5


def test_a_window_without_known_bases_is_like_the_whole():
    found = composition(encode_bases("G" * 200 + "N" * 200 + "A" * 200))
    assert found.content.tolist() == [1, 0.5, 0] and np.isfinite(found.skew).all()


def test_the_first_gene_of_a_circle_begins_at_the_top_and_goes_clockwise():
    picture = circle_map("x", 1000, [GENE], composition(np.zeros(1000, np.uint8)), is_circular=True)
    (arc,) = [node for node in nodes(picture, "path") if node.get("data-row")]
    x, y = map(float, arc.get("d")[1:].split("A")[0].split())
    assert x == pytest.approx(330) and y == pytest.approx(330 - 258)
    assert arc.get("data-row") == "7" and arc.find("title").text == "<b>a</b>"
    assert "258 258 0 0 1 588.00 330.00" in arc.get("d")  # a quarter of the circle


def test_a_linear_record_is_open_at_the_top():
    bases = composition(np.zeros(1000, np.uint8))
    arcs = {}
    for is_circular in (True, False):
        picture = circle_map("x", 1000, [CircleGene(0, 1000, 1, 0, "")], bases, is_circular=is_circular)
        (arc,) = [node for node in nodes(picture, "path") if node.get("data-row")]
        arcs[is_circular] = float(arc.get("d")[1:].split()[0])
    assert arcs[True] == pytest.approx(330) and arcs[False] > 335


def test_long_names_are_cut():
    assert shortened("a" * 30) == "a" * 25 + "…" and shortened("NC_1") == "NC_1"


def test_information_of_a_place_is_its_relative_entropy():
    background = np.full(4, 0.25)
    found = information(np.array([[1.0, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]]), background)
    assert found.tolist() == [[2, 0, 0, 0], [0, 0, 0, 0], [0.5, 0.5, 0, 0]]


def test_the_highest_letter_of_a_logo_stands_on_top_and_is_as_high_as_its_value():
    picture = logo(np.array([[0.5, 0, 1.5, 0]]), ["1"], title="", x="")
    low, high = (node for node in nodes(picture, "path"))
    assert low.get("d") == LETTERS["A"] and high.get("d") == LETTERS["G"]
    tall, short = (float(node.get("transform").split()[-1].rstrip(")")) for node in (high, low))
    assert tall / short == pytest.approx(3)


@pytest.mark.parametrize(
    "text", ["((((....))))", "((..((...))..((...))..))", "..((...)).((...))..", "(())", "....", "."]
)
def test_neighbours_and_pairs_of_a_fold_are_one_step_apart(text):
    partners = parse_dot_bracket(text)
    places = fold_places(partners)
    assert np.isfinite(places).all()
    assert np.abs(np.diff(places)) == pytest.approx(np.ones(len(text) - 1))
    for i, j in enumerate(partners.tolist()):
        if j > i:
            assert abs(places[i] - places[j]) == pytest.approx(1), (i, j)


def test_a_stem_is_straight_and_its_sides_are_apart():
    places = fold_places(parse_dot_bracket("((((....))))"))
    directions = np.diff(places[:4])
    assert directions == pytest.approx(np.full(3, directions[0]))
    assert len({(round(z.real, 6), round(z.imag, 6)) for z in places.tolist()}) == 12


def test_a_fold_has_a_disc_for_each_base_and_a_line_for_each_pair():
    picture = draw_fold("GGAAACC", parse_dot_bracket("((...))"), [0.5] * 7, [(2, 4)])
    assert len([node for node in nodes(picture, "circle") if node.get("class") == "base"]) == 7
    lines = [node.get("class") for node in nodes(picture, "line")]
    assert lines == ["pair", "pair", "pair crossing"]


def test_arcs_reach_from_base_to_base():
    picture = draw_arcs("ACGU", [(0, 3, 0.9)], [(1, 2, 0.1)])
    above, below = nodes(picture, "path")
    assert above.get("d").startswith("M20 ") and above.get("d").split()[-2] == "80"
    assert above.find("title").text == "1-4: 0.90"
    assert float(above.get("stroke-opacity")) > float(below.get("stroke-opacity"))


def test_a_map_has_pairs_on_both_sides_of_its_diagonal():
    picture = pair_map(10, [(1, 8, 0.7)], [(2, 5, 1.0)], title="", label="base")
    _, above, below = nodes(picture, "rect")
    assert (above.get("x"), above.get("y")) == (f"{60 + 8 * 42:.2f}", f"{10 + 42:.2f}")
    assert (below.get("x"), below.get("y")) == (f"{60 + 2 * 42:.2f}", f"{10 + 5 * 42:.2f}")


def test_a_strip_breaks_after_sixty():
    cells = nodes(draw_strip("H" * 61, [1.0] * 61, {"H": 0}, ["ATG"] * 61), "rect")
    assert len(cells) == 61 and cells[0].get("x") == cells[60].get("x") and cells[0].get("y") != cells[60].get("y")


def test_level_bars_are_as_long_as_their_values_and_name_them():
    picture = named_bars({"<kinase>" + "x" * 40: 1.0, "b": 0.5}, title="", x="share")
    one, half = (float(node.get("width")) for node in nodes(picture, "rect"))
    assert one == pytest.approx(2 * half, abs=0.1)
    assert nodes(picture, "rect")[0].find("title").text.startswith("<kinase>")
