"""Compare two annotations of genes with introns."""

from pathlib import Path
from typing import Any

from genoformer.annotation.models import Annotation
from genoformer.applications.genes.compared import options_of, read_compared
from genoformer.applications.genes.outputs import GENES_GFF3
from genoformer.errors import WarningLog
from genoformer.inference.comparison import Comparison, Question
from genoformer.metrics.introns import IntronCounts, count_intron_genes

TASK = "gene_structure_eukaryote"


def evaluate_intron_genes(predicted_path: str | Path, reference_path: str | Path, **options: Any) -> dict[str, Any]:
    """Score predicted genes with introns against a reference annotation; arguments and errors as ``read_compared``."""
    compared = read_compared(predicted_path, reference_path, **options)
    return score_intron_genes(compared.predicted, compared.reference, compared.lengths)


def score_intron_genes(predicted: Annotation, reference: Annotation, lengths: dict[str, int]) -> dict:
    """Scores of genes with introns, see ``intron_metrics``; both annotations use the contig names of ``lengths``."""
    found, expected = predicted.by_contig(), reference.by_contig()
    pairs = ((found.get(contig, []), expected.get(contig, []), length) for contig, length in lengths.items())
    counts = sum((count_intron_genes(*pair) for pair in pairs), IntronCounts())
    return {"task": TASK, "n_contigs": len(lengths), "n_bases": sum(lengths.values()), **counts.compute()}


def _compare(question: Question, warnings: WarningLog) -> dict[str, Any]:
    return evaluate_intron_genes(question.predicted, question.reference, **options_of(question, warnings))


def format_intron_table(scores: dict) -> str:
    """The scores of genes with introns as text, one row per measure."""
    names = {"donor": "donors", "acceptor": "acceptors", "splice_site": "splice sites", "exon": "exons, coding part",
             "chain": "chains of exons", "isoform": "chains of all isoforms", "gene": "genes"}  # fmt: skip
    rows = [(title, scores[level]) for level, title in names.items()]
    rows += [(f"bases, {name}", row) for name, row in scores["bases"]["classes"].items()]
    lines = [f"{'':32}precision    recall        F1       MCC"]
    for name, row in rows:
        numbers = [row["precision"], row["recall"], row["f1"], *([row["mcc"]] if "mcc" in row else [])]
        lines.append(f"{name:32}" + " ".join(f"{number:9.4f}" for number in numbers))
    bases, genes = scores["bases"], scores["gene"]
    lines.append(f"MCC of all classes of bases {bases['mcc']:.4f}, with the strand {bases['mcc_stranded']:.4f}.")
    lines.append(
        f"{genes['predicted']} predicted genes, {genes['reference']} reference genes, {scores['n_masked']} masked "
        "(pseudo, partial or trans-spliced)."
    )
    return "\n".join(lines)


def _headline(scores: dict[str, Any]) -> tuple[str, float]:
    return "the F1 of exons", scores["exon"]["f1"]


COMPARISON = Comparison(_compare, format_intron_table, _headline, (GENES_GFF3,))
