"""Write genes as GFF3 that strict readers accept: sorted, one ID per CDS, phases right on both strands.

Reference: https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md, version 1.26; partial ends as
in https://www.ncbi.nlm.nih.gov/datasets/docs/v2/reference-docs/file-formats/annotation-files/about-ncbi-gff3/.
"""

import heapq
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial as partial_call
from operator import itemgetter
from pathlib import Path

from genoformer.annotation.gene_files import GeneFile, format_score, gene_id, named_transcripts, rna_gene_id
from genoformer.annotation.gff3_text import SOURCE, Value, attributes_text, seqid
from genoformer.annotation.locations import format_transl_except
from genoformer.annotation.models import Gene, RnaGene
from genoformer.annotation.sorted_blocks import SortedBlocks
from genoformer.sequence.records import Record

_ONTOLOGY_ID = re.compile(r"[A-Za-z_]+:\d+")
_Row = tuple[int, int, int, int, int, str]  # start, end and number of the gene, rank in the gene, transcript, text
_Group = tuple[int, Iterable[_Row]]  # rows that begin at or behind a base, and that base


class Gff3Writer(GeneFile):
    """Genes as gene, mRNA, exon and CDS rows, and rows of untranslated regions where exons reach beyond the CDS.

    Ids count the genes of each record by position. mRNA and CDS rows hold predicted functions. Exon and CDS rows have
    the confidence of the part as score where it is known, else that of the gene, as all other rows do; splice sites
    have theirs as ``donor_score`` and ``acceptor_score`` of the exon. The gene row spans all transcripts;
    the mRNA of an alternative has ``below_best`` in place of a score. Pseudogenes and trans-spliced genes, which
    predictions never hold, are a single row without CDS. A circular record has a region row with
    ``Is_circular=true``, and its genes over the origin end behind its length. A gene of rRNA or tRNA is one row of that
    type.

    Lines are in the one order that genometools calls sorted, whatever the order of the records: all
    ``##sequence-region`` lines first, records by the bytes of their ids in column 1, features by start, then end.
    """

    @property
    def header(self) -> str:
        return "##gff-version 3\n"

    def begin(self, stack: ExitStack) -> None:
        super().begin(stack)
        self._blocks = stack.enter_context(SortedBlocks(self._handle, self.path))

    def write(self, record: Record, chunks: Iterable[str]) -> None:
        if len(record):
            contig = seqid(record)
            self._blocks.add(contig, f"##sequence-region {contig} 1 {len(record)}\n", chunks)

    def chunks(self, record: Record, genes: list[Gene], circular: bool, genetic_code: int) -> Iterator[str]:
        return self.with_rna(record, genes, [], circular, genetic_code)

    def with_rna(
        self, record: Record, genes: list[Gene], rna_genes: list[RnaGene], circular: bool, genetic_code: int
    ) -> Iterator[str]:
        contig = seqid(record)
        groups = heapq.merge(
            [(0, [_region_row(record, contig)])] if circular else [],
            _groups_of_genes(record, genes, contig, genetic_code),
            ((rna.start, [_rna_row(rna, contig, rna_gene_id(record.id, i))]) for i, rna in enumerate(rna_genes, 1)),
            key=itemgetter(0),
        )
        yield from (text for *_, text in _in_order(groups))
        if genes or rna_genes:
            yield "###\n"


def _region_row(record: Record, contig: str) -> _Row:
    attributes = attributes_text({"ID": f"region-{record.id}", "Is_circular": "true"})
    text = f"{contig}\t{SOURCE}\tregion\t1\t{len(record)}\t.\t+\t.\t{attributes}\n"
    return 0, len(record), 0, 0, 0, text


def _groups_of_genes(record: Record, genes: list[Gene], contig: str, genetic_code: int) -> Iterator[_Group]:
    """Rows of each gene, made when they are asked for, by the first base of any transcript."""
    starts = [gene.locus_span[0] for gene in genes]
    for i in sorted(range(len(genes)), key=starts.__getitem__):
        yield starts[i], _gene_rows(genes[i], contig, i + 1, gene_id(record.id, i + 1), genetic_code)


def _in_order(groups: Iterable[_Group]) -> Iterator[_Row]:
    """Sorted rows of groups, which come by their first base; only those of groups that overlap are held at a time."""
    waiting: list[_Row] = []
    for start, rows in groups:
        while waiting and waiting[0][0] < start:
            yield heapq.heappop(waiting)
        for row in rows:
            heapq.heappush(waiting, row)
    yield from sorted(waiting)


def write_gff3(path: str | Path, records: Iterable[tuple[Record, list[Gene], bool]], *, genetic_code: int = 11) -> None:
    """Write (record, its genes, whether it is circular) one after the other; see ``Gff3Writer``.

    Raises:
        DataError: If two records have the same id.
        OutputWriteError: If the file cannot be written.
    """
    with Gff3Writer(path) as writer:
        for record, genes, circular in records:
            writer.add(record, genes, circular=circular, genetic_code=genetic_code)


def _gene_rows(gene: Gene, contig: str, number: int, name: str, genetic_code: int) -> Iterator[_Row]:
    def row(
        kind: str, start: int, end: int, rank: int, attributes: dict[str, Value], phase: str = ".",
        score: float | None = gene.score, transcript: int = 0,
    ) -> _Row:  # fmt: skip
        columns = (contig, SOURCE, kind, start + 1, end, format_score(score), gene.strand, phase)
        text = "\t".join(map(str, columns)) + f"\t{attributes_text(attributes)}\n"
        return start, last, number, rank, transcript, text

    last = gene.locus_span[1]
    naming = {"locus_tag": gene.locus_tag, "gene": gene.name}
    exception = {"exception": _exception(gene)}
    partial = _partial(gene)
    if gene.pseudo or gene.trans_spliced:
        kind, flags = ("pseudogene", {"pseudo": "true"}) if gene.pseudo else ("gene", exception)
        yield row(kind, gene.start, gene.end, 0, {"ID": name, "Name": gene.name, **naming, **flags, **partial})
        return
    yield row("gene", *gene.locus_span, 0, {"ID": name, "Name": gene.name, **naming, "Note": gene.note, **partial})
    for i, (own_name, transcript) in enumerate(named_transcripts(name, gene)):
        own_row = partial_call(row, transcript=i)
        yield from _transcript_rows(own_row, transcript, own_name.removeprefix("gene-"), name, genetic_code)


def _transcript_rows(
    row: Callable[..., _Row], gene: Gene, stem: str, parent: str, genetic_code: int
) -> Iterator[_Row]:  # fmt: skip
    """Rows of a transcript with its CDS.

    Args:
        row: Makes one.
        gene: The transcript.
        stem: What its ids end with.
        parent: Id of the gene.
        genetic_code: Of a gene that names none.
    """
    naming, partial = {"locus_tag": gene.locus_tag, "gene": gene.name}, _partial(gene)
    mrna = {"ID": f"mrna-{stem}", "Parent": parent, **naming, "product": gene.product, **partial}
    mrna |= {"below_best": _below_best(gene), **_functions(gene)}
    yield row("mRNA", *gene.transcript_span, 1, mrna, score=gene.score)
    scores: tuple[float | None, ...] = gene.part_scores or (gene.score,) * len(gene.parts)
    for i, (start, end) in enumerate(transcribed_exons(gene), start=1):
        exon = {"ID": f"exon-{stem}-{i}", "Parent": mrna["ID"], **_site_scores(gene, i - 1)}
        yield row("exon", start, end, 2, exon, score=scores[i - 1] if gene.part_scores else gene.score)
    for i, (kind, start, end) in enumerate(untranslated_regions(gene), start=1):
        yield row(kind, start, end, 3, {"ID": f"utr-{stem}-{i}", "Parent": mrna["ID"]}, score=gene.score)
    table = str(gene.genetic_code or genetic_code)
    cds = {"ID": f"cds-{stem}", "Parent": mrna["ID"], **naming, "product": gene.product}
    cds |= {"exception": _exception(gene), **partial}
    cds |= {"transl_table": table, "transl_except": _transl_except(gene), "start_score": _start_score(gene)}
    cds |= _functions(gene)
    for (start, end), phase, score in zip(gene.parts, phases(gene), scores, strict=True):
        yield row("CDS", start, end, 3, cds, str(phase), score)


def _rna_row(gene: RnaGene, contig: str, name: str) -> _Row:
    columns = (contig, SOURCE, gene.kind, gene.start + 1, gene.end, format_score(gene.score), gene.strand, ".")
    attributes = {"ID": name, "locus_tag": gene.locus_tag, "product": gene.product}
    return gene.start, gene.end, 0, 0, 0, "\t".join(map(str, columns)) + f"\t{attributes_text(attributes)}\n"


def phases(gene: Gene) -> list[int]:
    """Phase of every part, in the order of ``gene.parts``: bases to skip before the next whole codon begins."""
    in_order = gene.parts if gene.strand == "+" else gene.parts[::-1]
    found, read_bp = [], -gene.phase_offset
    for start, end in in_order:
        found.append(-read_bp % 3)
        read_bp += end - start
    return found if gene.strand == "+" else found[::-1]


def transcribed_exons(gene: Gene) -> list[tuple[int, int]]:
    """Exons as far as they are known; one exon where the ribosome slips, since the transcript is not cut there."""
    return [(gene.start, gene.end)] if gene.slippage else list(gene.transcript_exons)


def untranslated_regions(gene: Gene) -> Iterator[tuple[str, int, int]]:
    """Stretches of exons before and behind the CDS: Sequence Ontology type, start, end, ascending."""
    kinds = ("five_prime_UTR", "three_prime_UTR") if gene.strand == "+" else ("three_prime_UTR", "five_prime_UTR")
    for start, end in gene.exons:
        if start < gene.start:
            yield kinds[0], start, min(end, gene.start)
        if end > gene.end:
            yield kinds[1], max(start, gene.end), end


def _exception(gene: Gene) -> str:
    if gene.trans_spliced:
        return "trans-splicing"
    return "ribosomal slippage" if gene.slippage else ""


def _partial(gene: Gene) -> dict[str, Value]:
    low, high = (gene.partial_5, gene.partial_3) if gene.strand == "+" else (gene.partial_3, gene.partial_5)
    if not (low or high):
        return {}
    return {
        "partial": "true",
        "start_range": (".", str(gene.start + 1)) if low else "",
        "end_range": (str(gene.end), ".") if high else "",
    }


def _transl_except(gene: Gene) -> tuple[str, ...]:
    return tuple(format_transl_except(start, end, aa, gene.strand) for start, end, aa in gene.transl_except)


def _functions(gene: Gene) -> dict[str, Value]:
    """Predicted functions with their probabilities in the same order; ontology ids also under the reserved name."""
    names = tuple(name for name, _ in gene.functions)
    return dict(
        function=names,
        function_score=tuple(format_score(score) for _, score in gene.functions),
        Ontology_term=tuple(name for name in names if _ONTOLOGY_ID.fullmatch(name)),
    )


def _site_scores(gene: Gene, i: int) -> dict[str, Value]:
    """Confidence of the splice sites at the ends of an exon, each under the name of its kind."""
    if not gene.site_scores:
        return {}
    low, high = gene.site_scores[i]
    acceptor, donor = (low, high) if gene.strand == "+" else (high, low)
    named = (("acceptor_score", acceptor), ("donor_score", donor))
    return {name: format_score(score) for name, score in named if score is not None}


def _below_best(gene: Gene) -> str:
    return "" if gene.below_best is None else f"{gene.below_best:.2f}"


def _start_score(gene: Gene) -> str:
    return "" if gene.start_score is None else format_score(gene.start_score)
