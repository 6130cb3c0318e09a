"""A page about predicted base pairs: a table, and each RNA as it folds, as arcs and as a map."""

from typing import Any

import numpy as np

from genoformer.applications.rna_pairs.writers import letters, listed_pairs
from genoformer.inference.chunks import Outputs
from genoformer.inference.record_reports import Figure, RecordReportWriter
from genoformer.inference.report_files import Finished
from genoformer.report.markup import Markup, join
from genoformer.report.page import code_block, figures
from genoformer.report.svg_charts import bars, histogram
from genoformer.report.svg_pairs import draw_arcs, draw_fold, pair_map
from genoformer.sequence.records import Record
from genoformer.structures.dot_bracket import ALONE, pairs_of, write_dot_bracket

KINDS = {"CG": "G-C", "AU": "A-U", "GU": "G-U"}
"""Names of pairs by their letters in order."""


class PairReportWriter(RecordReportWriter):
    """The page.

    Args:
        path: The final name.
    """

    subject = "base pairs"
    headings = (("record", None), ("length (nt)", 0), ("pairs", 0), ("paired bases", 2), ("mean probability", 3))
    drawn_as = "Structures"
    about_drawn = (
        "Each RNA as it folds, as arcs (the structure above, other probable pairs below) and as a map (probabilities "
        "above the diagonal, the structure below it). What is strong is probable; dashed pairs cross others."
    )

    def __init__(self, path: Any) -> None:
        super().__init__(path)
        self._probabilities: list[float] = []
        self._kinds = dict.fromkeys([*KINDS.values(), "other"], 0)

    def row(self, record: Record, found: Outputs) -> tuple:
        sure = [sure for *_, sure, chosen in listed_pairs(found) if chosen]
        mean = float(np.mean(sure)) if sure else None
        return record.id, len(record), len(sure), 2 * len(sure) / max(len(record), 1), mean

    def gather(self, record: Record, found: Outputs) -> None:
        bases = letters(record)
        for i, j, sure, chosen in listed_pairs(found):
            if chosen:
                self._probabilities.append(sure)
                self._kinds[KINDS.get("".join(sorted(bases[i] + bases[j])), "other")] += 1

    def facts(self, finished: Finished) -> dict[str, Any]:
        return {"pairs": f"{finished.summary['n_pairs']:,}"}

    def pictures(self) -> list[Figure]:
        if not self._probabilities:
            return []
        sure = histogram(self._probabilities, title="Probability", x="probability", y="pairs", n_bins=20, limits=(0, 1))
        shares = [2 * row[2] / max(row[1], 1) for row in self._rows]
        paired = histogram(shares, title="Paired bases", x="share of bases", y="records", n_bins=20, limits=(0, 1))
        kinds = bars(self._kinds, title="Kinds of pairs", x="bases", y="pairs")
        captions = "Probabilities of the pairs of structures.", "Share of each RNA that is paired.", "Bases that pair."
        return list(zip((sure, paired, kinds), captions, strict=True))

    def draw(self, record: Record, found: Outputs) -> Markup:
        bases, partners = letters(record), found["partners"]
        text, rows = write_dot_bracket(partners), list(listed_pairs(found))
        chosen = [(i, j, sure) for i, j, sure, is_chosen in rows if is_chosen]
        others = [(i, j, sure) for i, j, sure, is_chosen in rows if not is_chosen]
        nested = np.array([p if letter in "()" else ALONE for p, letter in zip(partners, text, strict=True)], np.int64)
        crossing = [(int(i), int(j)) for i, j in pairs_of(partners) if nested[i] == ALONE]
        shown = figures(
            (draw_fold(bases, nested, surety(len(record), rows, partners), crossing), "The fold."),
            (pair_map(len(record), [*chosen, *others], chosen, title="Map of pairs", label="base"), "The map."),
        )
        return join(shown, draw_arcs(bases, chosen, others), code_block(f"{bases}\n{text}"))


def surety(length: int, rows: list[tuple[int, int, float, bool]], partners: np.ndarray) -> list[float]:
    """How probable what the structure says of each base is: its pair, or that it has none."""
    paired, said = np.zeros(length), np.zeros(length)
    for i, j, sure, chosen in rows:
        paired[[i, j]] += sure
        if chosen:
            said[[i, j]] = sure
    return np.where(partners == ALONE, 1 - np.minimum(paired, 1), said).tolist()
