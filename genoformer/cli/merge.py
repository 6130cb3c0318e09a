"""``genoformer merge``: one prediction from the shards that ``predict --shard`` made."""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("shards", type=Path, help="folder that was given to predict --shard with -o")
    parser.add_argument("-o", "--out", required=True, type=Path, help="output folder")
    parser.add_argument("--fasta", nargs="+", help="the FASTA files, if they are not where the shards found them")
    parser.add_argument("--model", help="the model, if it is not where the shards found it")
    parser.add_argument("--overwrite", action="store_true", help="replace another prediction in the folder")
    parser.epilog = "Everything else, such as --formats and --locus-tag, is as it was given to predict --shard."


def run(args: argparse.Namespace) -> int:
    """Put the shards together; returns the exit code."""
    from genoformer.applications.genes.shards import merge_shards
    from genoformer.cli.predict import closing_line
    from genoformer.errors import WarningLog
    from genoformer.nn.allocator import tune_allocator

    tune_allocator()
    warnings = WarningLog()
    summary = merge_shards(
        args.shards, args.out, fasta=args.fasta, model=args.model, overwrite=args.overwrite, warnings=warnings
    )
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    print(closing_line(summary, args.out))
    return 0
