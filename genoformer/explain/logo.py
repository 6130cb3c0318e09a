"""Explanations as sequence logos: the letters of the sequence, as high as they are important. Our own drawing.

It is loaded by name: the format is refused before any work where matplotlib is not installed.
"""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from genoformer.errors import WarningLog
from genoformer.explain.kept import Kept, per_base
from genoformer.explain.request import GLOBALS, GRADIENTS, MUTAGENESIS
from genoformer.files import atomic_path
from genoformer.report.pyplot import load_pyplot
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record

LETTERS_IN_A_LINE, MOST_LETTERS, MOST_PICTURES = 100, 600, 20
COLORS = {"A": "#1a9850", "C": "#2b6cb0", "G": "#e08a00", "T": "#c8323c"}
"""Of letters; all others are grey."""
TITLES = {MUTAGENESIS: "mutagenesis", GRADIENTS: "integrated gradients", GLOBALS: "attention"}
FONT = FontProperties(family="DejaVu Sans", weight="bold")
"""Comes with matplotlib."""
GAP = 0.04
"""Between letters, as a share of their width."""


class LogoWriter:
    """A picture for each of the first records; a context manager with the names of its files.

    Of long stretches the most important part is drawn.

    Args:
        path: Of the first picture; its folder gets the others.
        target: What is explained, for titles.
    """

    def __init__(self, path: Path, target: str = "") -> None:
        self._folder, self._target = path.parent, target
        self._n_records = 0
        self.names: list[str] = []
        self.left_out = WarningLog()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return None

    def add(self, record: Record, found: Kept, **about: object) -> None:
        """Draw one record."""
        self._n_records += 1
        if self._n_records > MOST_PICTURES:
            message = f'"{record.id}" has no picture: the first {MOST_PICTURES} records have one.'
            self.left_out.add("EXPLAIN-102", message)
            return
        name = f"logo-{self._n_records:04d}.png"
        tracks, start = per_base(found), int(found["start"])
        first, last = strongest_part(next(iter(tracks.values())))
        n_bases = len(next(iter(tracks.values())))
        if last - first < n_bases:
            message = f'{name} shows {last - first} of the {n_bases} bp of "{record.id}", where most happens.'
            self.left_out.add("EXPLAIN-103", message)
        bases = decode_bases(record.codes[start + first : start + last])
        shown = {TITLES[method]: values[first:last] for method, values in tracks.items()}
        title = f"{record.id} {start + first + 1:,}-{start + last:,}{self._target and f': {self._target}'}"
        write_logo(self._folder / name, bases, shown, first=start + first, title=title)
        self.names.append(name)


def strongest_part(values: np.ndarray) -> tuple[int, int]:
    """The part of at most ``MOST_LETTERS`` bases that holds most, whatever its sign; [first, last)."""
    if len(values) <= MOST_LETTERS:
        return 0, len(values)
    sums = np.concatenate([[0.0], np.cumsum(np.abs(values), dtype=np.float64)])
    first = int(np.argmax(sums[MOST_LETTERS:] - sums[:-MOST_LETTERS]))
    return first, first + MOST_LETTERS


def write_logo(path: Path, bases: str, tracks: dict[str, np.ndarray], *, first: int, title: str) -> None:
    """Draw letters as high as their numbers, below the line where these are negative, as PNG.

    Args:
        path: File to write.
        bases: Letters.
        tracks: Numbers by the name of what they are, [n] each; drawn one below the other.
        first: Position of the first letter, 0-based; the picture counts from 1.
        title: Of the picture.

    Raises:
        OutputWriteError: If the file cannot be written.
    """
    pyplot = load_pyplot()
    lines = range(0, len(bases), LETTERS_IN_A_LINE)
    width = min(len(bases), LETTERS_IN_A_LINE)
    figure, axes = pyplot.subplots(
        len(lines) * len(tracks), 1, squeeze=False, layout="constrained",
        figsize=(1.2 + 0.13 * max(width, 30), 0.5 + 1.35 * len(lines) * len(tracks)),
    )  # fmt: skip
    places = [(line, name) for line in lines for name in tracks]
    for axis, (line, name) in zip(axes[:, 0], places, strict=True):
        letters, values = bases[line : line + LETTERS_IN_A_LINE], tracks[name][line : line + LETTERS_IN_A_LINE]
        _draw_line(axis, letters, values, first + line, width)
        if name == places[0][1]:
            _write_letters(axis, letters, first + line)
        axis.set_ylim(*_limits(tracks[name]))
        axis.set_ylabel(name, fontsize=8)
    axes[0, 0].set_title(title.replace("$", r"\$"), fontsize=10, loc="left", pad=14)
    try:
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png", dpi=130, metadata={"Software": None})
    finally:
        pyplot.close(figure)


def _draw_line(axis: Any, letters: str, values: np.ndarray, first: int, width: int) -> None:
    """Letters side by side; the one at position p stands from p - .5 to p + .5, counted from 1."""
    for letter in sorted(set(letters)):
        outlines = [
            _stretched(letter, first + i + 0.5, float(value))
            for i, (found, value) in enumerate(zip(letters, values, strict=True))
            if found == letter and value
        ]
        axis.add_collection(PathCollection(outlines, facecolors=COLORS.get(letter, "0.6"), linewidths=0))
    axis.axhline(0, color="0.3", linewidth=0.6)
    axis.set_xlim(first + 0.5, first + width + 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    axis.tick_params(labelsize=7)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _write_letters(axis: Any, letters: str, first: int) -> None:
    """All letters above the line: those of little importance cannot be read in it."""
    for i, letter in enumerate(letters):
        axis.text(
            first + i + 1, 1.02, letter, transform=axis.get_xaxis_transform(), ha="center", va="bottom",
            fontsize=6.5, color=COLORS.get(letter, "0.6"), family="DejaVu Sans Mono",
        )  # fmt: skip


def _stretched(letter: str, left: float, height: float) -> Outline:
    """The outline of a letter, upright, that fills a box of width 1 between 0 and its height."""
    outline = TextPath((0, 0), letter, size=1, prop=FONT)
    box = outline.get_extents()
    x = (outline.vertices[:, 0] - box.x0) / box.width * (1 - 2 * GAP) + left + GAP
    y = (outline.vertices[:, 1] - box.y0) / box.height * abs(height) + min(height, 0.0)
    return Outline(np.stack((x, y), axis=1), outline.codes)


def _limits(values: np.ndarray) -> tuple[float, float]:
    """From the lowest to the highest, with a little room; never empty."""
    low, high = min(float(values.min(initial=0)), 0.0), max(float(values.max(initial=0)), 0.0)
    room = 0.05 * (high - low) or 1.0
    return low - room * (low < 0), high + room
