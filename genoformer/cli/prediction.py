"""What the commands that predict have in common: options, the model when there is work for it, and the closing line."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from genoformer.applications.genes.request import codes_in_words
from genoformer.applications.interface import Application
from genoformer.cli.option_values import find_device, positive, thread_count
from genoformer.errors import UsageError, WarningLog, counted
from genoformer.inference.space import readable


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """What is read."""
    parser.add_argument(
        "fasta", nargs="+",
        help='FASTA, GenBank or EMBL files, plain, gzip or bgzip, told apart by content; "-" reads standard input',
    )  # fmt: skip


def add_output_arguments(
    parser: argparse.ArgumentParser, formats: str, precision: str = "by default what the machine is fast in"
) -> None:
    """What is written, and how fast.

    Args:
        parser: Gets the options.
        formats: What ``--formats`` offers, in words.
        precision: What ``--precision`` is when it is not given, in words.
    """
    parser.add_argument("-o", "--out", required=True, type=Path, help="output folder")
    parser.add_argument("--formats", help=formats)
    parser.add_argument(
        "--on-bad-record", choices=("error", "skip"), default="error", help="leave out bad records of FASTA, or stop"
    )
    parser.add_argument("--batch-size", type=int, default=2, help="tiles per model call: speed and memory only")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), help=f"of the model pass; {precision}")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--overwrite", action="store_true", help="replace another prediction in the folder")
    parser.add_argument("--dry-run", action="store_true", help="check the input and say what would be done")


def described_formats() -> str:
    """What ``--formats`` offers for each kind of model, for help."""
    from genoformer.applications import APPLICATIONS
    from genoformer.inference.formats import default_formats

    titles: dict[str, list[str]] = {}
    for task, application in APPLICATIONS.items():
        if application.formats:
            titles.setdefault(application.formats.where, []).append(task)
    lines = []
    for where, tasks in titles.items():
        formats = next(a.formats.load() for a in APPLICATIONS.values() if a.formats and a.formats.where == where)
        lines.append(f"{', '.join(tasks)}: {' '.join(formats)} (default {','.join(default_formats(formats))})")
    return "comma-separated; " + "; ".join(lines)


def check_machine(args: argparse.Namespace) -> None:
    """What a model pass is told of the machine, checked before any folder is touched.

    Raises:
        UsageError: If a number is not positive, or the device cannot be used.
    """
    positive(args.batch_size, "--batch-size")
    if args.threads is not None:
        thread_count(args.threads)
    if args.device != "cpu":  # which is always there, and costs no import to know
        find_device(args.device)


def load_on_device(header: Any, args: argparse.Namespace) -> Any:
    """The bundle with its network where the arguments want it."""
    import numpy as np
    import torch

    from genoformer.bundle.folder import load_bundle
    from genoformer.nn.allocator import tune_allocator
    from genoformer.stream import fitting_threads

    tune_allocator()
    if args.threads is not None:
        torch.set_num_threads(thread_count(args.threads))
    with fitting_threads(0):  # the first use of another thread costs more than making the network
        bundle = load_bundle(header)
    bundle.model.to(find_device(args.device))
    bundle.tokenizer.encode(np.zeros(1, np.uint8))  # numba loads most of itself with the first function
    return bundle


def speed_of(args: argparse.Namespace) -> Any:
    """``Speed`` of the arguments."""
    from genoformer.inference.interface import Speed

    return Speed(positive(args.batch_size, "--batch-size"), args.precision)


def write_own_formats(
    args: argparse.Namespace, request: Any, header: Any, load: Any, formats: Any, subject: str
) -> int:  # fmt: skip
    """Run a request whose formats are those of the command, whatever the task of its model.

    Args:
        args: Of the command line, with what ``add_input_arguments`` and an output folder bring.
        request: What to do, see ``inference.interface.Request``.
        header: Of the model.
        load: Loads it when there is work, see ``inference.run.Load``.
        formats: Of the command.
        subject: What is written, in a word.

    Returns:
        The exit code.
    """
    from genoformer.applications import result_names
    from genoformer.inference.formats import file_names
    from genoformer.inference.run import Job, predict

    names, warnings = list(dict.fromkeys([*result_names(), *file_names(formats)])), WarningLog()
    with shown_progress(subject) as bar:
        job = Job(args.fasta, request, header, load, names, warnings=warnings, on_start=bar.reset, on_bases=bar.update)
        summary = predict(job, args.out, overwrite=args.overwrite, dry_run=args.dry_run)
    say(warnings, closing_line(summary, args.out, subject))
    return 0


class NoBar:
    """Stands for a bar where nobody watches."""

    def reset(self, total: float | None = None) -> None:
        """Begin."""

    def update(self, n: float = 1) -> None:
        """Go on."""


class BoundedBar:
    """A bar that is never more than full: bases that several blocks need are counted for each of them.

    A bar of tqdm forgets its total there; that happened where most blocks were done before an interruption.

    Args:
        bar: Of tqdm.
    """

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def reset(self, total: float | None = None) -> None:
        """Begin."""
        self._bar.reset(total)

    def update(self, n: float = 1) -> None:
        """Go on."""
        total = self._bar.total
        self._bar.update(n if total is None else max(min(n, total - self._bar.n), 0))


def check_hints(args: argparse.Namespace, application: Application, header: Any) -> None:
    """``UsageError`` for hints to a model that takes none."""
    if getattr(args, "hints", None) is not None and not application.takes_hints:
        message = f"{header.name} finds genes without introns."
        fix = "Take a model for genes with introns, or leave --hints out."
        raise UsageError("HINTS-005", message, where="--hints", fix=fix)


@contextmanager
def shown_progress(what: str) -> Iterator[Any]:
    """A bar of bases on a terminal, for work that takes longer than a moment."""
    if not sys.stderr.isatty():
        yield NoBar()
        return
    from tqdm import tqdm

    with tqdm(unit="bp", unit_scale=True, desc=what, file=sys.stderr, delay=1) as bar:
        yield BoundedBar(bar)


def say(warnings: WarningLog, closing: str, summary: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Counted warnings, the genetic codes that were found, then what came of it.

    Args:
        warnings: Of the prediction.
        closing: The last line.
        summary: Content of ``summary.json``, or nothing.
    """
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    if "records_by_genetic_code" in summary:
        print(f"genoformer: genetic code {codes_in_words(summary)}", file=sys.stderr)
    print(closing)


def closing_line(summary: dict[str, Any], out: Path, subject: str) -> str:
    """What was found, in a line.

    Args:
        summary: Content of ``summary.json``.
        out: Output folder.
        subject: What is predicted.
    """
    records = f"{counted(summary['n_records'], 'record')}, {summary['n_bases']:,} bp"
    if summary.get("dry_run"):
        needed = summary["needed_bytes"]
        return f"{records}: would write {f'about {readable(needed)} ' if needed else ''}to {out}"
    if "n_genes" in summary:
        found = f"{counted(summary['n_genes'], 'gene')} in {records}"
    else:
        found = f"{subject} of {records}"
    return f"nothing to do: {out} holds {found}" if summary.get("nothing_to_do") else f"{found}: {out}"
