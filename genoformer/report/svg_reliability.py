"""Pictures that compare what was said with what is right: reliability, points of numbers, a confusion matrix."""

from collections.abc import Mapping, Sequence

from genoformer.report.markup import Markup, element
from genoformer.report.svg_axes import (
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    drawing,
    line_between,
    place,
    round_axis,
    scale_x,
    scale_y,
    text_at,
    x_axis,
    y_axis,
)
from genoformer.report.svg_charts import N_COLOURS, legend

CELL_LETTERS = 9
POINT_RADIUS = 3.5


def reliability_chart(curves: Mapping[str, Sequence[Mapping[str, float]]], *, title: str) -> Markup:
    """How often what was said with a probability is right; on the diagonal probabilities mean what they say.

    Args:
        curves: Points of ``metrics.calibration.reliability`` by name.
        title: What is seen, in a few words.
    """
    along, up_axis = round_axis([0.0, 1.0], "probability"), round_axis([0.0, 1.0], "share that is right")
    right, up = scale_x(along), scale_y(up_axis)
    shapes = [y_axis(up_axis), line_between(right(0), up(0), right(1), up(1), "axis")]
    for number, (name, points) in enumerate(curves.items()):
        at = [(right(p["probability"]), up(p["outcome"])) for p in points]
        shapes.append(_line(name, at, number))
        for (x, y), point in zip(at, points, strict=True):
            said = f"{name}: said {point['probability']:.3f}, right {point['outcome']:.3f}, of {point['n']:,.0f}"
            shapes.append(_point(x, y, said, number))
    key, above = legend(list(curves)) if len(curves) > 1 else (Markup(), 0)
    about = "Points on the diagonal mean what they say."
    return drawing(title, about, *shapes, x_axis(along), key, above=above)


def numbers_chart(right: Sequence[float], said: Sequence[float], *, title: str) -> Markup:
    """Numbers that were said over those that are right.

    Args:
        right: As they are.
        said: In the same order.
        title: What is seen, in a few words.
    """
    along, up_axis = round_axis([*right, *said], "right"), round_axis([*right, *said], "said")
    x, y = scale_x(along), scale_y(up_axis)
    points = (_point(x(a), y(b), f"right {a:.4g}, said {b:.4g}", 0) for a, b in zip(right, said, strict=True))
    diagonal = line_between(x(along.low), y(along.low), x(along.high), y(along.high), "axis")
    return drawing(title, f"{len(right)} values.", y_axis(up_axis), diagonal, *points, x_axis(along))


def confusion_chart(names: Sequence[str], counts: Sequence[Sequence[int]], *, title: str) -> Markup:
    """Which class was said for which: a row for each that is right, a column for each that was said.

    Args:
        names: Of the classes.
        counts: By row and column; a cell is as dark as its share of its row.
        title: What is seen, in a few words.
    """
    n = len(names)
    left = LEFT + 6.5 * max(0, min(max(map(len, names)), CELL_LETTERS) - 4)
    size = min((WIDTH - left - RIGHT) / n, 44.0)
    shapes = []
    for i, row in enumerate(counts):
        total = max(1, sum(row))
        y = TOP + i * size
        shapes.append(text_at(left - 6, y + size / 2 + 4, _short(names[i]), anchor="end"))
        for j, count in enumerate(row):
            share = count / total
            mark = element("title", f"{names[i]} said to be {names[j]}: {count:,} of {sum(row):,}")
            shapes.append(
                element(
                    "rect", mark, x=place(left + j * size), y=place(y), width=place(size - 1), height=place(size - 1),
                    class_="fill-0", fill_opacity=f"{0.06 + 0.94 * share:.2f}",
                )
            )  # fmt: skip
            if n <= N_COLOURS:
                class_ = "label" if share < 0.6 else "on-fill"
                shapes.append(text_at(left + (j + 0.5) * size, y + size / 2 + 4, f"{share:.0%}", class_=class_))
    bottom = TOP + n * size
    for j, name in enumerate(names):
        x = left + (j + 0.5) * size
        where = f"translate({place(x + 4)} {place(bottom + 10)}) rotate(-40)"
        shapes.append(element("text", _short(name), transform=where, text_anchor="end"))
    about = "Rows are what is right, columns what was said; shares are of the row."
    return drawing(title, about, *shapes, size=(WIDTH, max(HEIGHT * 0.4, bottom + 14 + 5.2 * CELL_LETTERS)))


def _short(name: str) -> str:
    return name if len(name) <= CELL_LETTERS + 1 else name[:CELL_LETTERS] + "…"


def _line(name: str, at: Sequence[tuple[float, float]], number: int) -> Markup:
    where = " ".join(f"{place(x)},{place(y)}" for x, y in at)
    return element("polyline", element("title", name), points=where, class_=f"line stroke-{number % N_COLOURS}")


def _point(x: float, y: float, said: str, number: int) -> Markup:
    mark = element("title", said)
    return element("circle", mark, cx=place(x), cy=place(y), r=POINT_RADIUS, class_=f"fill-{number % N_COLOURS}")
