"""What rows beside the CDS say of a transcript: exons, untranslated regions, start and stop codons, selenocysteines."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from genoformer.annotation.locations import Parts, join_touching, merge_spans
from genoformer.annotation.models import Span

ROW_KINDS = {
    "exon": "exons", "start_codon": "starts", "stop_codon": "stops",
    "utr": "untranslated", "five_prime_utr": "untranslated", "three_prime_utr": "untranslated",
    "5utr": "untranslated", "3utr": "untranslated", "5'-utr": "untranslated", "3'-utr": "untranslated",
    "5'utr": "untranslated", "3'utr": "untranslated", "5_prime_utr": "untranslated", "3_prime_utr": "untranslated",
    "five_prime_untranslated_region": "untranslated", "three_prime_untranslated_region": "untranslated",
    "utr5": "untranslated", "utr3": "untranslated", "utr_5": "untranslated", "utr_3": "untranslated",
    "selenocysteine": "selenocysteines", "stop_codon_redefined_as_selenocysteine": "selenocysteines",
}  # fmt: skip
"""Field of ``TranscriptRows`` by the type in column 3, in lower case: GTF 2.2 writes 5UTR, Ensembl five_prime_utr,
GENCODE UTR, Augustus 5'-UTR, and the Sequence Ontology five_prime_UTR."""


class Placed(Protocol):
    """A row, or what is known of one."""

    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(slots=True)
class TranscriptRows:
    """Places of the rows of one transcript, by what they are; each a (start, end), 0-based, half-open."""

    exons: list[Span] = field(default_factory=list)
    untranslated: list[Span] = field(default_factory=list)
    starts: list[Span] = field(default_factory=list)
    stops: list[Span] = field(default_factory=list)
    selenocysteines: list[Span] = field(default_factory=list)

    def add(self, row: Placed) -> None:
        """Note a row whose type is in ``ROW_KINDS``."""
        getattr(self, ROW_KINDS[row.kind.lower()]).append((row.start, row.end))

    def exons_around(self, parts: Parts) -> list[Span]:
        """Exons of the transcript: its exon rows, and where it has rows of untranslated regions these and the CDS, too.

        Some programs write exon rows as short as the CDS, or none, beside rows of untranslated regions. Three bases
        between such a region and the CDS are the stop codon, which some count to neither.
        """
        if not self.untranslated:
            return list(merge_spans(self.exons))
        low, high = parts[0][0], parts[-1][1]
        left_out = [(end, low) for _, end in self.untranslated if low - end == 3]
        left_out += [(high, start) for start, _ in self.untranslated if start - high == 3]
        return list(merge_spans([*self.exons, *parts, *left_out, *self.untranslated]))

    def with_stop_codon(self, parts: Parts) -> Parts:
        """Coding parts that hold the bases of the stop codon rows, whether they did before or not."""
        added = [piece for span in self.stops for piece in _outside(span, parts)]
        return join_touching([*parts, *added]) if added else parts

    def exceptions(self) -> tuple[tuple[int, int, str], ...]:
        """Codons that mean selenocysteine, as ``Gene.transl_except``; one that an intron splits is one codon."""
        codons: list[list[Span]] = []
        for start, end in sorted(set(self.selenocysteines)):
            if codons and sum(high - low for low, high in codons[-1]) < 3:
                codons[-1].append((start, end))
            else:
                codons.append([(start, end)])
        return tuple((codon[0][0], codon[-1][1], "Sec") for codon in codons)


def _outside(span: Span, parts: Parts) -> list[Span]:
    """The pieces of a span that no part covers."""
    edges = [(span[0], span[0]), *((start, end) for start, end in parts if end > span[0] and start < span[1])]
    pieces = [(low, high) for (_, low), (high, _) in pairwise([*edges, (span[1], span[1])])]
    return [(low, high) for low, high in pieces if low < high]


def fitting_exons(parts: Parts, transcripts: list[list[Span]]) -> Parts:
    """The longest set of exons that the coding parts fit into; () when none says more than the CDS itself.

    Parts fit when each lies in one exon and every end of a part but the outermost is the end of an exon, too.

    Args:
        parts: Coding parts, ascending.
        transcripts: (start, end) of the exons of each transcript, in any order.
    """
    fitting = [tuple(sorted(exons)) for exons in transcripts if _fits(parts, sorted(exons))]
    longest = max(fitting, key=lambda exons: sum(end - start for start, end in exons), default=())
    reaches_beyond = longest and (longest[0][0] < parts[0][0] or longest[-1][1] > parts[-1][1])
    return longest if reaches_beyond else ()


def _fits(parts: Parts, exons: list[Span]) -> bool:
    inside = [(max(start, parts[0][0]), min(end, parts[-1][1])) for start, end in exons]
    apart = all(exon[1] <= following[0] for exon, following in pairwise(exons))
    return apart and tuple(span for span in inside if span[0] < span[1]) == parts
