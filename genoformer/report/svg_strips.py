"""States along a sequence as SVG: rows of cells, each as strong as it is probable."""

from collections.abc import Sequence

from genoformer.report.markup import Markup, element
from genoformer.report.svg_axes import drawing, place, text_at
from genoformer.report.svg_pairs import opacity

PER_ROW, CELL, ROW = 60, 12, 40
LEFT = 44
LOOSE, THIN, THICK = "CTS", 4, 16
"""States of DSSP without a regular structure are drawn thin."""


def draw_strip(states: str, sure: Sequence[float], colours: dict[str, int], letters: Sequence[str]) -> Markup:
    """A strip of states, sixty to a row.

    Args:
        states: One letter for each place.
        sure: How probable each is, 0 to 1.
        colours: Colour of the page by state.
        letters: What stands at each place, shown when it is pointed at.
    """
    shapes = []
    for i, state in enumerate(states):
        row, column = divmod(i, PER_ROW)
        x, y = LEFT + CELL * column, 8 + ROW * row
        if column % 10 == 0:
            shapes.append(text_at(x + CELL / 2, y + 34, str(i + 1), class_="tiny"))
        label = element("title", f"{i + 1} {letters[i]}: {state} {sure[i]:.2f}")
        height = THIN if state in LOOSE else THICK
        shapes.append(
            element(
                "rect",
                label,
                x=x,
                y=place(y + 10 - height / 2),
                width=CELL - 0.5,
                height=height,
                class_=f"fill-{colours[state]}",
                fill_opacity=f"{opacity(sure[i]):.2f}",
            )
        )
    n_rows = -(-len(states) // PER_ROW)
    size = (LEFT + CELL * PER_ROW + 10, ROW * n_rows + 10)
    return drawing("Secondary structure", f"{len(states)} places.", *shapes, size=size, widest_px=1000)
