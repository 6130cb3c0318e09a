"""``genoformer benchmark``: a task with several seeds beside its baselines, or the architectures side by side."""

import argparse
from pathlib import Path

from genoformer.cli import benchmark_architectures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT", help="what is measured")
    texts = {
        "tasks": "a task, trained with several seeds, beside simple models",
        "architectures": "the architectures of attention side by side: what they learn in one time, what they cost",
    }
    adders = {"tasks": _add_arguments_of_tasks, "architectures": benchmark_architectures.add_arguments}
    for name, add in adders.items():
        add(kinds.add_parser(name, help=texts[name], description=texts[name], allow_abbrev=False))


def _add_arguments_of_tasks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", required=True, help="name of the results; runs go to runs/NAME-SEED")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds of weights and order")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"), help="folder of the results")
    parser.add_argument(
        "--baselines", nargs="*", metavar="NAME", help="of functions: only these simple models; without a name none"
    )
    parser.add_argument(
        "--fit", nargs=argparse.REMAINDER, required=True, help="how to train: all that follows goes to genoformer fit"
    )


def run(args: argparse.Namespace) -> int:
    """Measure; returns the exit code."""
    return benchmark_architectures.run(args) if args.what == "architectures" else _run_tasks(args)


def _run_tasks(args: argparse.Namespace) -> int:
    """Train, compare and write; what is there already is not made again. Returns the exit code.

    Raises:
        UsageError: If arguments of fit are missing.
    """
    from genoformer.baselines.run_data import read_task
    from genoformer.cli.fit import run_lightning
    from genoformer.errors import UsageError
    from genoformer.files import write_json_atomic
    from genoformer.files.folders import made_folder
    from genoformer.training.run_folder import run_folder

    if not args.fit:
        raise UsageError("BENCHMARK-001", "how to train is missing.", where="--fit", fix="Add --config NAME.")
    with made_folder(args.out):
        for seed in args.seeds:
            path = args.out / f"tasks-{args.name}-{seed}.json"
            if path.is_file():
                print(f"nothing to do: {path} is there")
                continue
            name = f"{args.name}-{seed}"
            print(f"seed {seed}: training runs/{name}", flush=True)
            options = ["--trainer.enable_progress_bar", "false", "--seed_everything", str(seed), "--name", name]
            if code := run_lightning("fit", [*args.fit, *options]):
                return code
            folder = Path(run_folder(name))
            print(f"seed {seed}: comparing with simple models", flush=True)
            found = _compare(folder, read_task(folder), seed, args.baselines)
            write_json_atomic(path, found)
            print("\n".join([*score_lines(found.get("scores", {})), str(path)]), flush=True)
    return 0


def score_lines(scores: dict) -> list[str]:
    """A table: a line for each model, a column for each score that is one number."""
    names = [name for name, value in next(iter(scores.values()), {}).items() if isinstance(value, float)]
    rows = [["", *names]] if names else []
    rows += [
        [model, *(f"{found[name]:.3f}" if name in found else "" for name in names)] for model, found in scores.items()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _compare(run: Path, task: str, seed: int, baselines: list[str] | None) -> dict:
    """Scores of the model of a run and of simple models; UsageError if the task has none."""
    from genoformer.applications import configured_application
    from genoformer.errors import UsageError

    baseline = configured_application(task).baseline
    if baseline is None:
        raise UsageError("BENCHMARK-003", f"there are no simple models for the task {task}.", where="--fit")
    return baseline.load()(run, seed, baselines=baselines)
