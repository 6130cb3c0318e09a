"""Rows and features of annotations that mean a gene of rRNA or tRNA, and the genes that they make.

Files name them by the type of a row (Sequence Ontology and older words), by a biotype beside a general type, as Ensembl
and GENCODE do, or by both: a gene row with a biotype and its transcript are one gene.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from itertools import accumulate
from typing import Protocol

from genoformer.annotation.models import RRNA_KIND, TRNA_KIND, RnaGene, Span
from genoformer.annotation.transcript_rows import Placed

GENERAL_KINDS = ("gene", "ncrna_gene", "pseudogene", "transcript", "ncrna", "pseudogenic_transcript")
"""Types that say no more than that there is a gene or its RNA, in lower case; a biotype says which."""
BIOTYPES = ("gene_biotype", "biotype", "gene_type", "transcript_biotype", "transcript_type")
"""Attributes for it: of NCBI and Ensembl, of Ensembl in GFF3, and of GENCODE."""
LONGEST_RNA_GENE_BP = 20_000
"""More than an operon of rRNA in plants or animals (about 13 kb) and ten times what tRNA genes of plastids have with
their introns; places further apart are spliced from several transcripts."""
LONGEST_TRNA_BP = 120
"""More than any tRNA has without introns: rows of one id with more bases are copies."""

_KIND = re.compile(r"(?:.*_)?(?P<what>[rt])rna(?:_gene|_pseudogene|_\d[\d._]*s)?$|(?P<unit>small|large)_subunit_rrna$")
"""tRNA, rRNA, tRNA_gene, rRNA_16S, cytosolic_5S_rRNA, alanyl_tRNA, Mt_tRNA, pseudogenic_tRNA, tRNA_pseudogene; not
tmRNA, snRNA nor precursors such as rRNA_primary_transcript."""


class RnaRow(Placed, Protocol):
    """What is needed of a row with attributes."""

    @property
    def contig(self) -> str: ...
    @property
    def strand(self) -> str: ...
    @property
    def raw(self) -> dict[str, str]: ...
    def value(self, name: str) -> str: ...
    def is_true(self, name: str) -> bool: ...


@cache
def rna_kind(word: str) -> tuple[str, bool] | None:
    """Which RNA a type or biotype means, and whether it calls it a pseudogene; None for everything else."""
    match = _KIND.match(word.lower())
    if match is None:
        return None
    return TRNA_KIND if match["what"] == "t" else RRNA_KIND, "pseudo" in word.lower()


class RnaRows:
    """Collects the rows of a GFF3 or GTF file that mean genes of rRNA and tRNA. Rows without a strand are left out.

    Args:
        id_names: Attributes that name a gene, the first that is there counts.
    """

    def __init__(self, id_names: tuple[str, ...] = ("ID",)) -> None:
        self.id_names = id_names
        self.typed: list[RnaGene] = []
        self.general: list[RnaGene] = []

    def add(self, row: RnaRow) -> None:
        """Note a row, if it is one of these."""
        found, rows = rna_kind(row.kind), self.typed
        if found is None and row.kind.lower() in GENERAL_KINDS:
            found, rows = rna_kind(_biotype(row)), self.general
        if found is None or row.strand not in ("+", "-"):
            return
        kind, is_pseudo = found
        is_pseudo = is_pseudo or "pseudogen" in row.kind.lower() or row.is_true("pseudo")
        names = (row.value(name) for name in self.id_names)
        gene_id, locus_tag, product = next(filter(None, names), ""), row.value("locus_tag"), row.value("product")
        rows.append(
            RnaGene(row.contig, row.start, row.end, row.strand, kind, gene_id, locus_tag, product, pseudo=is_pseudo)
        )

    def genes(self) -> list[RnaGene]:
        """The genes: rows of a type for it, and rows of a biotype where there are none; contigs as first met."""
        typed = _joined_ids(self.typed)
        taken = _Taken(typed)
        rest = _joined_overlaps(gene for gene in self.general if not taken.overlaps(gene))
        return order_rna_genes([*typed, *rest])


def mentions_rna(kind: str, line: str) -> bool:
    """Whether ``RnaRows`` may have a use for a line of this type, told without reading its attributes."""
    return rna_kind(kind) is not None or (kind.lower() in GENERAL_KINDS and "rna" in line.lower())


def _biotype(row: RnaRow) -> str:
    return next((row.value(name) for name in BIOTYPES if name in row.raw), "")


def spliced_genes(gene: RnaGene, spans: Iterable[Span]) -> list[RnaGene]:
    """A gene over all of its parts; where these lie too far apart for one transcript, each part as a pseudogene.

    Args:
        gene: What is said of it; its place counts for nothing.
        spans: (start, end) of its parts.
    """
    ordered = sorted(spans)
    start, end = ordered[0][0], max(high for _, high in ordered)
    if end - start <= LONGEST_RNA_GENE_BP or len(ordered) == 1:
        return [replace(gene, start=start, end=end)]
    return [replace(gene, start=low, end=high, pseudo=True) for low, high in ordered]


def order_rna_genes(genes: Iterable[RnaGene]) -> list[RnaGene]:
    """Each place once; contigs as first met, by start in each."""
    by_contig: dict[str, dict[tuple, RnaGene]] = defaultdict(dict)
    for gene in genes:
        by_contig[gene.contig].setdefault((gene.start, gene.end, gene.strand, gene.kind), gene)
    return [gene for places in by_contig.values() for _, gene in sorted(places.items())]


def group_rna_genes(genes: Iterable[RnaGene]) -> Mapping[str, list[RnaGene]]:
    """The genes of each contig that has any."""
    grouped: dict[str, list[RnaGene]] = defaultdict(list)
    for gene in genes:
        grouped[gene.contig].append(gene)
    return grouped


def _joined_ids(genes: Iterable[RnaGene]) -> list[RnaGene]:
    """Rows of one id as one gene, as GFF3 writes a feature with parts; copies of a tRNA that have its id stay."""
    parts: dict[tuple, list[RnaGene]] = defaultdict(list)
    for number, gene in enumerate(genes):
        parts[gene.contig, gene.strand, gene.kind, gene.id or number].append(gene)
    joined: list[RnaGene] = []
    for found in parts.values():
        spans = {(gene.start, gene.end) for gene in found}
        n_bases = sum(end - start for start, end in spans)
        are_copies = len(spans) == 1 or (found[0].kind == TRNA_KIND and n_bases > LONGEST_TRNA_BP)
        joined += found if are_copies else spliced_genes(found[0], spans)
    return joined


def _joined_overlaps(genes: Iterable[RnaGene]) -> list[RnaGene]:
    """Rows of one kind that lie over each other as one gene: a gene and its transcripts."""
    joined: list[RnaGene] = []
    for gene in sorted(genes, key=lambda gene: (gene.contig, gene.strand, gene.kind, gene.start, -gene.end)):
        last = joined[-1] if joined else None
        if last and _place(last) == _place(gene) and gene.start < last.end:
            joined[-1] = replace(last, end=max(last.end, gene.end), product=last.product or gene.product)
        else:
            joined.append(gene)
    return joined


def _place(gene: RnaGene) -> tuple[str, str, str]:
    return gene.contig, gene.strand, gene.kind


class _Taken:
    """Where genes lie, by contig and strand."""

    def __init__(self, genes: Iterable[RnaGene]) -> None:
        spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
        for gene in genes:
            spans[gene.contig, gene.strand].append((gene.start, gene.end))
        self.starts = {key: [start for start, _ in sorted(found)] for key, found in spans.items()}
        self.reach = {key: list(accumulate((end for _, end in sorted(found)), max)) for key, found in spans.items()}

    def overlaps(self, gene: RnaGene) -> bool:
        """Whether one of them lies over this one."""
        key = gene.contig, gene.strand
        n_before = bisect_left(self.starts.get(key, []), gene.end)
        return n_before > 0 and self.reach[key][n_before - 1] > gene.start
