"""``genoformer adapt``: a model that has learned from the genome at hand."""

import argparse
import contextlib
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from genoformer.applications import find_application, needed
from genoformer.applications.interface import Application
from genoformer.bundle.header import BundleHeader, read_header
from genoformer.cli.option_values import find_device, positive, thread_count
from genoformer.cli.prediction import load_on_device, speed_of
from genoformer.errors import DataError
from genoformer.inference.folder import PREPARED
from genoformer.inference.run import Job


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("fasta", nargs="*", help='FASTA, GenBank or EMBL files; "-" reads standard input')
    parser.add_argument("--model", default="prokaryotes", help="folder of a bundle, or name of a shipped model")
    parser.add_argument("-o", "--out", required=True, type=Path, help="folder of the new bundle")
    parser.add_argument(
        "--annotation", nargs="+", metavar="FILE",
        help="GFF3, GTF or GenBank files, in the same order; without them the model learns from its own sure calls",
    )  # fmt: skip
    parser.add_argument(
        "--source", nargs="+", default=[], metavar="WORD", help="only annotation rows with these words in column 2"
    )
    parser.add_argument(
        "--steps",
        type=int,
        help="training steps of 4 crops of 6144 bp (500; fewer on little sequence)",
    )
    parser.add_argument("--lr", type=float, help="highest learning rate (2e-4)")
    parser.add_argument("--genetic-code", type=int, help="NCBI number; that of the annotation or the model by default")
    parser.add_argument("--seed", type=int, default=0, help="decides held-out regions and crops (0)")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--overwrite", action="store_true", help="replace another bundle in the folder")


def run(args: argparse.Namespace) -> int:
    """Adapt a model and write the new bundle; returns the exit code."""
    import torch

    from genoformer.applications.adapt.adapt import adapt
    from genoformer.bundle.folder import load_bundle
    from genoformer.errors import UsageError, WarningLog
    from genoformer.nn.allocator import tune_allocator

    if not args.fasta and not args.annotation:
        raise UsageError("ADAPT-005", "no genome is given.", where="adapt", fix="Name a FASTA file.")
    tune_allocator()
    if args.threads is not None:
        torch.set_num_threads(thread_count(args.threads))
    options = _options(args)
    header = read_header(args.model)
    rules = adaptation_rules(find_application(header.config.task, where=header.name), header)
    bundle = load_bundle(header)
    bundle.model.to(find_device(args.device))
    finder, warnings = rules.find_with.from_bundle(bundle), WarningLog()
    with shown_progress() as progress:
        gain = adapt(
            args.fasta, finder, rules, args.out, options, annotation=args.annotation, overwrite=args.overwrite,
            progress=progress, warnings=warnings,
        )  # fmt: skip
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    print("\n".join(closing_lines(gain)))
    print(f"nothing to do: {args.out} holds this model" if gain.get("nothing_to_do") else f"model: {args.out}")
    return 0


def closing_lines(gain: dict) -> list[str]:
    """What an adaptation gained, in two lines."""
    from genoformer.applications.adapt.folder import verdict
    from genoformer.applications.adapt.held_out import gain_line

    n_genes = gain["after"]["n_genes"]
    return [f"held out, {n_genes} genes: {gain_line(gain['before'], gain['after'])}", verdict(gain)]


def adaptation_rules(application: Application, header: BundleHeader) -> Any:
    """How models of an application are adapted; DataError if they are not."""
    if application.adaptation is None:
        message = f'the model is for "{header.config.task}", which cannot be adapted.'
        raise DataError("MODEL-007", message, where=header.name)
    return application.adaptation.load()


def adaptation_of(args: argparse.Namespace, request: Any) -> Any:
    """Settings of ``predict --adapt``: what prediction was told, and the defaults of ``adapt``.

    Args:
        args: Of ``predict``.
        request: ``GeneRequest`` made from them.
    """
    from genoformer.applications.adapt.adapt import AdaptOptions

    return AdaptOptions(
        genetic_code=request.call.genetic_code,
        circular=request.circular,
        max_gap_bp=request.call.max_gap_bp,
        on_bad_record=request.reading.on_bad_record,
        steps=None if args.adapt_steps is None else positive(args.adapt_steps, "--adapt-steps"),
    )


def load_adapted(args: argparse.Namespace, application: Application, job: Job, settings: Any) -> tuple[Any, Any]:
    """``predict --adapt``: the request that names the adaptation, and what adapts and loads the model.

    Args:
        args: Of ``predict``.
        application: Of the model.
        job: The prediction, as it is without adaptation.
        settings: From ``adaptation_of``.
    """
    from genoformer.applications.adapt.adapt import adapt, check_annotated

    rules = adaptation_rules(application, job.header)
    check_annotated(rules, None)
    asked: Any = job.request
    request = replace(asked, adaptation=asdict(settings))

    def load(paths: list[str], scan: Any, work: Path) -> Any:
        speed, out = speed_of(args), work / PREPARED
        finder = rules.find_with.from_bundle(load_on_device(job.header, args), speed)
        with shown_progress() as progress:
            gain = adapt(paths, finder, rules, out, settings, mask=scan.mask, overwrite=True, progress=progress)
        for line in closing_lines(gain):
            print(f"genoformer: {line}", file=sys.stderr)
        speed = replace(speed, precision=finder.plan.precision)
        return needed(application.predictor, job.header.config.task).from_bundle(
            request, load_on_device(read_header(out), args), speed
        )

    return request, load


def _advance(bar: Any, n: int) -> None:
    bar.update(n)


def _plan(bar: Any, n: int) -> None:
    bar.total = n
    bar.refresh()


@contextlib.contextmanager
def shown_progress() -> Iterator:
    """Bars for the model pass and for training, on a terminal only; lines in any case."""
    from tqdm import tqdm

    from genoformer.applications.adapt.adapt import Progress

    with (
        tqdm(unit="bp", unit_scale=True, desc="labels", file=sys.stderr, disable=None, delay=1) as bases,
        tqdm(unit="step", desc="training", file=sys.stderr, disable=None, delay=1) as steps,
    ):
        yield Progress(
            on_line=lambda line: tqdm.write(f"genoformer: {line}", file=sys.stderr),
            on_bases=partial(_advance, bases),
            on_steps=partial(_advance, steps),
            on_planned=partial(_plan, steps),
        )


def _options(args: argparse.Namespace):
    from genoformer.annotation.genetic_code import get_genetic_code
    from genoformer.applications.adapt.adapt import DEFAULT_LR, AdaptOptions
    from genoformer.errors import UsageError

    if args.genetic_code is not None:
        get_genetic_code(args.genetic_code)
    if args.seed < 0:
        raise UsageError("OPTION-001", f"must not be negative, found {args.seed}.", where="--seed")
    lr = DEFAULT_LR if args.lr is None else args.lr
    if not (math.isfinite(lr) and lr > 0):
        raise UsageError("OPTION-001", f"expected a positive number, found {lr}.", where="--lr")
    steps = None if args.steps is None else positive(args.steps, "--steps")
    return AdaptOptions(genetic_code=args.genetic_code, steps=steps, lr=lr, seed=args.seed, sources=tuple(args.source))
