"""Compare two annotations of the same genome: the same call for our predictions and for those of other programs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from genoformer.annotation.gene_sequence import coding_positions
from genoformer.annotation.models import Annotation, Gene
from genoformer.annotation.tracks import CODON_0, CODON_1, CODON_2
from genoformer.applications.genes.compared import options_of, read_compared
from genoformer.applications.genes.outputs import GENES_GFF3
from genoformer.errors import WarningLog
from genoformer.inference.comparison import Comparison, Question
from genoformer.metrics.bases import binary_scores
from genoformer.metrics.genes import Coverage, GeneCounts, count_genes, is_counted, masked_spans, split_at_origin
from genoformer.metrics.introns import have_introns
from genoformer.metrics.rna_genes import score_rna_genes

TASK = "gene_structure"
CODING = CODON_0 | CODON_1 | CODON_2
BASE_CLASSES = ("coding", "coding_plus", "coding_minus", "codon_0", "codon_1", "codon_2", "intergenic")


def evaluate_genes(predicted_path: str | Path, reference_path: str | Path, **options: Any) -> dict[str, Any]:
    """Score predicted genes against a reference annotation.

    Under "genes", predictions in masked spans of the reference (see ``metrics.genes``) are ignored. Under
    "genes_nothing_ignored" each of them counts as wrong: scores of the two kinds must not be compared.

    Args:
        predicted_path: See ``read_compared``.
        reference_path: The same.
        options: The same.

    Returns:
        "genes" and "genes_nothing_ignored" (as ``GeneCounts.compute``), "bases" (scores by class of ``BASE_CLASSES``,
        with tp, fp, fn and tn), "n_contigs", "n_bases" and "task"; where both sides have genes of rRNA or tRNA also
        "rna" (see ``metrics.rna_genes``); JSON types only.

    Raises:
        MissingFileError: If a file is not there.
        DataError: If one cannot be read, contig ids do not match, or a gene lies beyond its contig.
    """
    compared = read_compared(predicted_path, reference_path, **options)
    return score_annotations(compared.predicted, compared.reference, compared.lengths)


def score_annotations(predicted: Annotation, reference: Annotation, lengths: dict[str, int]) -> dict:
    """The scores of ``evaluate_genes``; both annotations use the contig names of ``lengths`` (in bp)."""
    found, expected = predicted.by_contig(), reference.by_contig()
    strict, plain = GeneCounts(), GeneCounts()
    bases = np.zeros((len(BASE_CLASSES), 4), dtype=np.int64)
    for contig, length in lengths.items():
        pair = found.get(contig, []), expected.get(contig, [])
        strict += count_genes(*pair, lengths=lengths)
        plain += count_genes(*pair, lengths=lengths, ignore_masked=False)
        bases += count_bases(*pair, length)
    scores = {
        "task": TASK,
        "n_contigs": len(lengths),
        "n_bases": sum(lengths.values()),
        "genes": strict.compute(),
        "genes_nothing_ignored": plain.compute(),
        "bases": {name: _scores_of(row.tolist()) for name, row in zip(BASE_CLASSES, bases, strict=True)},
    }
    ours, true = ([gene for gene in side.rna_genes if gene.contig in lengths] for side in (predicted, reference))
    return {**scores, "rna": score_rna_genes(ours, true, lengths)} if ours and true else scores


def _scores_of(counts: list[int]) -> dict[str, float]:
    return {**binary_scores(*counts), **dict(zip(("tp", "fp", "fn", "tn"), counts, strict=True))}


def count_bases(predicted: Iterable[Gene], reference: Iterable[Gene], length_bp: int) -> np.ndarray:
    """Confusion counts of one contig, int64 [C, 4]: tp, fp, fn, tn of each of ``BASE_CLASSES``.

    The coding and codon classes are counted on each strand by itself, "intergenic" (coding on neither strand) once for
    each position. Bases in masked spans of the reference do not count. Only bases that lie in a gene are looked at, one
    by one; the rest is not coding in either annotation.
    """
    spans = [span for gene in (*predicted, *reference) for span in ((gene.start, gene.end), *masked_spans(gene))]
    touched = Coverage(piece for span in spans for piece in split_at_origin(span, length_bp))
    truth = paint_codons([gene for gene in reference if is_counted(gene)], length_bp, touched)
    found = paint_codons([gene for gene in predicted if not gene.pseudo], length_bp, touched)
    real = np.ones(touched.n_bp, dtype=bool)
    for gene in reference:
        for span in () if is_counted(gene) else masked_spans(gene):
            for start, end in split_at_origin(span, length_bp):
                real[touched.ranks(np.arange(start, end))] = False
    truth, found = truth[:, real], found[:, real]
    pairs = [(truth & CODING != 0, found & CODING != 0)]
    pairs += [(pairs[0][0][row], pairs[0][1][row]) for row in (0, 1)]
    pairs += [(truth & bit != 0, found & bit != 0) for bit in (CODON_0, CODON_1, CODON_2)]
    pairs += [((truth & CODING == 0).all(axis=0), (found & CODING == 0).all(axis=0))]
    counts = np.array([_confusion(*pair) for pair in pairs])
    outside = length_bp - touched.n_bp
    counts[:-1, 3] += outside * np.array([truth.shape[0] if a.ndim == 2 else 1 for a, _ in pairs[:-1]])
    counts[-1, 0] += outside
    return counts


def _confusion(truth: np.ndarray, found: np.ndarray) -> tuple[int, int, int, int]:
    tp, n_true, n_found = (int(np.count_nonzero(part)) for part in (truth & found, truth, found))
    return tp, n_found - tp, n_true - tp, truth.size - n_true - n_found + tp


def paint_codons(genes: Iterable[Gene], length_bp: int, touched: Coverage) -> np.ndarray:
    """Codon position bits of genes, uint8 [2, n], row 0 for "+"; no sequence is looked at.

    A trans-spliced gene is left out: its parts have no reading order.

    Args:
        genes: Genes of one contig.
        length_bp: Length of the contig.
        touched: Stretches that hold all of the genes; a column stands for one base of these.
    """
    tracks = np.zeros((2, touched.n_bp), dtype=np.uint8)
    for gene in genes:
        if gene.trans_spliced:
            continue
        positions = touched.ranks(coding_positions(gene, length_bp))
        row = tracks[0 if gene.strand == "+" else 1]
        row[positions] |= np.left_shift(1, (np.arange(len(positions)) - gene.phase_offset) % 3).astype(np.uint8)
    return tracks


def _compare(question: Question, warnings: WarningLog) -> dict[str, Any]:
    compared = read_compared(question.predicted, question.reference, **options_of(question, warnings))
    if question.task is None and have_introns(compared.reference.genes):
        warnings.add(
            "EVAL-018", "most genes of several parts in the reference have introns, and nothing says that the "
            "predicted ones have; they were scored as genes without. Give --task gene_structure_eukaryote.",
        )  # fmt: skip
    return score_annotations(compared.predicted, compared.reference, compared.lengths)


def format_table(scores: dict) -> str:
    """The scores as text, one row per measure."""
    genes, plain = scores["genes"], scores["genes_nothing_ignored"]
    rows = [
        ("genes, 3' end", genes["three_prime"]),
        ("genes, exact", genes["exact"]),
        ("genes, 3' end, nothing ignored", plain["three_prime"]),
        ("genes, exact, nothing ignored", plain["exact"]),
        *((f"bases, {name.replace('_', ' ')}", row) for name, row in scores["bases"].items()),
        *((f"{kind} genes, half of the bases", row) for kind, row in scores.get("rna", {}).items()),
    ]
    lines = [f"{'':32}precision    recall        F1       MCC"]
    for name, row in rows:
        numbers = [row["precision"], row["recall"], row["f1"], *([row["mcc"]] if "mcc" in row else [])]
        lines.append(f"{name:32}" + " ".join(f"{number:9.4f}" for number in numbers))
    lines.append(
        f"{genes['n_predicted']} predicted genes counted, {genes['n_ignored']} ignored in masked spans; "
        f"{genes['n_reference']} reference genes counted, {genes['n_masked']} masked "
        "(joined, pseudo, partial or trans-spliced)."
    )
    return "\n".join(lines)


def _headline(scores: dict[str, Any]) -> tuple[str, float]:
    return "the F1 of 3' ends", scores["genes"]["three_prime"]["f1"]


COMPARISON = Comparison(_compare, format_table, _headline, (GENES_GFF3,))
