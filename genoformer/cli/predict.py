"""``genoformer predict``: genes, functions or structures of the sequences of FASTA, GenBank and EMBL files."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from genoformer.applications import APPLICATIONS, find_application, needed, result_names
from genoformer.applications.interface import Application
from genoformer.bundle.header import BundleHeader, read_header
from genoformer.cli.loading import loading
from genoformer.cli.prediction import (
    add_input_arguments,
    add_output_arguments,
    check_hints,
    check_machine,
    closing_line,
    described_formats,
    load_on_device,
    say,
    shown_progress,
    speed_of,
)
from genoformer.errors import UsageError, WarningLog
from genoformer.files.numbers import whole_number
from genoformer.inference.interface import CommandRequest
from genoformer.inference.parts import Part
from genoformer.inference.run import Job, predict
from genoformer.inference.shards import Shard, predict_shard

TABLES = "all models but those of genes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command: those of all models, then those of each kind of model."""
    add_input_arguments(parser)
    parser.add_argument("--model", default="prokaryotes", help="folder of a bundle, or name of a shipped model")
    add_output_arguments(parser, described_formats())
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="only the model pass of the I-th of N equal parts, for genoformer merge; auto: that of this process among "
        "those that srun or torchrun started",
    )
    for request, tasks in requests().items():
        titles = "; ".join(APPLICATIONS[task].title for task in tasks)
        group = parser.add_argument_group(f"models for {', '.join(tasks)} ({titles})")
        request.load().add_arguments(group)
        if APPLICATIONS[tasks[0]].adaptation:
            add_adapt_arguments(group)
    add_table_arguments(parser.add_argument_group(TABLES))


def add_table_arguments(group: argparse._ArgumentGroup) -> None:
    """Options of tables as input."""
    for option, what in (("--sequence-column", "sequences"), ("--id-column", "ids")):
        about = f"the input are tables (CSV, TSV, Parquet), and this column has the {what}"
        group.add_argument(option, metavar="NAME", help=about)


def add_adapt_arguments(group: argparse._ArgumentGroup) -> None:
    """Options of models that can be trained further on the input."""
    group.add_argument(
        "--adapt",
        action="store_true",
        help="first adapt the weights to the whole input, see genoformer adapt (minutes)",
    )
    group.add_argument("--adapt-steps", type=int, help="training steps of --adapt (500; fewer on little sequence)")


def requests() -> dict[Part[type[CommandRequest]], list[str]]:
    """Kinds of requests, with the tasks that have them."""
    kinds: dict[Part[type[CommandRequest]], list[str]] = {}
    for task, application in APPLICATIONS.items():
        if application.request:
            kinds.setdefault(application.request, []).append(task)
    return kinds


def run(args: argparse.Namespace) -> int:
    """Predict and write; returns the exit code."""
    check_machine(args)
    header = read_header(args.model)
    task = header.config.task
    application = find_application(task, where=header.name)
    asking = needed(application.request, task)
    refuse_options_of_others(args, application, task)
    check_hints(args, application, header)
    shard = None if args.shard is None else read_shard(args.shard, os.environ)
    request, warnings = asking.from_arguments(args, header), WarningLog()
    with shown_progress(application.subject) as bar:
        job = Job(
            args.fasta, request, header, loader(args, application, header, request), result_names(),
            also_read=[path for name in ("mask", "hints") if (path := getattr(args, name, None))], warnings=warnings,
            on_start=bar.reset, on_bases=bar.update,
        )  # fmt: skip
        if args.adapt:
            job = with_adaptation(args, application, job)
        if shard is None or args.dry_run:
            summary = predict(job, args.out, overwrite=args.overwrite, dry_run=args.dry_run)
            closing = closing_line(summary, args.out, application.subject)
        else:
            summary = {}
            folder, is_new = predict_shard(job, args.out, shard, model=args.model, overwrite=args.overwrite)
            part = f"shard {shard.number} of {shard.of}"
            closing = f"{part}: {folder}" if is_new else f"nothing to do: {folder} holds {part}"
    say(warnings, closing, summary)
    return 0


def loader(args: argparse.Namespace, application: Application, header: BundleHeader, request: Any) -> Any:
    """What loads the model of a prediction when there is work for it."""

    def load(paths: list[str], scan: Any, work: Path) -> Any:
        with loading():
            predictor, bundle = needed(application.predictor, header.config.task), load_on_device(header, args)
        return predictor.from_bundle(request, bundle, speed_of(args))

    return load


def with_adaptation(args: argparse.Namespace, application: Application, job: Job) -> Job:
    """A prediction for which the model is adapted to the input first."""
    from genoformer.cli.adapt import adaptation_of, load_adapted

    if getattr(args, "metagenome", False):
        raise UsageError("ADAPT-006", "a mixture of organisms is nothing to adapt to.", where="--metagenome")
    request: Any = job.request
    if request.call.other_code is not None:
        message = "a genome is adapted to with one genetic code."
        raise UsageError("ADAPT-008", message, where="--genetic-code auto", fix="Give the number of the code.")
    if args.shard is not None:
        message = "every shard would adapt the model for itself."
        fix = "Run genoformer adapt, and predict with its model."
        raise UsageError("SHARD-002", message, where="--adapt", fix=fix)
    settings = adaptation_of(args, request)
    request, load = load_adapted(args, application, job, settings)
    return replace(job, request=request, load=job.load if args.dry_run else load)


def refuse_options_of_others(args: argparse.Namespace, application: Application, task: str) -> None:
    """UsageError if an option was given that only other kinds of models have."""
    if not hasattr(needed(application.request, task), "reading_of"):
        for option, value in (("--sequence-column", args.sequence_column), ("--id-column", args.id_column)):
            if value is not None:
                message = f"a model for {task} takes no {option}: genes are found in FASTA, GenBank and EMBL files."
                raise UsageError("OPTION-004", message, where=option)
    for request, tasks in requests().items():
        if request == application.request:
            continue
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        other = APPLICATIONS[tasks[0]]
        group = parser.add_argument_group()
        request.load().add_arguments(group)
        if other.adaptation and not application.adaptation:
            add_adapt_arguments(group)
        for action in parser._actions:
            if getattr(args, action.dest) != action.default:
                raise UsageError(
                    "OPTION-004", f"a model for {task} takes no {action.option_strings[0]}: it is for {other.title}.",
                    where=action.option_strings[0],
                )  # fmt: skip


def read_shard(text: str, environment: Mapping[str, str]) -> Shard:
    """The part I/N; "auto" finds it in the variables of torchrun, then of srun.

    Raises:
        UsageError: If it is none.
    """
    if text == "auto":
        for rank, size in (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS")):
            if rank in environment and size in environment:
                return _shard(f"{environment[rank]} of {environment[size]}", environment[rank], environment[size], 1)
        message = "no variables of torchrun (RANK, WORLD_SIZE) or srun (SLURM_PROCID, SLURM_NTASKS) are set."
        raise UsageError("SHARD-001", message, where="--shard auto", fix="Give --shard I/N.")
    number, _, of = text.partition("/")
    return _shard(text, number, of, 0)


def _shard(text: str, number: str, of: str, first: int) -> Shard:
    """Part ``number`` of ``of``, counted from 0 where ``first`` is 1."""
    found, n = whole_number(number), whole_number(of)
    if found is None or n is None or not 1 <= found + first <= n:
        raise UsageError("SHARD-001", f'expected I/N with 1 ≤ I ≤ N, or auto, found "{text[:60]}".', where="--shard")
    return Shard(found + first, n)
