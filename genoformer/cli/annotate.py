"""``genoformer annotate``: from bare FASTA to genes with functions."""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from genoformer.applications import find_application, needed, result_names
from genoformer.applications.functions.confidence import min_score_of
from genoformer.applications.functions.sequence_kind import check_reads_genes
from genoformer.applications.genes.request import GeneRequest
from genoformer.bundle.header import read_header
from genoformer.cli.loading import loading
from genoformer.cli.option_values import check_share
from genoformer.cli.prediction import (
    add_input_arguments,
    add_output_arguments,
    check_hints,
    check_machine,
    closing_line,
    load_on_device,
    say,
    shown_progress,
    speed_of,
)
from genoformer.errors import DataError, WarningLog
from genoformer.inference.bundle_digests import fitted_record
from genoformer.inference.run import Job, predict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_input_arguments(parser)
    parser.add_argument(
        "--structure", default="prokaryotes", help="model that finds genes: a folder, or a shipped model"
    )
    parser.add_argument("--function", required=True, help="model that says what genes do: a folder, or a shipped model")
    parser.add_argument(
        "--min-score", type=float,
        help="least probability of a label, 0 to 1: genes below stay without; by default what validation says",
    )  # fmt: skip
    add_output_arguments(parser, f"of {', '.join(GeneRequest.known_formats.load())}")
    GeneRequest.add_arguments(parser.add_argument_group("genes"))


def run(args: argparse.Namespace) -> int:
    """Find genes and their functions and write them; returns the exit code."""
    check_machine(args)
    check_share(args.min_score, "--min-score")
    structure, function = read_header(args.structure), read_header(args.function)
    application = find_application(structure.config.task, where=structure.name)
    if application.request is None or application.request.load() is not GeneRequest:
        message = f'the model is for "{structure.config.task}", it finds no genes.'
        raise DataError("MODEL-007", message, where=structure.name)
    check_hints(args, application, structure)
    request, warnings = GeneRequest.from_arguments(args, structure), WarningLog()
    fitted = function.calibration.get(function.config.task)
    calibration = fitted if isinstance(fitted, dict) else {}  # what else it is, the model says when it is loaded
    check_reads_genes(function, calibration, warnings)
    min_score = min_score_of(calibration, function.name, args.min_score, warnings)
    about = {"model_digest": function.digest, "calibration": fitted_record(calibration), "min_score": min_score}
    request = replace(request, functions=about)

    def load(paths: list[str], scan: Any, work: Path) -> Any:
        with loading():
            from genoformer.applications.functions.caller import FunctionCaller
            from genoformer.applications.genes.functions import GeneFunctions, check_names_functions

            predictor, bundle = needed(application.predictor, structure.config.task), load_on_device(structure, args)
            speed, function_bundle = speed_of(args), load_on_device(function, args)
        caller = FunctionCaller.from_bundle(function_bundle, speed)
        check_names_functions(caller)
        functions = partial(GeneFunctions, caller, min_score=min_score, warnings=warnings)
        return predictor.from_bundle(request, bundle, speed, functions)

    with shown_progress("genes") as bar:
        job = Job(
            args.fasta, request, structure, load, result_names(),
            also_read=[path for path in (args.mask, args.hints) if path],
            warnings=warnings, on_start=bar.reset, on_bases=bar.update,
        )  # fmt: skip
        summary = predict(job, args.out, overwrite=args.overwrite, dry_run=args.dry_run)
    say(warnings, closing_line(summary, args.out, "genes"), summary)
    return 0
