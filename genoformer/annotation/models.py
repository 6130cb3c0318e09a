"""What an annotation says: genes with their coding parts, and the contigs they lie on."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

GENE_ID = "gene_id"
"""Key in ``Gene.attributes``: id of the gene that isoforms share."""

RRNA_KIND, TRNA_KIND = RNA_KINDS = ("rRNA", "tRNA")

Span = tuple[int, int]

SHORTEST_INTRON_BP = 15
"""No spliceosomal intron that is known is shorter: those of Stentor have 15 or 16 bases (Slabodnick et al., Current
Biology 27, 2017). A smaller gap inside a CDS, or a step back, is a shift of the frame or an error of the assembly."""


@dataclass(slots=True)
class Gene:
    """One protein-coding gene model (one CDS), or a pseudogene.

    Coordinates are 0-based, half-open, on the forward strand. The CDS includes the stop codon. ``start`` is inside the
    contig; a gene over the origin of a circular contig has an ``end`` (and part ends) beyond the contig length.

    Args:
        contig: Id of the contig.
        start: First base, the lowest coordinate.
        end: One behind the last base.
        strand: ``"+"`` or ``"-"``.
        parts: Coding parts as (start, end), ascending. Parts that only the origin separates are one part.
        exons: Exons of the transcript as (start, end), ascending, where they reach beyond the CDS (untranslated
            regions); () when the file says no more than the CDS.
        id: Id in the file that was read, or the one that a writer gives.
        locus_tag: Locus tag of the gene, "" when unknown.
        name: Gene symbol, "" when unknown.
        product: Product name, "" when unknown.
        pseudo: Marked as a pseudogene; ``parts`` may then be no reading frame.
        partial_5: The biological 5' end (start codon) is missing.
        partial_3: The biological 3' end (stop codon) is missing.
        assumed_5: Only that it has no start_codon row, which others have, says that the 5' end is missing.
        assumed_3: The same of the 3' end and stop_codon rows.
        slippage: The ribosome changes the frame between parts.
        trans_spliced: The parts come from several transcripts; ``parts`` is then no reading order.
        genetic_code: NCBI translation table, None when the file does not say.
        transl_except: (start, end, amino acid) of codons that are read otherwise than the table says.
        phase_offset: Bases at the 5' end before the first whole codon, 0 to 2 (GenBank: codon_start - 1).
        score: Calibrated confidence of the gene, 0 to 1; None for a gene that was read.
        start_score: Calibrated confidence of the start given the 3' end, 0 to 1.
        part_scores: Calibrated confidence of each of ``parts``, both its ends right, 0 to 1; () when unknown.
        site_scores: Of each of ``parts``: calibrated confidence of the splice sites at its lower and its higher end,
            None where it has none; () when unknown.
        below_best: Of an alternative transcript: how much worse it is than the best one of its gene, in log-odds of the
            decoder; None of others.
        codon_evidence: Mean log-odds of its codons as the model sees them, before any decoding; None when unknown.
        note: What a reader of a prediction should know about the gene, in words.
        functions: What the gene is predicted to do: names, each with its probability.
        attributes: What else a file says, by name.
        alternatives: Other transcripts of a predicted gene, best first; they have none themselves.
    """

    contig: str
    start: int
    end: int
    strand: str
    parts: tuple[tuple[int, int], ...] = ()
    exons: tuple[tuple[int, int], ...] = ()
    id: str = ""
    locus_tag: str = ""
    name: str = ""
    product: str = ""
    pseudo: bool = False
    partial_5: bool = False
    partial_3: bool = False
    assumed_5: bool = field(default=False, compare=False)
    assumed_3: bool = field(default=False, compare=False)
    slippage: bool = False
    trans_spliced: bool = False
    genetic_code: int | None = None
    transl_except: tuple[tuple[int, int, str], ...] = ()
    phase_offset: int = 0
    score: float | None = None
    start_score: float | None = None
    part_scores: tuple[float, ...] = ()
    site_scores: tuple[tuple[float | None, float | None], ...] = ()
    below_best: float | None = None
    codon_evidence: float | None = None
    note: str = ""
    functions: tuple[tuple[str, float], ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    alternatives: tuple["Gene", ...] = ()

    def __post_init__(self) -> None:
        if self.strand not in ("+", "-"):
            raise ValueError(f"strand must be '+' or '-', not {self.strand!r}")
        if not 0 <= self.start < self.end:
            raise ValueError(f"gene {self.id!r} must have 0 <= start < end, not {self.start}..{self.end}")
        if not self.parts:
            self.parts = ((self.start, self.end),)

    @property
    def length_bp(self) -> int:
        """Coding length in bp, the stop codon included."""
        return sum(end - start for start, end in self.parts)

    @property
    def is_simple(self) -> bool:
        """One uninterrupted reading frame: neither joined, shifted, trans-spliced nor a pseudogene."""
        return len(self.parts) == 1 and not (self.pseudo or self.trans_spliced or self.slippage)

    @property
    def is_shifted(self) -> bool:
        """The reading frame is shifted between two parts: marked so, or no intron fits between them."""
        gaps = (start - end for (_, end), (start, _) in pairwise(self.parts))
        return self.slippage or (not self.trans_spliced and any(gap < SHORTEST_INTRON_BP for gap in gaps))

    @property
    def transcript_exons(self) -> tuple[tuple[int, int], ...]:
        """Exons as far as they are known: those of the transcript, else the coding parts."""
        return self.exons or self.parts

    @property
    def transcript_span(self) -> tuple[int, int]:
        """Start and end of the transcript as far as it is known, 0-based, half-open."""
        return self.transcript_exons[0][0], self.transcript_exons[-1][1]

    @property
    def transcripts(self) -> tuple["Gene", ...]:
        """The gene as it is, and its alternatives."""
        return (self, *self.alternatives)

    @property
    def locus_span(self) -> tuple[int, int]:
        """Start and end of all its transcripts together, 0-based, half-open."""
        spans = [transcript.transcript_span for transcript in self.transcripts]
        return min(start for start, _ in spans), max(end for _, end in spans)

    def shifted(self, by_bp: int) -> "Gene":
        """The same gene, every coordinate higher by ``by_bp``."""
        return replace(
            self,
            start=self.start + by_bp,
            end=self.end + by_bp,
            parts=tuple((start + by_bp, end + by_bp) for start, end in self.parts),
            exons=tuple((start + by_bp, end + by_bp) for start, end in self.exons),
            transl_except=tuple((start + by_bp, end + by_bp, aa) for start, end, aa in self.transl_except),
            alternatives=tuple(one.shifted(by_bp) for one in self.alternatives),
        )

    @property
    def five_prime(self) -> tuple[int, str]:
        """Position of the first base in reading direction, and the strand."""
        return (self.start, "+") if self.strand == "+" else (self.end - 1, "-")

    @property
    def three_prime(self) -> tuple[int, str]:
        """Position of the last base in reading direction, and the strand: what 3'-end scores compare."""
        return (self.end - 1, "+") if self.strand == "+" else (self.start, "-")


@dataclass(slots=True)
class RnaGene:
    """A gene of a ribosomal or a transfer RNA: a place, without what happens inside it.

    Coordinates are 0-based, half-open, on the forward strand, introns included. ``start`` is inside the contig; over
    the origin of a circular contig ``end`` lies beyond the contig length.

    Args:
        contig: Id of the contig.
        start: First base, the lowest coordinate.
        end: One behind the last base.
        strand: ``"+"`` or ``"-"``.
        kind: ``RRNA_KIND`` or ``TRNA_KIND``, the terms of the Sequence Ontology.
        id: Id in the file that was read, or the one that a writer gives.
        locus_tag: Locus tag of the gene, "" when unknown.
        product: Product name, "" when unknown.
        pseudo: Marked as a pseudogene, or the pieces of a gene that is spliced from several transcripts: something of
            it is there, and it is no whole gene.
        score: Calibrated confidence of the gene, 0 to 1; None for a gene that was read.
    """

    contig: str
    start: int
    end: int
    strand: str
    kind: str
    id: str = ""
    locus_tag: str = ""
    product: str = ""
    pseudo: bool = False
    score: float | None = None

    def __post_init__(self) -> None:
        if self.strand not in ("+", "-") or self.kind not in RNA_KINDS:
            raise ValueError(f"strand and kind must be '+' or '-' and {RNA_KINDS}, not {self.strand!r}, {self.kind!r}")
        if not 0 <= self.start < self.end:
            raise ValueError(f"RNA gene {self.id!r} must have 0 <= start < end, not {self.start}..{self.end}")


@dataclass(slots=True)
class Annotation:
    """The genes of one file, and what it says of its contigs.

    Args:
        genes: In the order (contig as first met, start, end, strand).
        contig_lengths: Length in bp by contig, where the file says it.
        circular: Contigs that the file calls circular.
        genetic_codes: Most frequent translation table of the genes by contig, where the file says it.
        named: Every contig that the file names, by a row of any kind, a directive or a record, in the order first met,
            with its id as it stands there.
        rna_genes: Genes of rRNA and tRNA, in the order of ``genes``. They are no ``Gene``, which makes a protein.
    """

    genes: list[Gene] = field(default_factory=list)
    contig_lengths: dict[str, int] = field(default_factory=dict)
    circular: set[str] = field(default_factory=set)
    genetic_codes: dict[str, int] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    rna_genes: list[RnaGene] = field(default_factory=list)

    @property
    def contigs(self) -> list[str]:
        """Every contig that is named, has a length or a gene, in the order first met."""
        return list(dict.fromkeys([*self.contig_lengths, *(gene.contig for gene in self.genes), *self.named]))

    def by_contig(self) -> dict[str, list[Gene]]:
        """The genes of each contig that has any."""
        grouped: dict[str, list[Gene]] = defaultdict(list)
        for gene in self.genes:
            grouped[gene.contig].append(gene)
        return dict(grouped)


def sort_genes(genes: Iterable[Gene]) -> list[Gene]:
    """Genes of one contig by start, longer ones first, then by strand: the order of every output file."""
    return sorted(genes, key=lambda gene: (gene.start, -gene.end, gene.strand, gene.parts, gene.id))


def order_genes(genes: Iterable[Gene]) -> list[Gene]:
    """Genes of many contigs: contigs as first met, ``sort_genes`` in each."""
    by_contig: dict[str, list[Gene]] = defaultdict(list)
    for gene in genes:
        by_contig[gene.contig].append(gene)
    return [gene for contig_genes in by_contig.values() for gene in sort_genes(contig_genes)]


def most_frequent_codes(genes: Iterable[Gene]) -> dict[str, int]:
    """The translation table that most genes of each contig name; contigs without any are left out."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for gene in genes:
        if gene.genetic_code is not None:
            counts[gene.contig][gene.genetic_code] += 1
    return {contig: counter.most_common(1)[0][0] for contig, counter in counts.items()}
