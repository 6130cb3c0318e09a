"""A page about predicted secondary structure: a table, shares of states, and a strip for each sequence."""

from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from genoformer.inference.chunks import Outputs
from genoformer.inference.record_reports import Figure, RecordReportWriter, key_line
from genoformer.inference.report_files import Finished
from genoformer.report.markup import Markup, join
from genoformer.report.page import code_block
from genoformer.report.svg_charts import bars, histogram
from genoformer.report.svg_strips import draw_strip
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record

NAMES = {
    "H": "helix", "E": "strand", "C": "coil", "G": "3-10 helix", "I": "π helix", "B": "bridge", "T": "turn",
    "S": "bend",
}  # fmt: skip
"""Of the states of DSSP."""
COLOURS = {"H": 0, "E": 1, "C": 7, "G": 2, "I": 4, "B": 3, "T": 5, "S": 6}
PER_LINE = 60


class StateReportWriter(RecordReportWriter):
    """The page.

    Args:
        path: The final name.
        channels: Letters of the states.
    """

    subject = "secondary structure"
    drawn_as = "Structures"
    about_drawn = "Codons in order, sixty to a row; what is strong is probable. Point at a codon to see what it is."
    longest_drawn = 6_000

    def __init__(self, path: Path, channels: tuple[str, ...]) -> None:
        super().__init__(path)
        self._channels = channels
        self.headings = (
            ("record", None), ("codons", 0), *((f"{NAMES.get(c, c)}", 3) for c in channels), ("mean probability", 3),
        )  # fmt: skip
        self._counts: Counter[str] = Counter()
        self._probabilities: list[float] = []
        self._runs: list[int] = []

    def _said(self, found: Outputs) -> tuple[str, list[float]]:
        """State of each codon, and its probability."""
        best = found["probabilities"].argmax(axis=1)
        return "".join(self._channels[i] for i in best), found["probabilities"].max(axis=1).tolist()

    def row(self, record: Record, found: Outputs) -> tuple:
        states, sure = self._said(found)
        n = max(len(states), 1)
        return record.id, len(states), *(states.count(c) / n for c in self._channels), sum(sure) / n

    def gather(self, record: Record, found: Outputs) -> None:
        states, sure = self._said(found)
        self._counts.update(states)
        self._probabilities += sure
        self._runs += [len(list(run)) for state, run in groupby(states) if state == "H"]

    def facts(self, finished: Finished) -> dict[str, Any]:
        return {"codons": f"{finished.summary['n_codons']:,}"}

    def pictures(self) -> list[Figure]:
        if not self._probabilities:
            return []
        total = self._counts.total()
        shares = {NAMES.get(state, state): self._counts[state] / total for state in self._channels}
        found = [(bars(shares, title="States", x="state", y="share of codons"), "Shares of the states.")]
        sure = histogram(
            self._probabilities, title="Probability", x="probability", y="codons", n_bins=20, limits=(0, 1)
        )
        found.append((sure, "Probability of the state that each codon is said to have."))
        if self._runs:
            runs = histogram(self._runs, title="Helix lengths", x="codons", y="helices")
            found.append((runs, "Lengths of helices."))
        return found

    def draw(self, record: Record, found: Outputs) -> Markup | None:
        states, sure = self._said(found)
        if not states:
            return None
        bases = decode_bases(record.codes)
        codons = [bases[3 * i : 3 * i + 3] for i in range(len(states))]
        key = key_line({NAMES.get(state, state): COLOURS.get(state, 7) for state in self._channels})
        lines = "\n".join(states[i : i + PER_LINE] for i in range(0, len(states), PER_LINE))
        strip = draw_strip(states, sure, {state: COLOURS.get(state, 7) for state in self._channels}, codons)
        return join(key, strip, code_block(lines))
