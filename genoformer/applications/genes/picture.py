"""The genes of a record as a map: arrows on both strands, and for long records how much of each stretch is coding."""

from collections.abc import Iterable
from itertools import pairwise

from genoformer.annotation.models import Gene
from genoformer.applications.genes.figures import coding_density
from genoformer.applications.genes.predictions import GenePrediction
from genoformer.report.markup import Markup, element, join
from genoformer.report.svg_axes import drawing, line_between, place, round_ticks, text_at, tick_text

WIDTH, LEFT, RIGHT = 960.0, 34.0, 22.0
LANE, ARROW = 26.0, 16.0
"""Height of a strand, and of the arrows on it, in units of the picture."""
HEAD = 6.0
LONGEST_DETAIL_BP = 40_000
"""Of longer records the beginning is drawn gene by gene, and all of it as shares."""
DENSITY = 34.0
"""Height of a share of 1."""
FAINTEST = 0.25
"""Opacity of a gene that is hardly believed."""


def draw(result: GenePrediction) -> Markup:
    """The map of one record; the paler a gene, the less sure it is."""
    detail_bp = min(result.length, LONGEST_DETAIL_BP)
    if not detail_bp:
        return Markup("")
    shapes, top = [], 4.0
    if result.length > detail_bp:
        shapes += [_density(result, top), _axis(result.length, top + 2 * DENSITY + 4)]
        top += 2 * DENSITY + 34
    shapes += [_arrows(result.genes, detail_bp, top), _axis(detail_bp, top + 2 * LANE + 4)]
    about = f"{len(result.genes)} genes on {result.length} bp; the first {detail_bp} bp are drawn gene by gene."
    size = WIDTH, top + 2 * LANE + 26
    return drawing(result.record_id, about, *shapes, size=size, widest_px=WIDTH)


def _x(position: float, length_bp: int) -> float:
    return LEFT + position / length_bp * (WIDTH - LEFT - RIGHT)


def _axis(length_bp: int, y: float) -> Markup:
    ticks = [tick for tick in round_ticks(0, length_bp, n_about=8) if tick <= length_bp]
    marks = (line_between(_x(tick, length_bp), y, _x(tick, length_bp), y + 4, "axis") for tick in ticks)
    words = (text_at(_x(tick, length_bp), y + 17, tick_text(tick)) for tick in ticks)
    return join(line_between(LEFT, y, WIDTH - RIGHT, y, "axis"), *marks, *words)


def _strand_names(top: float, height: float) -> Markup:
    return join(*(text_at(LEFT - 12, top + (i + 0.5) * height + 4, "+−"[i], class_="label") for i in (0, 1)))


def _arrows(genes: Iterable[Gene], detail_bp: int, top: float) -> Markup:
    shown = (_arrow(gene, detail_bp, top) for gene in genes if gene.start < detail_bp)
    return join(_strand_names(top, LANE), line_between(LEFT, top + LANE, WIDTH - RIGHT, top + LANE, "grid"), *shown)


def _arrow(gene: Gene, detail_bp: int, top: float) -> Markup:
    """Boxes of the coding parts, introns as lines between them, and a head at the 3′ end."""
    is_plus = gene.strand == "+"
    y = top + (LANE - ARROW) / 2 + (0 if is_plus else LANE)
    spans = [
        (start, min(end, detail_bp)) for start, end in gene.parts or ((gene.start, gene.end),) if start < detail_bp
    ]
    last = len(spans) - 1 if is_plus else 0
    boxes = (
        _box(_x(start, detail_bp), _x(end, detail_bp), y, (1 if is_plus else -1) if number == last else 0)
        for number, (start, end) in enumerate(spans)
    )
    middle = y + ARROW / 2
    joints = (
        line_between(_x(a[1], detail_bp), middle, _x(b[0], detail_bp), middle, "axis") for a, b in pairwise(spans)
    )
    sure = "" if gene.score is None else f", confidence {gene.score:.2f}"
    words = element("title", f"{gene.start + 1}–{gene.end} ({gene.strand}), {gene.length_bp} bp{sure}")
    shade = max(FAINTEST, 1.0 if gene.score is None else gene.score)
    path = element("path", d="".join(boxes), class_=f"fill-{0 if is_plus else 2}", fill_opacity=f"{shade:.2f}")
    return element("g", words, *joints, path)


def _box(left: float, right: float, y: float, head: int) -> str:
    """Outline of a box with its head to the right (1), to the left (-1) or without one (0)."""
    tip = min(HEAD, right - left) * head
    low, high, middle = left - min(tip, 0), right - max(tip, 0), y + ARROW / 2
    begin = f"M{place(low)} {place(y)}H{place(high)}"
    right_end = (
        f"L{place(right)} {place(middle)}L{place(high)} {place(y + ARROW)}" if head > 0 else f"V{place(y + ARROW)}"
    )
    left_end = f"H{place(low)}" + (f"L{place(left)} {place(middle)}" if head < 0 else "")
    return begin + right_end + left_end + "Z"


def _density(result: GenePrediction, top: float) -> Markup:
    """Share of coding bases of each strand, upward and downward."""
    middle = top + DENSITY
    shapes = [_strand_names(top, DENSITY)]
    shares_of = coding_density(result.length, result.genes)
    for strand, sign, colour in (("forward", -1, 0), ("reverse", 1, 2)):
        shares = shares_of[strand].tolist()
        steps = (
            f"V{place(middle + sign * share * DENSITY)}H{place(_x(number, len(shares)))}"
            for number, share in enumerate(shares, start=1)
        )
        outline = f"M{place(LEFT)} {place(middle)}" + "".join(steps) + f"V{place(middle)}Z"
        words = element("title", f"coding on the {strand} strand")
        shapes.append(element("path", words, d=outline, class_=f"fill-{colour}"))
    return join(*shapes)
