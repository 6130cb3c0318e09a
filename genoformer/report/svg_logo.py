"""Sequence logos as SVG: at each place the bases, as high as what they tell.

Reference: Schneider and Stephens, Nucleic Acids Research 18 (1990) 6097.
"""

from collections.abc import Sequence

import numpy as np

from genoformer.report.markup import Markup, element
from genoformer.report.svg_axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    drawing,
    place,
    round_axis,
    scale_y,
    text_at,
    x_label,
    y_axis,
)  # fmt: skip

BASES = "ACGT"
LETTERS = {
    "A": "M0 1L.38 0H.62L1 1H.77L.69 .76H.31L.23 1ZM.5 .2L.63 .59H.37Z",
    "C": "M1 .31C.95 .1 .76 0 .53 0C.2 0 0 .2 0 .5S.2 1 .53 1C.76 1 .95 .9 1 .69L.78 .63C.75 .76 .66 .82 .53 .82"
    "C.34 .82 .23 .7 .23 .5S.34 .18 .53 .18C.66 .18 .75 .24 .78 .37Z",
    "G": "M1 .31C.95 .1 .76 0 .53 0C.2 0 0 .2 0 .5S.2 1 .53 1C.73 1 .9 .93 1 .82V.45H.53V.62H.78V.74"
    "C.72 .79 .63 .82 .53 .82C.34 .82 .23 .7 .23 .5S.34 .18 .53 .18C.66 .18 .75 .24 .78 .37Z",
    "T": "M0 0H1V.18H.61V1H.39V.18H0Z",
}
"""Outlines in a square of one by one, so that a letter is exactly as high as its value."""
LOWEST = 0.004
"""Letters that are lower are not seen, in shares of the height."""


def information(shares: np.ndarray, background: np.ndarray) -> np.ndarray:
    """What each base tells at each place, in bits: its share times the relative entropy of the place.

    Args:
        shares: Of the bases at each place, [P, 4], each row with sum 1.
        background: Of the bases elsewhere, [4], above 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(shares > 0, shares * np.log2(shares / background), 0.0).sum(axis=1, keepdims=True)
    return shares * np.maximum(bits, 0)


def logo(heights: np.ndarray, places: Sequence[str], *, title: str, x: str, y: str = "bits", about: str = "") -> Markup:
    """A logo.

    Args:
        heights: Of A, C, G and T at each place, none negative, [P, 4]; the highest stands on top.
        places: What stands below each.
        title: What is seen, in a few words.
        x: What the places are.
        y: What the heights are.
        about: A sentence more, for those who do not see it.
    """
    axis = round_axis([float(heights.sum(axis=1).max(initial=0.1))], y, from_zero=True)
    up, width = scale_y(axis), (WIDTH - LEFT - RIGHT) / max(len(heights), 1)
    shapes, every = [y_axis(axis)], -(-len(heights) // 14) or 1
    for i, row in enumerate(heights):
        left, reached = LEFT + i * width, 0.0
        for base in np.argsort(row, kind="stable"):
            value = float(row[base])
            if value > LOWEST * axis.high:
                shapes.append(_letter(BASES[base], left + width * 0.04, up(reached + value), width * 0.92, up(reached)))
            reached += value
        if i % every == 0:
            shapes.append(text_at(left + width / 2, HEIGHT - BOTTOM + 19, places[i]))
    best = "".join(BASES[int(row.argmax())] for row in heights)
    return drawing(title, about or f"Most frequent bases: {best}.", *shapes, x_label(x))


def _letter(base: str, left: float, top: float, width: float, bottom: float) -> Markup:
    where = f"translate({place(left)} {top:.2f}) scale({width:.2f} {bottom - top:.2f})"
    return element("path", d=LETTERS[base], transform=where, class_=f"base-{base}", fill_rule="evenodd")
