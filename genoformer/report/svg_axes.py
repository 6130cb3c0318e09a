"""Axes of pictures: round numbers on them, where values lie, and the frame with its labels."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from genoformer.report.markup import Markup, element, join

WIDTH, HEIGHT = 480, 280
"""Size of a picture, in units of its own; pages scale it."""
LEFT, RIGHT, TOP, BOTTOM = 66, 18, 12, 50
"""Room around the frame."""


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        low: Smallest value on it.
        high: Largest value on it.
        ticks: Values with a mark.
        label: What it measures, and in which unit.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    label: str


def round_ticks(low: float, high: float, *, n_about: int = 5) -> tuple[float, ...]:
    """Round numbers from at most ``low`` to at least ``high``, steps of 1, 2 or 5 times a power of ten.

    Args:
        low: Smallest value.
        high: Largest value; equal ones are given room.
        n_about: How many steps to aim at.

    Raises:
        ValueError: If a value is not finite, or ``high`` lies below ``low``.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"finite values in order expected, found {low} and {high}.")
    if low == high:
        low, high = (min(low, 0.0), max(high, 0.0)) if low else (0.0, 1.0)
    raw = (high - low) / n_about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(number * step, 12) for number in range(first, last + 1))


def round_axis(values: Sequence[float], label: str, *, from_zero: bool = False) -> Axis:
    """An axis over these values that begins and ends at round numbers; none at all give 0 to 1."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    ticks = round_ticks(low, high)
    return Axis(ticks[0], ticks[-1], ticks, label)


def tick_text(value: float) -> str:
    """A number as it stands beside an axis."""
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:g}M"
    if size >= 10_000:
        return f"{value / 1e3:g}k"
    if 0 < size < 1e-3:
        return f"{value:.0e}"
    return f"{value:g}"


def scale_x(axis: Axis) -> Callable[[float], float]:
    """From values to places, left to right."""
    return lambda value: LEFT + (value - axis.low) / (axis.high - axis.low) * (WIDTH - LEFT - RIGHT)


def scale_y(axis: Axis) -> Callable[[float], float]:
    """From values to places, bottom to top."""
    return lambda value: HEIGHT - BOTTOM - (value - axis.low) / (axis.high - axis.low) * (HEIGHT - TOP - BOTTOM)


def place(value: float) -> str:
    """A coordinate as SVG has it, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def text_at(x: float, y: float, text: str, *, anchor: str = "middle", class_: str | None = None) -> Markup:
    """Text at a place."""
    return element("text", text, x=place(x), y=place(y), text_anchor=anchor, class_=class_)


def line_between(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return element("line", x1=place(x1), y1=place(y1), x2=place(x2), y2=place(y2), class_=class_)


def y_axis(axis: Axis) -> Markup:
    """Marks, grid and label of the upright axis."""
    y = scale_y(axis)
    grid = (line_between(LEFT, y(tick), WIDTH - RIGHT, y(tick), "grid") for tick in axis.ticks)
    marks = (text_at(LEFT - 6, y(tick) + 4, tick_text(tick), anchor="end") for tick in axis.ticks)
    middle = (TOP + HEIGHT - BOTTOM) / 2
    label = element(
        "text", axis.label, transform=f"translate(15 {place(middle)}) rotate(-90)", text_anchor="middle", class_="label"
    )
    return join(*grid, *marks, label)


def x_axis(axis: Axis) -> Markup:
    """Marks and label of the level axis."""
    x, bottom = scale_x(axis), HEIGHT - BOTTOM
    lines = (line_between(x(tick), bottom, x(tick), bottom + 4, "axis") for tick in axis.ticks)
    marks = (text_at(x(tick), bottom + 19, tick_text(tick)) for tick in axis.ticks)
    return join(*lines, *marks, x_label(axis.label))


def x_label(label: str) -> Markup:
    """Label below the level axis."""
    return join(
        line_between(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis"),
        text_at((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, label, class_="label"),
    )


def drawing(
    title: str, about: str, *shapes: Markup, size: tuple[float, float] = (WIDTH, HEIGHT), above: float = 0,
    widest_px: float | None = None,
) -> Markup:  # fmt: skip
    """A picture: what it is called and what is seen, for those who do not see it, then its shapes.

    Args:
        title: What it is called.
        about: What is seen.
        shapes: Its content.
        size: Width and height.
        above: Room above the first row of it.
        widest_px: How wide a page may draw it; None for what suits pictures of numbers.
    """
    box = f"0 {place(-above)} {place(size[0])} {place(size[1] + above)}"
    words = (element("title", title), element("desc", about) if about else None)
    style = None if widest_px is None else f"max-width: {widest_px:.0f}px"
    return element("svg", *words, *shapes, viewBox=box, role="img", aria_label=title, class_="chart", style=style)
