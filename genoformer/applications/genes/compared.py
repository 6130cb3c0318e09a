"""Two annotations of one genome made comparable: the same names of contigs, the same ends of genes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genoformer.annotation.models import Annotation, Gene
from genoformer.annotation.origin import close_circles
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.seqids import MAP_HELP, find_partners, listed_ids, match_ids, read_seqid_map
from genoformer.annotation.stop_codons import STOPS_WITHOUT_CODE, include_stop_codons
from genoformer.applications.genes.outputs import GENES_GFF3
from genoformer.errors import DataError, WarningLog
from genoformer.inference.comparison import Question


@dataclass(frozen=True)
class Compared:
    """Two annotations of one genome.

    Attributes:
        predicted: What is judged.
        reference: What is true.
        lengths: Length in bp of each contig that is judged; both annotations use these names.
    """

    predicted: Annotation
    reference: Annotation
    lengths: dict[str, int]


def options_of(question: Question, warnings: WarningLog) -> dict[str, Any]:
    """What a command line says, as options of ``read_compared``."""
    seqid_map = read_seqid_map(question.seqid_map) if question.seqid_map else None
    return {
        "fasta": question.fasta, "seqid_map": seqid_map, "warnings": warnings, "sources": question.sources,
    }  # fmt: skip


def read_compared(
    predicted_path: str | Path,
    reference_path: str | Path,
    *,
    fasta: str | Path | None = None,
    seqid_map: dict[str, str] | None = None,
    warnings: WarningLog | None = None,
    sources: Collection[str] = (),
) -> Compared:
    """Read predicted genes and a reference annotation, with the same names of contigs.

    Contigs that the reference names are judged, by a row of any kind, a directive or a record; predictions elsewhere
    are neither right nor wrong. Given the genome, a CDS that ends before its stop codon gets it, in both files.

    Args:
        predicted_path: GFF3, GTF, GenBank or EMBL file, or an output folder of ``predict``.
        reference_path: GFF3, GTF, GenBank or EMBL file.
        fasta: The genome, FASTA, GenBank or EMBL; gives contig names and lengths, and finds annotations of another
            assembly.
        seqid_map: Contig id of the FASTA file (without one: of the reference) by id in the annotations.
        warnings: Counts what the readers repaired, contigs whose length no file says, and those that are not judged.
        sources: Only rows of the reference with one of these words in column 2; all when empty.

    Raises:
        MissingFileError: If a file is not there.
        DataError: If one cannot be read, contig ids do not match, or a gene lies beyond its contig.
    """
    log = WarningLog() if warnings is None else warnings
    predicted_file = _genes_file(Path(predicted_path))
    predicted = read_annotation(predicted_file, warnings=log)
    reference = read_annotation(reference_path, warnings=log, sources=sources)
    if not reference.contigs:
        raise DataError(
            "EVAL-021", "the reference names no sequence: nothing can be judged.", where=str(reference_path)
        )
    known = {record.id: len(record) for record in read_records(fasta)} if fasta else None
    if known is None:
        pair = _rename_as_reference(predicted, reference, seqid_map or {}, log)
    else:
        pair = _rename_as_fasta(predicted, reference, known, seqid_map or {}, log)
    predicted, reference = pair
    lengths = _find_lengths(predicted, reference, known, log)
    predicted, reference = (close_circles(_only(each, lengths), lengths, log) for each in (predicted, reference))
    circular = predicted.circular | reference.circular
    for path, annotation in ((predicted_file, predicted), (reference_path, reference)):
        _check_inside(annotation.genes, lengths, circular, path)
    if fasta:
        predicted, reference = _with_stop_codons(predicted, reference, fasta, circular)
    else:
        _compare_stop_codons(predicted, reference, log)
    return Compared(predicted, reference, lengths)


def _genes_file(path: Path) -> Path:
    return path / GENES_GFF3 if path.is_dir() else path


def _rename_as_fasta(
    predicted: Annotation, reference: Annotation, known: dict[str, int], seqid_map: dict[str, str], log: WarningLog
) -> list[Annotation]:
    """Both annotations with the contig names of the FASTA file; what it does not hold is left out and counted."""
    names = list(known)
    pairs = (("the prediction", predicted), ("the reference", reference))
    return [
        _renamed(a, match_ids(names, a.contigs, seqid_map, warnings=log, what=what, spelled=a.named))
        for what, a in pairs
    ]


def _rename_as_reference(
    predicted: Annotation, reference: Annotation, seqid_map: dict[str, str], log: WarningLog
) -> list[Annotation]:
    """Both annotations with the contig names of the reference, or those that the map gives for them."""
    reference = _renamed(reference, {contig: seqid_map.get(contig, contig) for contig in reference.contigs})
    partners = find_partners(reference.contigs, predicted.contigs, seqid_map)
    matched = {contig: name for contig, name in partners.items() if name is not None}
    lost = [contig for contig in partners if contig not in matched]
    if lost and not matched:
        message = f"{len(lost)} sequence ids of the prediction ({listed_ids(lost)}) match none, or several, of those of"
        raise DataError("SEQID-001", f"{message} the reference ({listed_ids(reference.contigs)}).", fix=MAP_HELP)
    for contig in lost:
        log.add("EVAL-020", _not_judged(contig))
    return [_renamed(predicted, matched), reference]


def _not_judged(contig: str) -> str:
    return f"the reference does not name {contig!r}, where predictions are not judged"


def _renamed(annotation: Annotation, names: dict[str, str]) -> Annotation:
    """The same annotation with other names of contigs; those without a name are left out."""
    if len(set(names.values())) < len(names):
        twice = next(new for new in names.values() if list(names.values()).count(new) > 1)
        raise DataError("SEQID-002", f"two ids mean the sequence {twice!r}.", fix=MAP_HELP)
    return Annotation(
        genes=[replace(gene, contig=names[gene.contig]) for gene in annotation.genes if gene.contig in names],
        contig_lengths={names[contig]: bp for contig, bp in annotation.contig_lengths.items() if contig in names},
        circular={names[contig] for contig in annotation.circular if contig in names},
        genetic_codes={names[contig]: code for contig, code in annotation.genetic_codes.items() if contig in names},
        named={names[contig]: names[contig] for contig in annotation.contigs if contig in names},
        rna_genes=[replace(gene, contig=names[gene.contig]) for gene in annotation.rna_genes if gene.contig in names],
    )


def _find_lengths(
    predicted: Annotation, reference: Annotation, known: dict[str, int] | None, log: WarningLog
) -> dict[str, int]:
    """Length of each contig that the reference names."""
    judged = set(reference.contigs)
    for contig in dict.fromkeys([*(known or ()), *predicted.contigs]):
        if contig not in judged:
            log.add("EVAL-020", _not_judged(contig))
    if known is not None:
        return {contig: length_bp for contig, length_bp in known.items() if contig in judged}
    last: dict[str, int] = {}
    for gene in (*predicted.genes, *reference.genes):
        last[gene.contig] = max(gene.end, last.get(gene.contig, 0))
    return {contig: _length_of(contig, predicted, reference, last.get(contig, 1), log) for contig in reference.contigs}


def _length_of(contig: str, predicted: Annotation, reference: Annotation, last_bp: int, log: WarningLog) -> int:
    stated = {a.contig_lengths[contig] for a in (predicted, reference) if contig in a.contig_lengths}
    if len(stated) > 1:
        raise DataError(
            "EVAL-002", f"contig {contig!r} has {' and '.join(map(str, sorted(stated)))} bp in the two files.",
            fix="Compare annotations of the same assembly.",
        )  # fmt: skip
    if not stated:
        log.add("EVAL-001", f"no file says the length of {contig!r}; it ends with its last gene. Give --fasta.")
    return stated.pop() if stated else last_bp


def _only(annotation: Annotation, contigs: Collection[str]) -> Annotation:
    return replace(
        annotation, genes=[gene for gene in annotation.genes if gene.contig in contigs],
        rna_genes=[gene for gene in annotation.rna_genes if gene.contig in contigs],
    )  # fmt: skip


def _check_inside(genes: Iterable[Gene], lengths: dict[str, int], circular: set[str], path: str | Path) -> None:
    for gene in genes:
        length = lengths[gene.contig]
        if gene.start >= length or gene.end > (2 * length if gene.contig in circular else length):
            raise DataError(
                "EVAL-003",
                f"gene {gene.id!r} at {gene.start + 1}..{gene.end} lies beyond {gene.contig!r} of {length} bp.",
                where=str(path),
                fix="Compare annotations of the same assembly.",
            )


def _with_stop_codons(
    predicted: Annotation, reference: Annotation, fasta: str | Path, circular: set[str]
) -> tuple[Annotation, Annotation]:
    """Both annotations, each CDS with its stop codon as the sequence says."""
    pair = (predicted, reference)
    found: tuple[list[Gene], list[Gene]] = ([], [])
    by_contig = tuple(annotation.by_contig() for annotation in pair)
    for record in read_records(fasta):
        codes = [annotation.genetic_codes.get(record.id) for annotation in pair]
        code = codes[1] or codes[0] or STOPS_WITHOUT_CODE
        for genes, own in zip(found, by_contig, strict=True):
            genes += include_stop_codons(record.codes, own.get(record.id, []), code, circular=record.id in circular)
    return replace(predicted, genes=found[0]), replace(reference, genes=found[1])


def _compare_stop_codons(predicted: Annotation, reference: Annotation, log: WarningLog) -> None:
    """Warn when most genes differ by their stop codon only, so that every score of genes would be of that alone."""
    ends = {_five_prime(gene): gene.length_bp for gene in reference.genes if not gene.pseudo}
    differences = [gene.length_bp - ends[_five_prime(gene)] for gene in predicted.genes if _five_prime(gene) in ends]
    if any(2 * differences.count(bp) > len(differences) for bp in (3, -3)):
        log.add(
            "EVAL-022", "most genes of one file end before the stop codon and those of the other behind it, which "
            "counts as wrong; give the genome with --fasta, whose bases decide.",
        )  # fmt: skip


def _five_prime(gene: Gene) -> tuple[str, int, str]:
    return gene.contig, *gene.five_prime
