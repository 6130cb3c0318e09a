"""Pairs of bases or residues as pictures: arcs over a sequence, and square maps."""

from collections.abc import Sequence
from pathlib import Path

from genoformer.report.svg import Drawing

MARGIN = 36.0
WIDTH = 1200.0
"""Of a long sequence, in pixels; a short one has ``LETTER`` for each base."""
LETTER = 11.0
READABLE = 6.0
"""Bases with less room than this have no letters."""
SIDE = 640.0
"""Of a map, in pixels."""
FAINTEST = 0.08
"""Opacity of what is hardly probable, so that it can be seen at all."""
INK = "#1b4f8a"
N_TICKS = 8

Pairs = Sequence[tuple[int, int, float]]
"""Both places, 0-based, and how sure the pair is, 0 to 1."""


def draw_arcs(path: Path, title: str, letters: str, *, above: Pairs, below: Pairs) -> None:
    """Arcs between paired bases, the surer the darker.

    Args:
        path: SVG file.
        title: Above the picture.
        letters: Of the bases; written where there is room.
        above: Arcs over the bases.
        below: Arcs under them.
    """
    step = min(LETTER, WIDTH / max(1, len(letters)))
    up, down = (max((j - i for i, j, _ in pairs), default=0) * step / 2 for pairs in (above, below))
    line = MARGIN + up
    drawing = Drawing(2 * MARGIN + step * len(letters), line + down + 2 * MARGIN, title)
    drawing.write_words(MARGIN, MARGIN / 2, title)
    for pairs, y, sweep in ((above, line, 1), (below, line + MARGIN, 0)):
        for i, j, sure in pairs:
            x, radius = MARGIN + (i + 0.5) * step, (j - i) * step / 2
            arc = f"M{x:.2f} {y:.2f}a{radius:.2f} {radius:.2f} 0 0 {sweep} {2 * radius:.2f} 0"
            drawing.draw("path", d=arc, fill="none", stroke=INK, stroke_opacity=max(FAINTEST, sure))
    if step >= READABLE:
        for k, letter in enumerate(letters):
            drawing.write_words(MARGIN + (k + 0.5) * step, line + 12, letter, text_anchor="middle")
    else:
        drawing.draw("path", d=f"M{MARGIN} {line:.2f}h{step * len(letters):.2f}", stroke="black")
    for k in tick_places(len(letters)):
        place = MARGIN + (k - 0.5) * step
        drawing.write_words(place, line + 24, str(k), text_anchor="middle", font_size="8", fill="#666")
    drawing.save(path)


def draw_square_map(path: Path, title: str, length: int, *, above: Pairs, below: Pairs, unit: str) -> None:
    """A map with a square for each pair, the surer the darker; places are written along both sides.

    Args:
        path: SVG file.
        title: Above the map.
        length: Of the sequence, in units.
        above: Pairs i < j above the diagonal, at row i and column j.
        below: Pairs i < j below it, at row j and column i.
        unit: What is counted.
    """
    cell = SIDE / max(1, length)
    drawing = Drawing(SIDE + 2 * MARGIN, SIDE + 2 * MARGIN, title)
    drawing.write_words(MARGIN, MARGIN / 2, title)
    drawing.draw("path", d=f"M{MARGIN} {MARGIN}l{SIDE} {SIDE}", stroke="#bbb")
    squares = [(i, j, sure) for i, j, sure in above] + [(j, i, sure) for i, j, sure in below]
    for row, column, sure in squares:
        x, y = MARGIN + column * cell, MARGIN + row * cell
        drawing.draw("rect", x=x, y=y, width=cell, height=cell, fill=INK, fill_opacity=max(FAINTEST, sure))
    drawing.draw("rect", x=MARGIN, y=MARGIN, width=SIDE, height=SIDE, fill="none", stroke="black")
    for k in tick_places(length):
        place = MARGIN + (k - 0.5) * cell
        drawing.write_words(place, MARGIN + SIDE + 12, str(k), text_anchor="middle", fill="#666")
        drawing.write_words(MARGIN - 4, place + 3, str(k), text_anchor="end", fill="#666")
    drawing.write_words(MARGIN + SIDE / 2, SIDE + 2 * MARGIN - 8, unit, text_anchor="middle")
    drawing.save(path)


def tick_places(length: int) -> range:
    """Round places, from 1, about ``N_TICKS`` of them.

    Example:
        >>> list(tick_places(76))
        [10, 20, 30, 40, 50, 60, 70]
    """
    steps = (digit * 10**power for power in range(9) for digit in (1, 2, 5))
    step = next(step for step in steps if step * N_TICKS >= length)
    return range(step, length + 1, step)
