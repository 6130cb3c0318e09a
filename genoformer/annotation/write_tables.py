"""Write genes as a table, as BED12, and their sequences as FASTA with Prodigal's headers."""

from collections.abc import Iterable, Iterator

import numpy as np

from genoformer.annotation.gene_files import (
    GeneFile,
    format_score,
    gene_id,
    named_transcripts,
    partial_digits,
    wrap_fasta,
)
from genoformer.annotation.gene_sequence import coding_sequence, start_codon, translate_gene
from genoformer.annotation.models import Gene, Span
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record

TSV_COLUMNS = (
    "record_id", "gene_id", "start", "end", "strand", "length_bp", "partial", "start_codon", "score", "start_score",
)  # fmt: skip
MAX_BED_SCORE = 1000


class TsvWriter(GeneFile):
    """One row per transcript; start and end are 1-based and inclusive, as in GFF3. Missing values are ``.``.

    A gene of several transcripts has neighbouring rows, whose ids end with ``.t1``, ``.t2`` …; alternatives have no
    score.

    ``partial`` has Prodigal's two digits, ``start_codon`` is ``Edge`` for a gene without 5' end.
    """

    @property
    def header(self) -> str:
        return "\t".join(TSV_COLUMNS) + "\n"

    def chunks(self, record: Record, genes: list[Gene], circular: bool, genetic_code: int) -> Iterator[str]:
        for number, gene in enumerate(genes, start=1):
            for name, transcript in named_transcripts(gene_id(record.id, number), gene):
                yield "\t".join(map(str, self.row(record, transcript, name))) + "\n"

    def row(self, record: Record, gene: Gene, name: str) -> tuple:
        """Cells of a transcript."""
        *values, start_type, score, start_score = table_row(record, gene, name)
        return (*values, start_type or ".", format_score(score), format_score(start_score))


def table_row(record: Record, gene: Gene, name: str) -> tuple:
    """What stands in ``TSV_COLUMNS`` for a transcript with this id, None where nothing is known."""
    start_type = _start_type(record.codes, gene)
    return (
        record.id, name, gene.start + 1, gene.end, gene.strand, gene.length_bp,
        partial_digits(gene), None if start_type == "." else start_type, gene.score, gene.start_score,
    )  # fmt: skip


class FunctionTsvWriter(TsvWriter):
    """The same with predicted functions and their probabilities, each separated by ``;``, ``.`` where there is none."""

    @property
    def header(self) -> str:
        return "\t".join((*TSV_COLUMNS, "functions", "function_scores")) + "\n"

    def row(self, record: Record, gene: Gene, name: str) -> tuple:
        names = ";".join(name for name, _ in gene.functions)
        scores = ";".join(format_score(score) for _, score in gene.functions)
        return (*super().row(record, gene, name), names or ".", scores or ".")


class BedWriter(GeneFile):
    """BED12, one row per transcript: exons as blocks, the CDS with its stop codon thick.

    A gene over the origin has one row at each end, since BED ends at the contig's end. The score is the confidence
    times 1000, 0 where there is none.

    Reference: https://genome.ucsc.edu/FAQ/FAQformat.html#format1.
    """

    def chunks(self, record: Record, genes: list[Gene], circular: bool, genetic_code: int) -> Iterator[str]:
        rows: list[tuple] = []
        for number, gene in enumerate(genes, start=1):
            for name, transcript in named_transcripts(gene_id(record.id, number), gene):
                rows += _bed_rows(transcript, name, len(record))
        for row in sorted(rows):
            yield "\t".join(map(str, (record.id, *row))) + "\n"


def _bed_rows(gene: Gene, name: str, length_bp: int) -> Iterator[tuple]:
    score = 0 if gene.score is None else round(gene.score * MAX_BED_SCORE)
    for shift, low, high in _laps(gene, length_bp):
        blocks = _clipped(gene.transcript_exons, shift, low, high)
        thick = _clipped([(gene.start, gene.end)], shift, low, high) or [(blocks[0][0],) * 2]
        yield _bed_row(blocks, thick[0], name, score, gene.strand)


def _laps(gene: Gene, length_bp: int) -> list[tuple[int, int, int]]:
    """For each row of a gene: what to subtract from its coordinates, and the contig's ends before that."""
    laps = [(0, 0, length_bp)]
    return laps if gene.transcript_span[1] <= length_bp else [*laps, (length_bp, length_bp, 2 * length_bp)]


def _clipped(spans: Iterable[Span], shift: int, low: int, high: int) -> list[Span]:
    return [(max(start, low) - shift, min(end, high) - shift) for start, end in spans if start < high and end > low]


def _bed_row(blocks: list[Span], thick: Span, name: str, score: int, strand: str) -> tuple:
    first = blocks[0][0]
    sizes = ",".join(str(end - start) for start, end in blocks)
    starts = ",".join(str(start - first) for start, _ in blocks)
    return first, blocks[-1][1], name, score, strand, *thick, 0, len(blocks), sizes, starts


class _SequenceWriter(GeneFile):
    """FASTA with one entry per transcript that has a reading frame: no pseudogenes and trans-spliced genes."""

    def chunks(self, record: Record, genes: list[Gene], circular: bool, genetic_code: int) -> Iterator[str]:
        for number, gene in enumerate(genes, start=1):
            if not (gene.pseudo or gene.trans_spliced):
                gene_name = gene_id(record.id, number)
                for name, transcript in named_transcripts(gene_name, gene):
                    yield _header(record, transcript, f"{number}{name.removeprefix(gene_name)}", name)
                    yield wrap_fasta(self.sequence(record.codes, transcript, gene.genetic_code or genetic_code))

    def sequence(self, codes: np.ndarray, gene: Gene, genetic_code: int) -> str:
        """Letters of one entry."""
        raise NotImplementedError


class ProteinWriter(_SequenceWriter):
    """Proteins; a start codon gives M, and the stop codon of a complete gene a ``*``, both as Prodigal does it."""

    def sequence(self, codes: np.ndarray, gene: Gene, genetic_code: int) -> str:
        return translate_gene(codes, gene, genetic_code)


class CdsWriter(_SequenceWriter):
    """Coding sequences in reading direction, from start to stop codon inclusive."""

    def sequence(self, codes: np.ndarray, gene: Gene, genetic_code: int) -> str:
        return decode_bases(coding_sequence(codes, gene))


def _header(record: Record, gene: Gene, number: str, name: str) -> str:
    strand = 1 if gene.strand == "+" else -1
    notes = [f"ID={name}", f"partial={partial_digits(gene)}"]
    notes.append(f"start_type={_start_type(record.codes, gene)}")
    if gene.score is not None:
        notes.append(f"score={format_score(gene.score)}")
    return f">{record.id}_{number} # {gene.start + 1} # {gene.end} # {strand} # {';'.join(notes)}\n"


def _start_type(codes: np.ndarray, gene: Gene) -> str:
    """The start codon, ``Edge`` without 5' end (Prodigal's word), ``.`` where there is no reading frame."""
    if gene.pseudo or gene.trans_spliced:
        return "."
    return "Edge" if gene.partial_5 else decode_bases(start_codon(codes, gene))
