"""Labelled sequences from annotated genomes: coding sequences with what an attribute of their genes says."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from genoformer.annotation.file_kinds import is_flat_file
from genoformer.annotation.flat_files import read_flat_records
from genoformer.annotation.gene_sequence import coding_sequence
from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.models import Annotation, Gene
from genoformer.annotation.origin import close_circles
from genoformer.annotation.read import read_annotation
from genoformer.annotation.seqids import match_ids
from genoformer.annotation.stop_codons import STOPS_WITHOUT_CODE, include_stop_codons
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.labels.tables import FILE_GROUP, LabelledSequence, TableColumns
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.records import Record

CONTIG_GROUP = "contig"
"""Group of a gene whose group column is called so: its contig."""
GO_ID = re.compile(r"GO:\d{7}")
GO_ATTRIBUTES = ("GO", "GO_component", "GO_function", "GO_process", "db_xref")
LABEL_HELP = "Look at data.columns.label: EC_number, Ontology_term or product."
EC_CLASSES = {
    "1": "oxidoreductase", "2": "transferase", "3": "hydrolase", "4": "lyase", "5": "isomerase", "6": "ligase",
    "7": "translocase",
}  # fmt: skip
"""Names of the first number: https://iubmb.qmul.ac.uk/enzyme/rules.html."""


def read_labelled_genes(
    paths: Sequence[str | Path], fasta: Sequence[str | Path], columns: TableColumns, *, level: int | None,
    unlabelled: str | None, separator: str, is_one: bool, log: WarningLog,
) -> list[LabelledSequence]:  # fmt: skip
    """Coding sequences of all genes that have a label; of isoforms the longest.

    Pseudogenes and trans-spliced genes are left out. Ids are locus tags, else the ids of the file. A partial gene is
    read from its first whole codon on.

    Args:
        paths: GenBank files, or GFF3 and GTF files for the sequences in ``fasta``.
        fasta: FASTA files, when the annotations hold no sequences.
        columns: ``label`` is the attribute: EC_number, Ontology_term, product, or another that the reader keeps;
            ``group`` is "file", "contig" or None.
        level: Parts of a label between dots that count, from the left; None for all. The first numbers of EC_number
            become names of classes.
        unlabelled: Label of genes without the attribute; None leaves them out.
        separator: Between the terms of one gene.
        is_one: A gene with several labels has none: it is left out and counted.
        log: Counts what is left out.

    Raises:
        UsageError: If the group is neither "file" nor "contig".
        DataError: If a file cannot be read, an id comes twice, a contig has no sequence, or no gene has the attribute.
    """
    if columns.group not in (None, FILE_GROUP, CONTIG_GROUP):
        raise UsageError(
            "LABELS-017", f'genes are grouped by "file" or "contig", not "{columns.group}".', where="data.columns.group"
        )
    sequences: list[LabelledSequence] = []
    seen: set[str] = set()
    shared = {record.id: record for path in fasta for record in read_fasta(path, warnings=log)}
    for path in paths:
        annotation, records = _read(Path(path), shared, log)
        for gene, name, where in _named_genes(path, annotation, seen, log):
            label = _one_text(labels_of(gene, columns.label, level), unlabelled, separator, is_one, where, log)
            if label is not None:
                codes = _coding_bases(
                    records, gene, annotation.genetic_codes.get(gene.contig, STOPS_WITHOUT_CODE), where
                )
                group = {FILE_GROUP: Path(path).name, CONTIG_GROUP: gene.contig}.get(columns.group or "", "")
                sequences.append(LabelledSequence(name, codes, label, group, where))
        if not any(labels_of(gene, columns.label, level) for gene in annotation.genes):
            raise DataError("LABELS-016", f'no gene has a "{columns.label}".', where=str(path), fix=LABEL_HELP)
    return sequences


def _named_genes(
    path: str | Path, annotation: Annotation, seen: set[str], log: WarningLog
) -> Iterator[tuple[Gene, str, str]]:
    """Genes with one reading frame, with their ids, and where they stand; a second gene of one id names its place."""
    genes = [gene for found in annotation.by_contig().values() for gene in choose_isoforms(found)]
    for gene in genes:
        name = gene.locus_tag or gene.id
        where = f'{path} {gene.contig} gene "{name}"'
        if gene.pseudo or gene.trans_spliced:
            log.add("LABELS-108", f"{where}: a pseudogene or trans-spliced; left out.")
            continue
        if name in seen:
            name = f"{name}@{gene.contig}:{gene.start + 1}{gene.strand}"
            log.add("LABELS-109", f'{where}: the id comes twice; this gene is called "{name}".')
        if name in seen:
            raise DataError("LABELS-004", f'the id "{name}" comes twice.', where=where)
        seen.add(name)
        yield gene, name, where


def labels_of(gene: Gene, attribute: str, level: int | None) -> list[str]:
    """What an attribute of a gene says, each once; GO ids also from qualifiers that hold their names, too.

    Args:
        gene: From an annotation.
        attribute: "EC_number", "Ontology_term", "product" or a key of ``Gene.attributes``.
        level: See ``read_labelled_genes``.
    """
    if attribute == "product":
        values = [gene.product]
    elif attribute == "Ontology_term":
        values = GO_ID.findall(" ".join(gene.attributes.get(name, "") for name in GO_ATTRIBUTES))
    else:
        values = gene.attributes.get(attribute, "").split(",")
    if level is not None:
        values = [".".join(value.strip().split(".")[:level]) for value in values]
    if attribute == "EC_number":
        values = [EC_CLASSES.get(value, value) for value in values]
    return list(dict.fromkeys(value.strip() for value in values if value.strip()))


def _one_text(
    terms: list[str], unlabelled: str | None, separator: str, is_one: bool, where: str, log: WarningLog
) -> str | None:
    """The label as a table would hold it; None if the gene is to be left out."""
    if not terms and unlabelled is None:
        log.add("LABELS-101", f"{where}: no label; such genes are left out.")
    elif is_one and len(terms) > 1:
        log.add("LABELS-107", f"{where}: several labels ({', '.join(terms)[:80]}); left out.")
        return None
    return separator.join(terms) if terms else unlabelled


def _read(path: Path, shared: dict[str, Record], log: WarningLog) -> tuple[Annotation, dict[str, Record]]:
    """Genes and sequences: those of a flat file itself, else those of the FASTA files, whose contigs are kept."""
    annotation = read_annotation(path, warnings=log)
    if is_flat_file(path):
        return annotation, {record.id: record for record in read_flat_records(path)}
    if not shared:
        return annotation, {}
    matched = match_ids(list(shared), annotation.contigs, warnings=log, spelled=annotation.named)
    kept = replace(annotation, genes=[gene for gene in annotation.genes if gene.contig in matched])
    records = {contig: shared[fasta_id] for contig, fasta_id in matched.items()}
    return close_circles(kept, {contig: len(record) for contig, record in records.items()}, log), records


def _coding_bases(records: dict[str, Record], gene: Gene, genetic_code: int, where: str) -> np.ndarray:
    """The CDS from its first whole codon on, with its stop codon."""
    record = records.get(gene.contig)
    if record is None or gene.start >= len(record) or gene.end > 2 * len(record):
        what = "the contig has no sequence" if record is None else "the gene lies beyond the end of its contig"
        raise DataError("LABELS-018", f"{what}.", where=where, fix="Give the FASTA file with data.fasta.")
    (whole,) = include_stop_codons(record.codes, [gene], genetic_code, circular=gene.end > len(record))
    return coding_sequence(record.codes, whole)[gene.phase_offset :]
