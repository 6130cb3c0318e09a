"""A page about predicted contacts: a table, and maps of the best pairs."""

from typing import Any

import numpy as np

from genoformer.applications.contacts.writers import n_listed
from genoformer.inference.chunks import Outputs
from genoformer.inference.record_reports import Figure, RecordReportWriter
from genoformer.inference.report_files import Finished
from genoformer.report.markup import Markup
from genoformer.report.page import figures
from genoformer.report.svg_charts import histogram
from genoformer.report.svg_pairs import Pair, draw_arcs, pair_map
from genoformer.sequence.records import Record


class ContactReportWriter(RecordReportWriter):
    """The page.

    Args:
        path: The final name.
    """

    subject = "contacts"
    headings = (("record", None), ("codons", 0), ("listed pairs", 0), ("best probability", 3), ("mean separation", 1))
    drawn_as = "Contacts"
    about_drawn = "Codons whose residues are predicted to touch: those listed in the files. What is strong is probable."
    longest_drawn = 1_500

    def __init__(self, path: Any) -> None:
        super().__init__(path)
        self._best: list[float] = []
        self._separations: list[int] = []

    def row(self, record: Record, found: Outputs) -> tuple:
        pairs = listed(record, found)
        separation = float(np.mean([j - i for i, j, _ in pairs])) if pairs else None
        return record.id, len(record) // 3, len(pairs), pairs[0][2] if pairs else None, separation

    def gather(self, record: Record, found: Outputs) -> None:
        pairs = listed(record, found)
        self._best += [sure for *_, sure in pairs]
        self._separations += [j - i for i, j, _ in pairs]

    def facts(self, finished: Finished) -> dict[str, Any]:
        return {"listed pairs": f"{finished.summary['n_listed']:,}"}

    def pictures(self) -> list[Figure]:
        if not self._best:
            return []
        sure = histogram(self._best, title="Probability", x="probability", y="pairs", n_bins=20, limits=(0, 1))
        apart = histogram(self._separations, title="Separation", x="codons between the two", y="pairs")
        captions = "Probabilities of the listed pairs.", "How far apart the codons of listed pairs lie."
        return list(zip((sure, apart), captions, strict=True))

    def draw(self, record: Record, found: Outputs) -> Markup | None:
        pairs, n = listed(record, found), len(record) // 3
        if not pairs:
            return None
        best = pairs[: max(n // 2, 1)]
        drawn = pair_map(n, pairs, pairs, title="Map of contacts", label="codon")
        arcs = draw_arcs("·" * n, best, [], title="Best contacts")
        return figures((drawn, "The map: the same on both sides."), (arcs, f"The best {len(best)} as arcs."))


def listed(record: Record, found: Outputs) -> list[Pair]:
    """The pairs that the files list, best first."""
    n = n_listed(record)
    pairs = zip(found["pairs"][:n].tolist(), found["probability"][:n].tolist(), strict=True)
    return [(i, j, sure) for (i, j), sure in pairs]
