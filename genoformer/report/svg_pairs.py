"""Pairs of places along a sequence as SVG: the fold of an RNA, arcs, and maps of contacts."""

import cmath
import math
from collections.abc import Sequence

import numpy as np

from genoformer.report.markup import Markup, element, join
from genoformer.report.svg_axes import drawing, line_between, place, round_ticks, text_at, tick_text

Pair = tuple[int, int, float]
"""Two places, 0-based, the first before the second, and how probable they are a pair."""
STEP = 20
"""Distance of neighbours in the picture of a fold, and of places in that of arcs."""
FLATNESS = 0.4
"""Height of an arc in shares of half its width."""
MAP_SIZE, MAP_LEFT = 420, 60
FAINT, DISC = 0.1, 0.75
"""Opacity of what is not probable at all, and of a disc, beneath a letter, that is certain."""


def fold_places(partners: np.ndarray) -> np.ndarray:
    """Where bases stand in the picture of a fold: every loop is a regular polygon, two stacked pairs are a square.

    Args:
        partners: Of each base the one that it pairs with, -1 for none; no two pairs cross, shape [L].

    Returns:
        Coordinates in distances of neighbours, complex128 [L]. Long folds may overlap themselves.
    """
    places = np.zeros(len(partners), np.complex128)
    loops = [(-1, len(partners), 0j, 0.0)]
    while loops:
        first, last, at, heading = loops.pop()
        members = _members(partners, first, last)
        turn = 2 * math.pi / (len(members) + (first < 0))  # the outermost loop stays open
        for i, member in enumerate(members):
            if i:
                heading += turn
                at += cmath.rect(1, heading)
            places[member] = at
            before = members[i - 1]
            if i and partners[member] == before and before != first:  # behind this side lies another loop
                loops.append((before, member, places[before], cmath.phase(places[before] - at)))
    return places


def _members(partners: np.ndarray, first: int, last: int) -> list[int]:
    """Bases of the loop that a pair closes, the pair among them; the outermost one is that of -1 and L."""
    members, at = [first], first + 1
    while at < last:
        members.append(at)
        if partners[at] > at:
            at = int(partners[at])
            members.append(at)
        at += 1
    members.append(last)
    return members if first >= 0 else members[1:-1]


def draw_fold(letters: str, partners: np.ndarray, sure: Sequence[float], crossing: Sequence[tuple[int, int]]) -> Markup:
    """An RNA as it folds; pairs that cross others are long lines.

    Args:
        letters: Bases.
        partners: Of the pairs that do not cross, see ``fold_places``.
        sure: How probable what is said of each base is, 0 to 1; it gives the colour.
        crossing: Further pairs.
    """
    places = fold_places(partners)
    if np.ptp(places.imag) > np.ptp(places.real):
        places = places * 1j
    x, y = (STEP * (part - part.min() + 1) for part in (places.real, places.imag))
    size = float(x.max()) + STEP, float(y.max()) + STEP
    spots = list(zip(x.tolist(), y.tolist(), strict=True))
    chain = " ".join(f"{place(a)},{place(b)}" for a, b in spots)
    pairs = [(i, int(j)) for i, j in enumerate(partners) if j > i]
    lines = [line_between(*spots[i], *spots[j], "pair") for i, j in pairs]
    lines += [line_between(*spots[i], *spots[j], "pair crossing") for i, j in crossing]
    bases = [_base(i, letter, spots[i], float(sure[i])) for i, letter in enumerate(letters)]
    about = f"{len(letters)} bases, {len(pairs) + len(crossing)} pairs."
    backbone = element("polyline", points=chain, class_="backbone")
    ends = [_end(spots[i], name) for i, name in ((0, "5′"), (-1, "3′")) if spots]
    return drawing("Fold", about, backbone, *lines, *bases, *ends, size=size, widest_px=1.3 * size[0])


def _end(spot: tuple[float, float], name: str) -> Markup:
    return text_at(spot[0] - 13, spot[1] - 9, name, class_="tiny")


def _base(i: int, letter: str, spot: tuple[float, float], sure: float) -> Markup:
    x, y = spot
    label = element("title", f"{letter}{i + 1}: {sure:.2f}")
    ground = element("circle", cx=place(x), cy=place(y), r=8, class_="ground")
    disc = element(
        "circle", label, cx=place(x), cy=place(y), r=8, class_="base", fill_opacity=f"{DISC * opacity(sure):.2f}"
    )
    return join(ground, disc, text_at(x, y + 4, letter, class_="letter"))


def opacity(sure: float) -> float:
    """How strongly something is drawn that is this probable."""
    return FAINT + (1 - FAINT) * max(0.0, min(sure, 1.0))


def draw_arcs(letters: str, above: Sequence[Pair], below: Sequence[Pair], *, title: str = "Arcs") -> Markup:
    """Pairs as arcs over the sequence, others below it; the stronger, the more probable.

    Args:
        letters: What stands along the line.
        above: Pairs that were chosen.
        below: Others.
        title: What is seen, in a few words.
    """
    high, low = (_arc_height(pairs) for pairs in (above, below))
    width, line = STEP * (len(letters) + 1), high + 14.0
    shapes = [_arc(pair, line - 10, 1, "arc stroke-0") for pair in above]
    shapes += [_arc(pair, line + 8, 0, "arc stroke-7") for pair in below]
    shapes += [text_at(STEP * (i + 1), line + 3, letter, class_="letter") for i, letter in enumerate(letters)]
    about = f"{len(letters)} places, {len(above)} pairs above, {len(below)} further ones below."
    return drawing(title, about, *shapes, size=(width, line + low + 16), widest_px=1.3 * width)


def _arc_height(pairs: Sequence[Pair]) -> float:
    return max((STEP * FLATNESS * (j - i) / 2 for i, j, _ in pairs), default=0.0)


def _arc(pair: Pair, y: float, sweep: int, class_: str) -> Markup:
    i, j, sure = pair
    radius = STEP * (j - i) / 2
    bow = f"A{place(radius)} {place(radius * FLATNESS)} 0 0 {sweep}"
    path = f"M{STEP * (i + 1)} {place(y)}{bow} {STEP * (j + 1)} {place(y)}"
    return element(
        "path", element("title", pair_text(pair)), d=path, class_=class_, stroke_opacity=f"{opacity(sure):.2f}"
    )


def pair_text(pair: Pair) -> str:
    """A pair in words, counted from 1."""
    return f"{pair[0] + 1}-{pair[1] + 1}: {pair[2]:.2f}"


def pair_map(n: int, above: Sequence[Pair], below: Sequence[Pair], *, title: str, label: str) -> Markup:
    """A square map: pairs above the diagonal, and the same or others below it; the stronger, the more probable.

    Args:
        n: Places along each side.
        above: Pairs above the diagonal.
        below: Pairs below it.
        title: What is seen, in a few words.
        label: What the places are.
    """
    cell = MAP_SIZE / max(n, 1)
    ticks = [tick for tick in round_ticks(0, max(n, 1)) if tick <= n]
    shapes = [element("rect", x=MAP_LEFT, y=10, width=MAP_SIZE, height=MAP_SIZE, class_="frame")]
    shapes.append(line_between(MAP_LEFT, 10, MAP_LEFT + MAP_SIZE, 10 + MAP_SIZE, "grid"))
    for tick in ticks:
        shapes.append(text_at(MAP_LEFT + tick * cell, MAP_SIZE + 28, tick_text(tick)))
        shapes.append(text_at(MAP_LEFT - 6, 14 + tick * cell, tick_text(tick), anchor="end"))
    shapes += [_cell(pair, pair[1], pair[0], cell, "fill-0") for pair in above]
    shapes += [_cell(pair, pair[0], pair[1], cell, "fill-1") for pair in below]
    shapes.append(text_at(MAP_LEFT + MAP_SIZE / 2, MAP_SIZE + 48, label, class_="label"))
    about = f"{len(above)} pairs of {n} places above the diagonal, {len(below)} below it."
    return drawing(title, about, *shapes, size=(MAP_LEFT + MAP_SIZE + 18, MAP_SIZE + 58), widest_px=560)


def _cell(pair: Pair, column: int, row: int, cell: float, class_: str) -> Markup:
    side = f"{max(cell, 1.5):.2f}"
    x, y = f"{MAP_LEFT + column * cell:.2f}", f"{10 + row * cell:.2f}"
    label = element("title", pair_text(pair))
    return element(
        "rect", label, x=x, y=y, width=side, height=side, class_=class_, fill_opacity=f"{opacity(pair[2]):.2f}"
    )
