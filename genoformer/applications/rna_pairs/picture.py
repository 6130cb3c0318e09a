"""Base pairs as arcs over the sequence."""

from genoformer.applications.rna_pairs.writers import letters, listed_pairs
from genoformer.errors import counted
from genoformer.inference.sequence_caller import SequencePrediction
from genoformer.report.markup import Markup, element
from genoformer.report.svg_axes import drawing, line_between, place, round_ticks, text_at, tick_text
from genoformer.structures.dot_bracket import pairs_of

WIDTH, MARGIN = 480.0, 12.0
READABLE = 7.0
"""Bases with less room than this have no letters."""
FAINTEST = 0.15


def draw(result: SequencePrediction) -> Markup:
    """Arcs of the structure, and in another colour those of pairs that are probable but not in it."""
    if not result.length:
        return Markup("")
    step = (WIDTH - 2 * MARGIN) / result.length
    pairs = list(listed_pairs(result.outputs))
    line = MARGIN + max((j - i for i, j, *_ in pairs), default=0) * step / 2
    shapes = []
    for i, j, sure, chosen in sorted(pairs, key=lambda pair: pair[3]):
        radius = place((j - i) * step / 2)
        arc = f"M{place(MARGIN + (i + 0.5) * step)} {place(line)}a{radius} {radius} 0 0 1 {place((j - i) * step)} 0"
        shade = f"{max(FAINTEST, sure):.2f}"
        words = element("title", f"{i + 1}–{j + 1}, probability {sure:.2f}")
        shapes.append(element("path", words, d=arc, class_=f"line stroke-{0 if chosen else 1}", stroke_opacity=shade))
    shapes.append(line_between(MARGIN, line, WIDTH - MARGIN, line, "axis"))
    if step >= READABLE:
        places = enumerate(letters(result.record))
        shapes += [text_at(MARGIN + (k + 0.5) * step, line + 13, letter, class_="label") for k, letter in places]
    shapes += [
        text_at(MARGIN + (tick - 0.5) * step, line + 30, tick_text(tick))
        for tick in round_ticks(0, result.length)
        if 1 <= tick <= result.length
    ]
    return drawing(result.record_id, in_words(result), *shapes, size=(WIDTH, line + 38))


def in_words(result: SequencePrediction) -> str:
    """How much was found."""
    return counted(len(pairs_of(result.outputs["partners"])), "base pair")
