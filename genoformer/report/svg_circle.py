"""A circular map of a replicon as SVG: genes of both strands, GC content and GC skew around it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from genoformer.report.markup import Markup, element
from genoformer.report.svg_axes import drawing, round_ticks, text_at, tick_text
from genoformer.sequence.alphabet import encode_bases

SIZE = 660
CENTRE = SIZE / 2
RINGS = {1: (238.0, 258.0), 0: (214.0, 234.0)}
"""Inner and outer radius of the genes of each strand, the forward one outside."""
CONTENT_RADIUS, SKEW_RADIUS, SWING = 180.0, 122.0, 28.0
LINEAR_GAP = 0.06
"""Angle without sequence at the top of one that is no circle, in radians."""
MAX_WINDOWS = 720
WINDOW_BP = 200
"""Shortest stretch of which the GC content is shown."""
FULL_SWING = 0.2
"""A GC content this far from the mean, or a skew of this size, reaches the edge of its ring."""
Angle = Callable[[float], float]
"""From positions to angles, in radians."""
C_CODE, G_CODE, T_CODE = (int(code) for code in encode_bases("CGT"))


@dataclass(frozen=True)
class CircleGene:
    """A gene on the map.

    Attributes:
        start: First base, 0-based.
        end: One behind the last; beyond the length for a gene over the origin.
        strand: 1 for the forward strand, 0 for the other.
        row: Its number, for what a click does.
        label: Shown when it is pointed at.
    """

    start: int
    end: int
    strand: int
    row: int
    label: str


@dataclass(frozen=True)
class Composition:
    """GC content and skew of equal windows of a sequence.

    Attributes:
        content: Share of G and C among known bases, [W].
        skew: (G - C) / (G + C), [W].
        mean: GC content of the whole.
    """

    content: np.ndarray
    skew: np.ndarray
    mean: float


def composition(codes: np.ndarray) -> Composition:
    """GC content and skew along a sequence; a window without known bases has those of the whole.

    Args:
        codes: uint8 base codes, shape [L], L at least 1.
    """
    n_windows = max(1, min(MAX_WINDOWS, len(codes) // WINDOW_BP))
    firsts = np.arange(n_windows) * len(codes) // n_windows
    c, g, known = (np.add.reduceat(mask, firsts, dtype=np.int64) for mask in _masks(codes))
    mean = float((c.sum() + g.sum()) / max(known.sum(), 1))
    content = np.where(known > 0, (c + g) / np.maximum(known, 1), mean)
    return Composition(content, (g - c) / np.maximum(g + c, 1), mean)


def _masks(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return codes == C_CODE, codes == G_CODE, codes <= T_CODE


def circle_map(
    name: str, length_bp: int, genes: Sequence[CircleGene], bases: Composition, *, is_circular: bool
) -> Markup:
    """The map, its first base at the top, clockwise.

    Args:
        name: Of the replicon.
        length_bp: Of it.
        genes: On it.
        bases: Of it.
        is_circular: Its ends are joined; else there is a gap between them.
    """
    gap = 0.0 if is_circular else LINEAR_GAP
    turn = (2 * math.pi - gap) / length_bp

    def angle(position: float) -> float:
        return gap / 2 + position * turn - math.pi / 2

    shapes = [*_scale(length_bp, angle, is_circular=is_circular)]
    shapes.append(_swings(bases.content - bases.mean, CONTENT_RADIUS, angle, length_bp, ("fill-2", "fill-3")))
    shapes.append(_swings(bases.skew, SKEW_RADIUS, angle, length_bp, ("fill-5", "fill-4")))
    shapes += [_gene(gene, angle) for gene in genes]
    shapes.append(text_at(CENTRE, CENTRE - 6, shortened(name), class_="name"))
    shapes.append(text_at(CENTRE, CENTRE + 16, f"{length_bp:,} bp, GC {bases.mean:.1%}"))
    shape = "circular" if is_circular else "linear"
    about = f"{len(genes)} genes on {length_bp:,} bp, {shape}: forward strand outside, GC content and GC skew inside."
    return element("div", drawing(f"Map of {name}", about, *shapes, size=(SIZE, SIZE)), class_="circle")


def shortened(name: str, *, n_letters: int = 26) -> str:
    """A name that fits, its end replaced where it does not."""
    return name if len(name) <= n_letters else f"{name[: n_letters - 1]}…"


def _at(radius: float, angle: float) -> str:
    return f"{CENTRE + radius * math.cos(angle):.2f} {CENTRE + radius * math.sin(angle):.2f}"


def _scale(length_bp: int, angle: Angle, *, is_circular: bool) -> list[Markup]:
    """Marks around the map."""
    shapes = []
    for tick in round_ticks(0, length_bp, n_about=10):
        if tick > length_bp or (is_circular and tick > length_bp * 0.97):
            continue
        a = angle(tick)
        shapes.append(element("path", d=f"M{_at(264, a)}L{_at(270, a)}", class_="tick"))
        anchor = "middle" if abs(math.cos(a)) < 0.3 else "start" if math.cos(a) > 0 else "end"
        x, y = CENTRE + 276 * math.cos(a), CENTRE + 276 * math.sin(a)
        shapes.append(text_at(x, y + 4 + 4 * math.sin(a), tick_text(tick), anchor=anchor))
    return shapes


def _gene(gene: CircleGene, angle: Angle) -> Markup:
    inner, outer = RINGS[gene.strand]
    a, b = angle(gene.start), angle(gene.end)
    if b - a < 0.03:  # straight lines look the same there, and take half the space
        path = f"M{_at(outer, a)}L{_at(outer, b)}L{_at(inner, b)}L{_at(inner, a)}Z"
    else:
        big = int(b - a > math.pi)
        path = (
            f"M{_at(outer, a)}A{outer:g} {outer:g} 0 {big} 1 {_at(outer, b)}"
            f"L{_at(inner, b)}A{inner:g} {inner:g} 0 {big} 0 {_at(inner, a)}Z"
        )
    colour = "fill-0" if gene.strand else "fill-1"
    return element("path", element("title", gene.label), d=path, class_=colour, data_row=gene.row)


def _swings(values: np.ndarray, radius: float, angle: Angle, length_bp: int, colours: tuple[str, str]) -> Markup:
    """Values around a circle: above zero outside it in the first colour, below zero inside in the other."""
    swings = np.clip(values / FULL_SWING, -1, 1) * SWING
    middles = [angle((i + 0.5) * length_bp / len(swings)) for i in range(len(swings))]
    shapes = []
    for side, colour in zip((np.maximum(swings, 0), np.minimum(swings, 0)), colours, strict=True):
        out = "L".join(_at(radius + swing, a) for swing, a in zip(side.tolist(), middles, strict=True))
        back = "L".join(_at(radius, a) for a in reversed(middles))
        shapes.append(element("path", d=f"M{out}L{back}Z", class_=colour))
    ring = element("circle", cx=CENTRE, cy=CENTRE, r=radius, class_="ring")
    return element("g", ring, *shapes)
