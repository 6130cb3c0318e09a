"""Keep what genoformer writes, and compare it with what another build writes.

When the inside of the package is rebuilt, no user should notice. This script runs the genoformer that Python finds
(installed, or by PYTHONPATH) through its command line on small inputs that it makes itself, and keeps every file and
every line. A second run with another build reads the inputs and the trained tiny models of the first, so that
predictions are compared for the very same bundles; training is compared by itself.

    PYTHONPATH=/path/of/old python scripts/kept_outputs.py keep OLD --data shared/data
    PYTHONPATH=/path/of/new python scripts/kept_outputs.py keep NEW --inputs OLD --keys new
    python scripts/kept_outputs.py compare OLD NEW

Both runs take place on one machine with the same libraries: numbers are compared exactly. ``compare`` prints each
difference and exits with 1 if there is one that ``kept/expected.py`` does not list. Where configuration keys have
other names in a build, ``kept/fits.py`` has a table for them, which ``--keys new`` applies; where files of a bundle
have another layout, ``kept/expected.py`` has one. ``--only WORD`` runs the steps whose names contain a word.

A kept folder holds ``inputs`` (what commands read), ``outputs/STEP`` (what they wrote), ``lines/STEP.*`` (what they
said) and ``about.json`` (who ran them, which commands, how long).
"""

import argparse
import shutil
import sys
from pathlib import Path

from kept import commands
from kept.differences import compare_folders, libraries_line
from kept.fits import FITS, benchmark_step, fit_step, score_steps
from kept.inputs import derive_inputs, write_inputs
from kept.running import (
    ABOUT,
    INPUTS,
    LINES,
    describe_build,
    keep_for_later,
    run_step,
    unexpected,
    write_about,
)
from kept.steps import Step


def main() -> int:
    """Run the command that was asked for; returns the exit code."""
    args = _parser().parse_args()
    return _keep(args) if args.command == "keep" else _compare(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    subparsers = parser.add_subparsers(dest="command", required=True)
    keep = subparsers.add_parser("keep", help="run every command and keep what it writes")
    keep.add_argument("folder", type=Path, help="where to keep it; not there yet, or empty")
    keep.add_argument("--data", type=Path, help="folder of real genomes; without it inputs are made up only")
    keep.add_argument("--inputs", type=Path, help="kept folder of another build, whose inputs and bundles are read")
    keep.add_argument("--keys", choices=("old", "new"), default="old", help="names of the configuration keys (old)")
    keep.add_argument("--only", help="only steps whose names contain this word; needs --inputs")
    compare = subparsers.add_parser("compare", help="print the differences of two kept folders")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    return parser


def _keep(args: argparse.Namespace) -> int:
    folder, inputs = args.folder, args.folder / INPUTS
    if folder.is_dir() and any(folder.iterdir()):
        raise SystemExit(f"{folder} is not empty: name another folder, or remove it.")
    if args.data and args.inputs:
        raise SystemExit("--data is for the first run: --inputs brings the real genomes of that run.")
    if args.only and not args.inputs:
        raise SystemExit("--only needs --inputs: steps start from what others wrote.")
    (folder / LINES).mkdir(parents=True)
    if args.inputs:
        shutil.copytree(args.inputs / INPUTS, inputs)
    else:
        inputs.mkdir()
        write_inputs(inputs, args.data)
    about, done = {**describe_build(), "only": args.only}, {}
    steps = _steps(args.keys, has_real=(inputs / "real").is_dir())
    steps = [step for step in steps if args.only is None or args.only in step.name]
    for number, step in enumerate(steps, 1):
        done[step.name] = run_step(step, folder)
        write_about(folder, about, done)
        seconds, code = done[step.name]["seconds"], done[step.name]["code"]
        print(f"{number}/{len(steps)} {step.name}: {seconds} s, exit code {code}", flush=True)
        if not args.inputs:
            keep_for_later(step, folder)
            if number == len(commands.simulations()):
                derive_inputs(inputs)
    lines = unexpected(steps, done)
    print("\n".join([*lines, f"{len(steps)} steps of {about['package']}: {folder}"]))
    return 0


def _steps(keys: str, *, has_real: bool) -> list[Step]:
    """All steps, those first that others start from."""
    late = [name for name, fit in FITS.items() if fit.init_from == "imported"]
    early = [fit_step(name, keys) for name in FITS if name not in late]
    return [
        *commands.simulations(),
        *early,
        *commands.exports(),
        *(fit_step(name, keys) for name in late),
        *score_steps(keys),
        *commands.predictions(),
        *commands.sequence_predictions(),
        *(commands.prior_predictions() if "pairs-prior" in FITS else []),
        *(commands.real_data() if has_real else []),
        *commands.evaluations(),
        *commands.adaptations(),
        *commands.other_commands(),
        benchmark_step(keys),
        *commands.refusals(),
        *commands.helps(),
    ]


def _compare(args: argparse.Namespace) -> int:
    for folder in (args.old, args.new):
        if not (folder / ABOUT).is_file():
            raise SystemExit(f"{folder} is no kept folder: there is no {ABOUT}.")
    if line := libraries_line(args.old, args.new):
        print(line)
    found = compare_folders(args.old, args.new)
    for difference in found:
        print(difference)
    n_unexpected = sum(difference.reason is None for difference in found)
    print(f"{len(found)} differences, {n_unexpected} of them not expected.")
    return 1 if n_unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
