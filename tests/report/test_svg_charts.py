"""Pictures are well-formed, say what they are, and put values where they belong."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from genoformer.report.svg_axes import round_ticks, tick_text
from genoformer.report.svg_charts import bars, histogram, legend, lines


def shapes(picture, name):
    return [node for node in ElementTree.fromstring(picture).iter(name)]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (0, 97, (0, 20, 40, 60, 80, 100)),
        (-3, 12, (-5, 0, 5, 10, 15)),
        (5, 5, (0, 1, 2, 3, 4, 5)),
        (0, 0, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (-2, -2, (-2, -1.5, -1, -0.5, 0)),
    ],
)
def test_ticks_are_round_and_reach_over_the_values(low, high, expected):
    assert round_ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(("low", "high"), [(1, 0), (float("nan"), 1), (0, float("inf"))])
def test_ticks_of_no_range_are_refused(low, high):
    with pytest.raises(ValueError, match="found"):
        round_ticks(low, high)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.25, "0.25"), (9999, "9999"), (12_500, "12.5k"), (4.6e6, "4.6M"), (-2e-5, "-2e-05")]
)
def test_numbers_beside_an_axis_are_short(value, text):
    assert tick_text(value) == text


def test_pictures_say_what_they_are():
    picture = bars({"<b>": 1}, title="Start <codons>", x="codon", y="genes", about="mostly & ATG")
    root = ElementTree.fromstring(picture)
    assert root.get("role") == "img" and root.get("aria-label") == "Start <codons>"
    assert [node.text for node in root[:2]] == ["Start <codons>", "mostly & ATG"]


def test_bars_are_as_high_as_their_values():
    heights = [
        float(bar.get("height")) for bar in shapes(bars({"a": 5, "b": 10, "c": 0}, title="", x="", y=""), "rect")
    ]
    assert heights == pytest.approx([109, 218, 0])


def test_bars_below_zero_hang_from_it():
    up, down = shapes(bars({"a": 1, "b": -1}, title="", x="", y=""), "rect")
    assert float(up.get("y")) + float(up.get("height")) == pytest.approx(float(down.get("y")))


def test_histogram_counts_what_numpy_counts():
    values = np.random.default_rng(0).normal(size=500)
    drawn = shapes(histogram(values, title="", x="", n_bins=20, limits=(-2, 2)), "rect")
    counts = [int(bar.find("title").text.split(": ")[1]) for bar in drawn]
    assert counts == np.histogram(np.clip(values, -2, 2), bins=20, range=(-2, 2))[0].tolist()


@pytest.mark.parametrize("values", [[], [3.0], [2.0, 2.0]])
def test_histogram_of_little_is_drawn(values):
    assert len(shapes(histogram(values, title="", x="", n_bins=5), "rect")) == 5


def test_lines_break_where_a_value_is_missing():
    picture = lines({"loss": ([0, 1, 2, 3, 4], [1, 2, float("nan"), 3, 4])}, title="", x="", y="")
    found = shapes(picture, "polyline")
    assert [len(line.get("points").split()) for line in found] == [2, 2]


def test_lines_lie_where_their_values_do():
    (line,) = shapes(lines({"a": ([0, 10], [0, 1])}, title="", x="", y=""), "polyline")
    assert line.get("points") == "66,230 462,12"


def test_several_lines_have_a_key_and_one_has_none():
    one, two = ([0, 1], [0, 1]), ([0, 1], [1, 0])
    assert "fill-1" in lines({"train": one, "val": two}, title="", x="", y="")
    assert "fill-0" not in lines({"train": one}, title="", x="", y="")


def test_lines_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        lines({"a": ([0, 1], [1])}, title="", x="", y="")


def test_empty_pictures_are_drawn():
    for picture in (
        bars({}, title="", x="", y=""),
        lines({}, title="", x="", y=""),
        lines({"a": ([], [])}, title="", x="", y=""),
    ):
        assert shapes(picture, "line")


def test_long_keys_take_several_rows():
    key, above = legend(["a" * 40, "b" * 40])
    root = ElementTree.fromstring(f"<svg>{key}</svg>")
    assert above == 40
    assert len({node.get("y") for node in root.iter("rect")}) == 2
