"""``genoformer evaluate``: scores of predicted genes, functions or structures against a reference."""

import argparse
import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from genoformer.applications import APPLICATIONS, DEFAULT_TASK, needed
from genoformer.inference.folder import read_description
from genoformer.inference.formats import file_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    tasks = [task for task, application in APPLICATIONS.items() if application.compare]
    parser.add_argument("predicted", type=Path, help="GFF3 or GenBank file, or an output folder of predict")
    parser.add_argument(
        "reference",
        type=Path,
        help="GFF3, GTF or GenBank file; a table with labels; for base pairs also dot-bracket, bpseq or CT",
    )
    parser.add_argument("--task", choices=tasks, help="what is compared; by default what the predicted folder holds")
    parser.add_argument("--id-column", default="id", help="column of the ids in a table with labels")
    parser.add_argument("--label-column", help="column of the labels (label; structure or states for structures)")
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
        CheckFailedError: If the score that counts is below ``--min-f1``.
    """
    import sys

    from genoformer.errors import CheckFailedError, UsageError, WarningLog
    from genoformer.files import MANIFEST_NAME, check_file_place, verify_manifest, write_json_atomic

    if args.min_f1 is not None and not 0 <= args.min_f1 <= 1:
        raise UsageError("OPTION-002", f"expected a number from 0 to 1, found {args.min_f1}.", where="--min-f1")
    for path in filter(None, (args.out, args.plot)):
        check_file_place(path)
    warnings = WarningLog()
    task = args.task or stated_task(args.predicted)
    judged = task or likely_task(args.predicted)
    comparison = needed(APPLICATIONS[judged].compare, judged)
    if (args.predicted / MANIFEST_NAME).is_file():
        verify_manifest(args.predicted, comparison.reads)
    scores = comparison.compare(_question(args, task), warnings)
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    if args.out:
        write_json_atomic(args.out, scores)
    if args.plot:
        _plot(args.plot, scores)
    print(json.dumps(scores, sort_keys=True, indent=2) if args.json else comparison.table(scores))
    measure, value = comparison.headline(scores)
    if args.min_f1 is not None and value < args.min_f1:
        raise CheckFailedError(
            "EVAL-004", f"{measure} is {value:.4f}, at least {args.min_f1} was asked.", where=str(args.predicted)
        )
    return 0


def stated_task(predicted: Path) -> str | None:
    """The task that the folder of a prediction states, for itself and for the files that belong to it."""
    folder = predicted if predicted.is_dir() else predicted.parent
    try:
        task = read_description(folder / "summary.json")["task"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    belongs = predicted.is_dir() or any(fnmatch(predicted.name, name) for name in _files_of(task))
    return task if belongs and _files_of(task) else None


def likely_task(predicted: Path) -> str:
    """The task whose files a folder holds; the first one for a file, and where several would do."""
    held = [task for task in APPLICATIONS if any(next(predicted.glob(name), None) for name in _files_of(task))]
    return DEFAULT_TASK if DEFAULT_TASK in held or not held else held[0]


def _files_of(task: Any) -> list[str]:
    """Names, and patterns of names, of the files of predictions that can be compared; none for other tasks."""
    application = APPLICATIONS.get(task) if isinstance(task, str) else None
    if application is None or application.formats is None or application.compare is None:
        return []
    return file_names(application.formats.load())


def _question(args: argparse.Namespace, task: str | None) -> Any:
    from genoformer.inference.comparison import Question

    return Question(
        args.predicted, args.reference, task, id_column=args.id_column, label_column=args.label_column,
        label_separator=args.label_separator, ontology=args.ontology, sources=tuple(args.source), fasta=args.fasta,
        seqid_map=args.seqid_map,
    )  # fmt: skip


def _plot(path: Path, scores: dict) -> None:
    from genoformer.errors import UsageError
    from genoformer.report.reliability import write_reliability_plot

    if "reliability" not in scores:
        raise UsageError("EVAL-015", "there are no probabilities of functions to draw.", where="--plot")
    write_reliability_plot(path, scores["reliability"], ece=scores["ece"], brier=scores["brier"])
