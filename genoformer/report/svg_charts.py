"""Pictures of numbers as SVG inside a page: bars, histograms and lines, in the colours of the page."""

from collections.abc import Mapping, Sequence

import numpy as np

from genoformer.report.markup import Markup, element, join
from genoformer.report.svg_axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Axis,
    drawing,
    line_between,
    place,
    round_axis,
    round_ticks,
    scale_x,
    scale_y,
    text_at,
    tick_text,
    x_axis,
    x_label,
    y_axis,
)

N_COLOURS = 8
"""Colours of the page for things that are told apart; further ones begin again."""
LETTER, ROW = 7.6, 20
"""Width of a letter and height of a row of a key."""
NAMES_WIDTH, NAME_LETTERS, ROW_OF_BAR = 210, 26, 24
"""Room for names beside level bars."""
MAX_LABELS = 12
"""Labels below bars that do not run into each other."""

Series = tuple[Sequence[float], Sequence[float]]
"""Places along and up, in order."""


def bars(values: Mapping[str, float], *, title: str, x: str, y: str, about: str = "") -> Markup:
    """One bar for each name.

    Args:
        values: Height of each.
        title: What is seen, in a few words.
        x: What the names are.
        y: What the heights are, and in which unit.
        about: A sentence more, for those who do not see it.
    """
    axis = round_axis(list(values.values()), y, from_zero=True)
    up, width = scale_y(axis), (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    shapes = [y_axis(axis)]
    every = -(-len(values) // MAX_LABELS) or 1
    for i, (name, value) in enumerate(values.items()):
        left = LEFT + i * width
        shapes.append(_bar(left + width * 0.12, width * 0.76, up(value), up(0), f"{name}: {tick_text(value)}"))
        if i % every == 0:
            shapes.append(text_at(left + width / 2, HEIGHT - BOTTOM + 19, name))
    return drawing(title, about or _listed(values), *shapes, x_label(x))


def named_bars(values: Mapping[str, float], *, title: str, x: str, about: str = "") -> Markup:
    """One level bar for each name, for names that are long.

    Args:
        values: Length of each, none negative.
        title: What is seen, in a few words.
        x: What the lengths are, and in which unit.
        about: A sentence more, for those who do not see it.
    """
    axis = round_axis(list(values.values()), x, from_zero=True)
    height = ROW_OF_BAR * len(values)
    room = WIDTH - NAMES_WIDTH - RIGHT
    shapes = []
    for tick in axis.ticks:
        at = NAMES_WIDTH + room * tick / axis.high
        shapes += [line_between(at, 0, at, height, "grid"), text_at(at, height + 18, tick_text(tick))]
    for i, (name, value) in enumerate(values.items()):
        y, label = ROW_OF_BAR * i, element("title", f"{name}: {tick_text(value)}")
        short = name if len(name) <= NAME_LETTERS else f"{name[: NAME_LETTERS - 1]}…"
        shapes.append(text_at(NAMES_WIDTH - 8, y + 16, short, anchor="end", class_="label"))
        long = place(max(room * value / axis.high, 0.5))
        shapes.append(element("rect", label, x=NAMES_WIDTH, y=y + 3, width=long, height=ROW_OF_BAR - 6, class_="bar"))
    shapes.append(text_at(NAMES_WIDTH + room / 2, height + 40, x, class_="label"))
    return drawing(title, about or _listed(values), *shapes, size=(WIDTH, height + 50))


def histogram(
    values: Sequence[float] | np.ndarray, *, title: str, x: str, y: str = "number", n_bins: int = 30,
    limits: tuple[float, float] | None = None, about: str = "",
) -> Markup:  # fmt: skip
    """How often values lie where.

    Args:
        values: The values, shape [N], finite.
        title: What is seen, in a few words.
        x: What they are, and in which unit.
        y: What is counted.
        n_bins: Bars between the ends of the axis.
        limits: Ends of the axis, round numbers around the values if not given; what lies beyond counts in the first or
            last bar.
        about: A sentence more, for those who do not see it.
    """
    data = np.asarray(values, dtype=np.float64)
    low, high = limits or ((float(data.min()), float(data.max())) if len(data) else (0.0, 1.0))
    ticks = round_ticks(low, high)
    counts, edges = np.histogram(np.clip(data, ticks[0], ticks[-1]), bins=n_bins, range=(ticks[0], ticks[-1]))
    along, up_axis = Axis(ticks[0], ticks[-1], ticks, x), round_axis([int(n) for n in counts], y, from_zero=True)
    right, up = scale_x(along), scale_y(up_axis)
    drawn = (
        _bar(right(a) + 0.4, right(b) - right(a) - 0.8, up(n), up(0), f"{tick_text(a)} to {tick_text(b)}: {n}")
        for n, a, b in zip(counts, edges, edges[1:], strict=False)
    )
    middle = f", median {tick_text(float(np.median(data)))}" if len(data) else ""
    return drawing(title, about or f"{len(data)} values{middle}.", y_axis(up_axis), *drawn, x_axis(along))


def lines(
    series: Mapping[str, Series], *, title: str, x: str, y: str, y_limits: tuple[float, float] | None = None,
    about: str = "",
) -> Markup:  # fmt: skip
    """A line for each name; a value that is not finite breaks it.

    Args:
        series: Places along and up by name.
        title: What is seen, in a few words.
        x: What lies along, and in which unit.
        y: What lies up, and in which unit.
        y_limits: Ends of the upright axis, round numbers around the values if not given.
        about: A sentence more, for those who do not see it.

    Raises:
        ValueError: If a line has more places along than up, or the other way round.
    """
    along = round_axis([float(v) for xs, _ in series.values() for v in xs if np.isfinite(v)], x)
    heights = y_limits or [float(v) for _, ys in series.values() for v in ys if np.isfinite(v)]
    up_axis = round_axis(heights, y)
    right, up = scale_x(along), scale_y(up_axis)
    drawn = []
    for i, (name, (xs, ys)) in enumerate(series.items()):
        for points in _unbroken(xs, ys):
            where = " ".join(f"{place(right(a))},{place(up(b))}" for a, b in points)
            mark = element("title", name)
            drawn.append(element("polyline", mark, points=where, class_=f"line stroke-{i % N_COLOURS}"))
    key, above = legend(list(series)) if len(series) > 1 else (Markup(), 0)
    return drawing(
        title, about or _listed_lines(series), y_axis(up_axis), *drawn, x_axis(along), key, above=above
    )  # fmt: skip


def legend(names: Sequence[str]) -> tuple[Markup, int]:
    """Names beside their colours above a picture, in a row, or in several where they are long; and their height."""
    places, left, row = [], float(LEFT), 0
    for name in names:
        width = 28 + LETTER * len(name)
        if left + width > WIDTH - RIGHT and left > LEFT:
            left, row = float(LEFT), row + 1
        places.append((left, row))
        left += width
    shapes, above = [], ROW * (row + 1)
    for i, (name, (x, line)) in enumerate(zip(names, places, strict=True)):
        y = ROW * line - above + 14
        shapes.append(element("rect", x=place(x), y=place(y - 10), width=11, height=11, class_=f"fill-{i % N_COLOURS}"))
        shapes.append(text_at(x + 16, y, name, anchor="start", class_="key"))
    return join(*shapes), above


def _bar(left: float, width: float, top: float, bottom: float, label: str) -> Markup:
    y, height = min(top, bottom), abs(bottom - top)
    mark = element("title", label)
    return element(
        "rect", mark, x=place(left), y=place(y), width=place(max(width, 0.5)), height=place(height), class_="bar"
    )


def _unbroken(xs: Sequence[float], ys: Sequence[float]) -> list[list[tuple[float, float]]]:
    pieces: list[list[tuple[float, float]]] = [[]]
    for a, b in zip(xs, ys, strict=True):
        if np.isfinite(a) and np.isfinite(b):
            pieces[-1].append((float(a), float(b)))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _listed(values: Mapping[str, float]) -> str:
    return "; ".join(f"{name} {tick_text(value)}" for name, value in list(values.items())[:MAX_LABELS])


def _listed_lines(series: Mapping[str, Series]) -> str:
    ends = (f"{name} ends at {tick_text(float(ys[-1]))}" for name, (_, ys) in series.items() if len(ys))
    return "; ".join(ends)
