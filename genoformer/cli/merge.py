"""``genoformer merge``: one prediction from the shards that ``predict --shard`` made."""

import argparse
from pathlib import Path
from typing import Any

from genoformer.applications import find_application, needed, result_names
from genoformer.bundle.header import read_header
from genoformer.cli.prediction import closing_line, say
from genoformer.errors import WarningLog
from genoformer.inference.interface import Speed
from genoformer.inference.run import Job
from genoformer.inference.shards import merge_shards, read_request, read_shards


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("shards", type=Path, help="folder that was given to predict --shard with -o")
    parser.add_argument("-o", "--out", required=True, type=Path, help="output folder")
    parser.add_argument("--fasta", nargs="+", help="the input, if it is not where the shards found it")
    parser.add_argument("--model", help="the model, if it is not where the shards found it")
    parser.add_argument("--overwrite", action="store_true", help="replace another prediction in the folder")
    parser.epilog = "Everything else, such as --formats and --locus-tag, is as it was given to predict --shard."


def run(args: argparse.Namespace) -> int:
    """Put the shards together; returns the exit code."""
    shards, warnings = read_shards(args.shards), WarningLog()
    header = read_header(args.model or shards.model)
    application = find_application(header.config.task, where=header.name)
    request = read_request(needed(application.request, header.config.task), shards)

    def load(paths: list[str], scan: Any, work: Path) -> Any:
        from genoformer.bundle.folder import load_bundle
        from genoformer.nn.allocator import tune_allocator

        tune_allocator()
        speed = Speed(precision=shards.key["precision"])
        return needed(application.predictor, header.config.task).from_bundle(request, load_bundle(header), speed)

    job = Job(args.fasta or shards.inputs, request, header, load, result_names(), warnings=warnings)
    summary = merge_shards(job, shards, args.out, overwrite=args.overwrite)
    say(warnings, closing_line(summary, args.out, application.subject), summary)
    return 0
