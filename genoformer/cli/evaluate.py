"""``genoformer evaluate``: scores of predicted genes, functions or structures against a reference."""

import argparse
from pathlib import Path

TASKS = ("gene_structure", "gene_structure_eukaryote", "function", "rna_pairs", "codon_structure", "contacts")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("predicted", type=Path, help="GFF3 or GenBank file, or an output folder of predict")
    parser.add_argument(
        "reference",
        type=Path,
        help="GFF3, GTF or GenBank file; a table with labels; for base pairs also dot-bracket, bpseq or CT",
    )
    parser.add_argument("--task", choices=TASKS, help="what is compared; by default what the predicted folder holds")
    parser.add_argument("--id-column", default="id", help="column of the ids in a table with labels")
    parser.add_argument("--label-column", default="label", help="column of the labels")
    parser.add_argument("--label-separator", default=";", help="between the terms of one sequence")
    parser.add_argument("--ontology", type=Path, help="OBO file of the terms, for a model that was trained with one")
    parser.add_argument(
        "--source", nargs="+", default=[], help="only rows of the reference with these words in column 2"
    )
    parser.add_argument("--fasta", type=Path, help="the genome: contig names and lengths")
    parser.add_argument(
        "--seqid-map", type=Path, help="table of two columns: id in an annotation, id in the FASTA file"
    )
    parser.add_argument(
        "--min-f1",
        type=float,
        help="exit with 1 when F1 (3' ends; exons; macro; micro for terms; pairs) is lower; 0 to 1",
    )
    parser.add_argument("-o", "--out", type=Path, help="write the scores as JSON")
    parser.add_argument("--plot", type=Path, help="draw the reliability of functions as PNG; needs matplotlib")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")


def run(args: argparse.Namespace) -> int:
    """Score, print and check; returns the exit code.

    Raises:
        UsageError: If ``--min-f1`` is outside [0, 1].
        CheckFailedError: If the F1 of 3' ends is below ``--min-f1``.
    """
    import json
    import sys

    from genoformer.errors import CheckFailedError, UsageError, WarningLog
    from genoformer.files import write_json_atomic

    if args.min_f1 is not None and not 0 <= args.min_f1 <= 1:
        raise UsageError("OPTION-002", f"expected a number from 0 to 1, found {args.min_f1}.", where="--min-f1")
    warnings = WarningLog()
    compare, table = _comparison(args)
    scores, measure, f1 = compare(args, warnings)
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    if args.out:
        write_json_atomic(args.out, scores)
    if args.plot:
        _plot(args.plot, scores)
    print(json.dumps(scores, sort_keys=True, indent=2) if args.json else table(scores))
    if args.min_f1 is not None and f1 < args.min_f1:
        raise CheckFailedError(
            "EVAL-004", f"{measure} is {f1:.4f}, at least {args.min_f1} was asked.", where=str(args.predicted)
        )
    return 0


def _plot(path: Path, scores: dict) -> None:
    from genoformer.errors import UsageError
    from genoformer.report.reliability import write_reliability_plot

    if "reliability" not in scores:
        raise UsageError("EVAL-015", "there are no probabilities of functions to draw.", where="--plot")
    write_reliability_plot(path, scores["reliability"], ece=scores["ece"], brier=scores["brier"])


def _comparison(args: argparse.Namespace):
    """What compares, and what makes a table of it."""
    holds = {name for name in ("functions.tsv", "genes.gff3") if (args.predicted / name).is_file()}
    if args.task == "function" or (args.task is None and holds == {"functions.tsv"}):
        return _compare_functions, format_functions
    if args.task == "rna_pairs" or (args.task is None and (args.predicted / "pairs.dbn").is_file()):
        return _compare_pairs, format_pairs
    if args.task == "codon_structure" or (args.task is None and (args.predicted / "structure.tsv").is_file()):
        return _compare_states, format_states
    if args.task == "contacts" or (args.task is None and (args.predicted / "contacts.h5").is_file()):
        return _compare_contacts, format_contacts
    if args.task == "gene_structure_eukaryote":
        return _compare_genes_with_introns, format_intron_table
    return _compare_genes, format_table


def _compare_genes(args: argparse.Namespace, warnings) -> tuple[dict, str, float]:
    scores = _evaluated_genes(args, warnings)
    return scores, "the F1 of 3' ends", scores["genes"]["three_prime"]["f1"]


def _compare_genes_with_introns(args: argparse.Namespace, warnings) -> tuple[dict, str, float]:
    scores = _evaluated_genes(args, warnings)
    return scores, "the F1 of exons", scores["exon"]["f1"]


def _evaluated_genes(args: argparse.Namespace, warnings) -> dict:
    from genoformer.annotation.seqids import read_seqid_map
    from genoformer.applications.genes.evaluate import evaluate_genes

    seqid_map = read_seqid_map(args.seqid_map) if args.seqid_map else None
    return evaluate_genes(
        args.predicted, args.reference, fasta=args.fasta, seqid_map=seqid_map, warnings=warnings,
        task=args.task or TASKS[0], sources=args.source,
    )  # fmt: skip


def _compare_functions(args: argparse.Namespace, warnings) -> tuple[dict, str, float]:
    from genoformer.applications.functions.evaluate import evaluate_functions
    from genoformer.labels.tables import TableColumns

    columns = TableColumns(label=args.label_column, id=args.id_column)
    scores = evaluate_functions(
        args.predicted, args.reference, columns, separator=args.label_separator, ontology=args.ontology,
        warnings=warnings,
    )  # fmt: skip
    measure = {"multiclass": "macro_f1", "multilabel": "micro_f1", "regression": "r2"}[scores["kind"]]
    return scores, measure, scores[measure]


def _compare_pairs(args: argparse.Namespace, warnings) -> tuple[dict, str, float]:
    from genoformer.applications.rna_pairs.evaluate import evaluate_pairs
    from genoformer.labels.tables import TableColumns

    label = "structure" if args.label_column == "label" else args.label_column
    columns = TableColumns(label=label, sequence="sequence", id=args.id_column)
    scores = evaluate_pairs(args.predicted, args.reference, columns, warnings=warnings)
    return scores, "the mean F1 of pairs", scores["f1"]


def _compare_contacts(args: argparse.Namespace, warnings) -> tuple[dict, str, float]:
    from genoformer.applications.contacts.evaluate import evaluate_contacts
    from genoformer.labels.tables import TableColumns

    label = "structure" if args.label_column == "label" else args.label_column
    columns = TableColumns(label=label, sequence="dna", id=args.id_column)
    scores = evaluate_contacts(args.predicted, args.reference, columns, warnings=warnings)
    return scores, "the precision of the best L/5 pairs", scores.get("all L/5", 0.0)


def format_contacts(scores: dict) -> str:
    """The scores as text."""
    lines = [f"{name:20}{value:9.4f}" for name, value in scores.items() if isinstance(value, float)]
    return "\n".join([*lines, f"{scores['n']} chains judged."])


def _compare_states(args: argparse.Namespace, warnings) -> tuple[dict, str, float]:
    from genoformer.applications.codon_structure.evaluate import evaluate_states
    from genoformer.labels.tables import TableColumns

    label = "states" if args.label_column == "label" else args.label_column
    scores = evaluate_states(args.predicted, args.reference, TableColumns(label=label, id=args.id_column),
                             warnings=warnings)  # fmt: skip
    return scores, "macro_f1", scores["macro_f1"]


def format_states(scores: dict) -> str:
    """The scores as text."""
    return format_functions(scores).replace(" sequences judged.", " codons judged.")


def format_pairs(scores: dict) -> str:
    """The scores as text."""
    lines = [f"{name:20}{value:9.4f}" for name, value in scores.items() if isinstance(value, float)]
    return "\n".join([*lines, f"{scores['n']} RNAs judged."])


def format_functions(scores: dict) -> str:
    """The scores as text: totals, then one row per class."""
    lines = [f"{name:20}{value:9.4f}" for name, value in scores.items() if isinstance(value, float)]
    for branch, row in scores.get("branches", {}).items():
        lines.append(f"{branch}: " + ", ".join(f"{name} {value:.4f}" for name, value in row.items()))
    per_class = scores.get("per_class", {})
    measures = list(next(iter(per_class.values()), {}))
    if measures:
        lines += ["", f"{'class':32}" + " ".join(f"{measure:>9}" for measure in measures)]
    for name, row in per_class.items():
        lines.append(f"{name:32}" + " ".join(f"{row[measure]:9.4f}" for measure in measures))
    return "\n".join([*lines, f"{scores['n']} sequences judged."])


def format_intron_table(scores: dict) -> str:
    """The scores of genes with introns as text, one row per measure."""
    names = {"donor": "donors", "acceptor": "acceptors", "splice_site": "splice sites", "exon": "exons, coding part",
             "chain": "chains of exons", "gene": "genes"}  # fmt: skip
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


def format_table(scores: dict) -> str:
    """The scores as text, one row per measure."""
    genes, plain = scores["genes"], scores["genes_nothing_ignored"]
    rows = [
        ("genes, 3' end", genes["three_prime"]),
        ("genes, exact", genes["exact"]),
        ("genes, 3' end, nothing ignored", plain["three_prime"]),
        ("genes, exact, nothing ignored", plain["exact"]),
        *((f"bases, {name.replace('_', ' ')}", row) for name, row in scores["bases"].items()),
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
