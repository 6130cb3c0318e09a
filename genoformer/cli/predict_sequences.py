"""``genoformer predict`` with a model that is not about genes: progress, warnings and the closing line."""

import argparse
import sys
from collections.abc import Callable

GENE_OPTIONS = (
    "genetic_code", "region", "mask", "across_gaps", "no_statistics", "metagenome", "adapt", "adapt_steps", "locus_tag",
    "shard",
)  # fmt: skip


def refuse_gene_options(args: argparse.Namespace, subject: str) -> None:
    """UsageError if an option was given that has a meaning for genes only; the model is for ``subject``."""
    from genoformer.errors import UsageError

    given = [name for name in GENE_OPTIONS if getattr(args, name) not in (None, False, "")]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise UsageError("FUNCTION-002", f"a model for {subject} takes no {option}: it is about genes.", where=option)


def run_sequence_prediction(args: argparse.Namespace, subject: str, predict: Callable[..., dict]) -> int:
    """Predict with what all such models take from the command line, and say what came of it; returns the exit code.

    Args:
        args: Options of ``genoformer predict``.
        subject: What is predicted, in words.
        predict: Takes ``on_bad_record``, ``overwrite``, ``dry_run``, ``on_bases`` and ``warnings``; gives the summary.
    """
    from tqdm import tqdm

    from genoformer.errors import WarningLog

    warnings = WarningLog()
    with tqdm(unit="bp", unit_scale=True, desc=subject, file=sys.stderr, disable=None, delay=1) as bar:
        summary = predict(
            on_bad_record=args.on_bad_record, overwrite=args.overwrite, dry_run=args.dry_run, on_bases=bar.update,
            warnings=warnings,
        )  # fmt: skip
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    records = f"{summary['n_records']} records, {summary['n_bases']:,} bp"
    if summary.get("dry_run"):
        print(f"{records}: would write to {args.out}")
    elif summary.get("nothing_to_do"):
        print(f"nothing to do: {args.out} holds {subject} of {records}")
    else:
        print(f"{subject} of {records}: {args.out}")
    return 0
