"""Rows of a record: the whole of it, its windows, or its bases; and means over what is known in each."""

from dataclasses import dataclass

import numpy as np

KINDS = ("record", "window", "base")


@dataclass(frozen=True)
class Windows:
    """How a record is divided into rows, in order; 0-based, half-open.

    Windows begin at every multiple of ``step_bp`` until one reaches the end of the record, where it is cut short.

    Attributes:
        per: "record", "window" or "base".
        window_bp: Length of a window.
        step_bp: From the start of one to the start of the next; at most ``window_bp``, so that no base is left out.
    """

    per: str = "record"
    window_bp: int = 1
    step_bp: int = 1

    def n_rows(self, length: int) -> int:
        """Rows of a record of so many bases; a record has one row even where it has no base."""
        if self.per == "record":
            return 1
        if self.per == "base" or not length:
            return length
        return max(0, -(-(length - self.window_bp) // self.step_bp)) + 1

    def bounds(self, length: int, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Starts and ends of the rows [first, last), int64."""
        step, width = {"record": (length, length), "base": (1, 1)}.get(self.per, (self.step_bp, self.window_bp))
        starts = np.arange(first, last, dtype=np.int64) * step
        return starts, np.minimum(starts + width, length)


class Means:
    """Means over rows, of values per base that come piece by piece; unknown bases do not count.

    Args:
        starts: Of the rows, ascending, int64 [n].
        ends: Likewise.
        known: Bases that count, bool [L].
        width: Values per base, D.
    """

    def __init__(self, starts: np.ndarray, ends: np.ndarray, known: np.ndarray, width: int) -> None:
        self._starts, self._ends, self._known = starts, ends, known
        self._sums = np.zeros((len(starts), width))
        self._first = int(starts[0]) if len(starts) else 0
        counts = np.concatenate([[0], np.cumsum(known[self._first : int(ends[-1]) if len(ends) else 0])])
        self.known_bp: np.ndarray = counts[ends - self._first] - counts[starts - self._first]

    def add(self, start: int, values: np.ndarray, weight: float = 1.0) -> None:
        """Count a piece.

        Args:
            start: Its first base.
            values: float32 [n, D].
            weight: Of its values; those of one base are to add up to 1.
        """
        end = start + len(values)
        low, high = np.searchsorted(self._ends, start, "right"), np.searchsorted(self._starts, end, "left")
        if low >= high:
            return
        # Sums up to each base, in double precision: windows overlap, and each is the difference of two.
        sums = np.zeros((len(values) + 1, values.shape[1]))
        np.cumsum(np.where(self._known[start:end, None], values, 0), axis=0, dtype=np.float64, out=sums[1:])
        begins, stops = (np.clip(edges[low:high], start, end) - start for edges in (self._starts, self._ends))
        self._sums[low:high] += weight * (sums[stops] - sums[begins])

    def values(self) -> np.ndarray:
        """The means, float64 [n, D]; zero where no base is known."""
        return self._sums / np.maximum(self.known_bp, 1)[:, None]
