"""From genome files to the store that training reads: sequences, label tracks and gene tables, made once."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from genoformer.annotation.file_kinds import is_flat_file
from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.intron_tracks import intron_gene_table, intron_tracks
from genoformer.annotation.models import RNA_KINDS, Annotation, Gene, RnaGene
from genoformer.annotation.origin import close_circles
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.rna_rows import group_rna_genes
from genoformer.annotation.rna_tracks import add_rna_labels
from genoformer.annotation.seqids import match_ids, read_seqid_map
from genoformer.annotation.text_lines import digest_input
from genoformer.annotation.tracks import GENE_TABLE, MASKED, gene_table, label_tracks
from genoformer.errors import GenoformerError, MissingFileError, UsageError, WarningLog, counted
from genoformer.genomes.store import SCHEMA, Source, Store, write_store
from genoformer.sequence.records import Record

RNA_LABELS = "codons_rna"
"""The labels of codons and those of rRNA and tRNA genes."""
DEFAULT_GENETIC_CODE = {"codons": 11, RNA_LABELS: 11, "introns": 1}
"""Of records whose annotation does not say: bacteria and the nuclei of most other organisms."""
LABELS = {
    "codons": (label_tracks, gene_table),
    RNA_LABELS: (label_tracks, gene_table),
    "introns": (intron_tracks, intron_gene_table),
}
"""What makes the label tracks and the gene table of a record, by the word that a task has for its labels; those of RNA
genes come on top."""
_SUFFIXES = re.compile(r"\.(gz|bgz|fasta|fna|fas|fa|gbff|gbk|gb|genbank|embl|ebl)$", re.IGNORECASE)


@dataclass(frozen=True)
class GenomeFiles:
    """Where one genome comes from.

    Attributes:
        name: Name of the genome in the store.
        sequence: FASTA, GenBank or EMBL file with the bases.
        annotation: GFF3, GTF, GenBank or EMBL file with the genes; None for a task that needs none.
        genetic_code: NCBI number; None takes what the annotation says of each contig, else ``DEFAULT_GENETIC_CODE``.
    """

    name: str
    sequence: Path
    annotation: Path | None
    genetic_code: int | None = None


@dataclass
class PrepareReport:
    """What went into a store.

    Attributes:
        n_records: Records by genome.
        n_bases: Bases by genome.
        n_genes: Genes by genome, masked ones included.
        masked: For each genome, number of masked genes by reason.
        rna: For each genome whose RNA genes are labelled, how many there are of each kind; none when it names none.
    """

    n_records: Counter[str] = field(default_factory=Counter)
    n_bases: Counter[str] = field(default_factory=Counter)
    n_genes: Counter[str] = field(default_factory=Counter)
    masked: dict[str, Counter[str]] = field(default_factory=dict)
    rna: dict[str, Counter[str]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """One line for each genome."""
        found = []
        for name in self.n_records:
            reasons = ", ".join(f"{reason} {n}" for reason, n in self.masked[name].most_common())
            masked = f", {self.masked[name].total()} masked ({reasons})" if reasons else ""
            size = f"{counted(self.n_records[name], 'record')}, {self.n_bases[name]:,} bp"
            found.append(f"{name}: {size}, {counted(self.n_genes[name], 'gene')}{masked}{self._rna(name)}")
        return found

    def _rna(self, name: str) -> str:
        if name not in self.rna:
            return ""
        counts = " and ".join(f"{self.rna[name][kind]} {kind}" for kind in RNA_KINDS)
        return f", {counts} genes" if self.rna[name] else ", RNA genes unknown"


def find_genomes(
    fasta: Sequence[str] | None, annotation: Sequence[str] | None, genetic_code: int | Sequence[int] | None = None
) -> list[GenomeFiles]:
    """Pair sequence files with annotations.

    A GenBank or EMBL file holds both, so that either list may be left out when it names such files.

    Args:
        fasta: FASTA, GenBank or EMBL files.
        annotation: GFF3, GTF, GenBank or EMBL files, in the same order.
        genetic_code: NCBI number for all, one for each genome, or None for what the annotations say.

    Raises:
        UsageError: If the lists do not fit each other, or a FASTA file has no annotation.
        MissingFileError: If a file is not there.
    """
    sequences, annotations = list(fasta or annotation or []), list(annotation or fasta or [])
    codes = list(genetic_code) if isinstance(genetic_code, Sequence) else [genetic_code] * len(sequences)
    if not sequences:
        raise UsageError("DATA-001", "no genome is given.", where="data.fasta", fix="Give --data.fasta FILE.")
    if not len(sequences) == len(annotations) == len(codes):
        raise UsageError(
            "DATA-002", f"found {len(sequences)} sequence files, {len(annotations)} annotations and {len(codes)} "
            "genetic codes.", where="data.fasta", fix="Give one of each for every genome, in the same order."
        )  # fmt: skip
    for path in (*sequences, *annotations):
        if not Path(path).is_file():
            raise MissingFileError("DATA-003", "there is no such file.", where=str(path), fix="Check the path.")
    for path, other in zip(sequences, annotations, strict=True):
        if path == other and not is_flat_file(path):
            raise UsageError(
                "DATA-004", "a file that is neither GenBank nor EMBL needs a partner.", where=str(path),
                fix="Give the sequence with --data.fasta and its genes with --data.annotation.",
            )  # fmt: skip
    for code in set(codes) - {None}:
        get_genetic_code(code)
    names = _unique_names(sequences)
    return [GenomeFiles(*row) for row in zip(names, map(Path, sequences), map(Path, annotations), codes, strict=True)]


def find_sequences(fasta: Sequence[str] | None) -> list[GenomeFiles]:
    """Sequence files for a task that needs no annotation.

    Raises:
        UsageError: If there is none, or two would have the same name.
        MissingFileError: If a file is not there.
    """
    if not fasta:
        raise UsageError("DATA-001", "no genome is given.", where="data.fasta", fix="Give --data.fasta FILE.")
    for path in fasta:
        if not Path(path).is_file():
            raise MissingFileError("DATA-003", "there is no such file.", where=str(path), fix="Check the path.")
    return [GenomeFiles(name, Path(path), None) for name, path in zip(_unique_names(fasta), fasta, strict=True)]


def prepare_store(
    path: Path, genomes: Sequence[GenomeFiles], *, seqid_map: str | None = None, labels: str = "codons",
    sources: Sequence[str] = (), warnings: WarningLog | None = None,
) -> PrepareReport | None:  # fmt: skip
    """Write the store of these genomes, unless it is there.

    Args:
        path: The store.
        genomes: What goes in.
        seqid_map: Table of ids in the annotation and in the FASTA file.
        labels: Kind of the labels, a key of ``LABELS``.
        sources: Only annotation rows with one of these words in column 2; all when empty.
        warnings: Counts what was repaired, left out or guessed.

    Returns:
        What went in; None when the store at ``path`` was made from the same files and settings.

    Raises:
        DataError: If a file is damaged, or ids do not match.
        OutputExistsError: If the store cannot be created.
    """
    parameters = store_parameters(genomes, seqid_map, labels, sources)
    if is_store_of(path, parameters):
        return None
    report, log = PrepareReport(), WarningLog() if warnings is None else warnings
    id_map = read_seqid_map(seqid_map) if seqid_map else None
    rows = (row for genome in genomes for row in _read_genome(genome, id_map, labels, sources, report, log))
    write_store(path, rows, parameters)
    return report


def store_parameters(
    genomes: Sequence[GenomeFiles], seqid_map: str | None, labels: str = "codons", sources: Sequence[str] = ()
) -> dict:
    """What decides the contents of a store: digests of the files, names, genetic codes, and the kind of labels."""
    inputs = [
        {"name": genome.name, "genetic_code": genome.genetic_code, "sequence": digest_input(genome.sequence),
         "annotation": None if genome.annotation is None else digest_input(genome.annotation)}
        for genome in genomes
    ]  # fmt: skip
    parameters = {"schema": SCHEMA, "inputs": inputs, "seqid_map": digest_input(seqid_map) if seqid_map else None}
    # Left out where they are the first ones there were, so that older stores stay valid.
    parameters |= {} if labels == "codons" else {"labels": labels}
    return parameters | ({"sources": sorted(sources)} if sources else {})


def is_store_of(path: Path, parameters: dict) -> bool:
    """Whether there is a complete store at ``path`` that was made from these files and settings."""
    if not path.is_file():
        return False
    try:
        return Store(path).parameters == parameters
    except GenoformerError:
        return False


def _read_genome(
    genome: GenomeFiles, id_map: dict[str, str] | None, labels: str, sources: Sequence[str], report: PrepareReport,
    log: WarningLog,
) -> Iterator[Source]:  # fmt: skip
    if genome.annotation is None:
        yield from _read_unlabelled(genome, report, log)
        return
    annotation = read_annotation(genome.annotation, warnings=log, sources=sources)
    # Flat files take seconds to parse and are small: read once. FASTA streams, a first pass gives the ids.
    kept = list(read_records(genome.sequence, warnings=log)) if is_flat_file(genome.sequence) else None
    lengths = {record.id: len(record) for record in kept or read_records(genome.sequence)}
    matched = match_ids(list(lengths), annotation.contigs, id_map, warnings=log, spelled=annotation.named)
    ids = {new: old for old, new in matched.items()}
    unstated = {old: lengths[new] for new, old in ids.items() if old not in annotation.contig_lengths}
    annotation = close_circles(annotation, unstated, log)
    genes = annotation.by_contig()
    rna_genes = _rna_genes(genome, annotation, report, log) if labels == RNA_LABELS else None
    report.masked[genome.name] = Counter()
    for record in kept or read_records(genome.sequence, warnings=log):
        contig = ids.get(record.id)
        if contig is None:
            log.add("DATA-005", f"{genome.name}: nothing is said of record {record.id!r}; it trains as intergenic.")
        own = [] if contig is None else genes.get(contig, [])
        source = _label_record(genome, record, annotation, contig, own, labels, report)
        if rna_genes and contig is not None:
            add_rna_labels(source[2], rna_genes.get(contig, []), circular=source[4])
        yield source


def _rna_genes(
    genome: GenomeFiles, annotation: Annotation, report: PrepareReport, log: WarningLog
) -> Mapping[str, list[RnaGene]]:
    """The RNA genes of a genome by contig; one that names none has some that nobody looked for, and is not labelled."""
    found = report.rna[genome.name] = Counter(gene.kind for gene in annotation.rna_genes)
    if not found:
        text = f"{genome.name}: the annotation names neither rRNA nor tRNA; nothing is learned of them from this genome"
        log.add("DATA-007", text)
    elif len(found) < len(RNA_KINDS):
        log.add("DATA-008", f"{genome.name}: the annotation names {found.total()} {'/'.join(found)} and no other RNA")
    return group_rna_genes(annotation.rna_genes)


def _read_unlabelled(genome: GenomeFiles, report: PrepareReport, log: WarningLog) -> Iterator[Source]:
    """Records of which nothing is known: every label is masked."""
    report.masked[genome.name] = Counter()
    for record in read_records(genome.sequence, warnings=log):
        report.n_records[genome.name] += 1
        report.n_bases[genome.name] += len(record)
        tracks, table = np.full((2, len(record)), MASKED, np.uint8), np.empty(0, GENE_TABLE)
        yield genome.name, record, tracks, table, False, DEFAULT_GENETIC_CODE["codons"]


def _label_record(
    genome: GenomeFiles, record: Record, annotation: Annotation, contig: str | None, genes: list[Gene], labels: str,
    report: PrepareReport,
) -> Source:  # fmt: skip
    told = None if contig is None else annotation.genetic_codes.get(contig)
    code = genome.genetic_code or told or DEFAULT_GENETIC_CODE[labels]
    circular = record.circular or contig in annotation.circular
    make_tracks, make_table = LABELS[labels]
    tracks, masked = make_tracks(record.codes, genes, genetic_code=code, circular=circular)
    table = make_table(record.codes, genes, genetic_code=code, circular=circular)
    report.n_records[genome.name] += 1
    report.n_bases[genome.name] += len(record)
    report.n_genes[genome.name] += len(genes)
    report.masked[genome.name] += masked
    return genome.name, record, tracks, table, circular, code


def genome_names(sequences: Sequence[str | Path]) -> list[str]:
    """File names without their format; with the folder's name in front where that is needed to tell them apart."""
    stems = [_stem(Path(path).name) for path in sequences]
    return [
        stem if stems.count(stem) == 1 else f"{Path(os.path.realpath(path)).parent.name}/{stem}"
        for stem, path in zip(stems, sequences, strict=True)
    ]


def _unique_names(sequences: Sequence[str]) -> list[str]:
    names = genome_names(sequences)
    if len(set(names)) < len(names):
        raise UsageError("DATA-006", f"two genomes are called {max(names, key=names.count)}.", where="data.fasta")
    return names


def _stem(name: str) -> str:
    while (shorter := _SUFFIXES.sub("", name)) != name and shorter:
        name = shorter
    return name
