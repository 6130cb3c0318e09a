"""Attack genoformer: mutated inputs, hostile bundles, full disks, flipped bits, SIGKILL and Ctrl-C. Nothing may fail.

Everything is made here, on the spot, from a seed; nothing outside a temporary folder is touched. A case that fails is
named with its seed and number, so that the same call brings it back. Exit code 1 when anything failed.

    python benchmarks/robustness.py [-o docs/results/robustness-all.json]       # within half an hour
    python benchmarks/robustness.py --short                                     # every kind at least once
    python benchmarks/robustness.py --kinds kills --kills 40 --seed 3 -o FILE --add     # some more of it

Mutants, bundles and flips are tried in one process, commands that are ended or meet a full disk in processes forked
from it; one in twelve of those that are killed, and every other one that gets Ctrl-C, is a program of its own. Linux
alone: small disks are mounts in a namespace of users; where these are not allowed, what needs them is counted as not
reached.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from robustness_kinds import bundles, flips, full_disk, interrupts, kills, mutations
from robustness_kinds.guard import Tally, say
from robustness_kinds.inputs import Inputs

import genoformer.cli.fit
import genoformer.cli.predict  # noqa: F401
from genoformer.files import write_json_atomic

KINDS = {
    "mutations": mutations.attack, "bundles": bundles.attack, "flips": flips.attack, "full_disk": full_disk.attack,
    "kills": kills.attack, "interrupts": interrupts.attack,
}  # fmt: skip
FULL = {"mutations": 20_500, "bundles": 1_100, "flips": 1_100, "full_disk": 10, "kills": 280, "interrupts": 60}
SHORT = {"mutations": 150, "bundles": 66, "flips": 40, "full_disk": 1, "kills": 6, "interrupts": 2}
"""How many of each kind; of full disks, at how many places of each file."""
SHOWN, MOST_LETTERS = 20, 300
FOLDERS = re.compile(r"(?:/[^\s/\"':]+)+/")
NOTHING: dict = {"tried": 0, "failed": 0, "not_reached": 0, "seconds": 0.0, "failures": []}


def main() -> int:
    """Attack; returns the exit code."""
    args = _parser().parse_args()
    counts = {kind: getattr(args, kind) or (SHORT if args.short else FULL)[kind] for kind in KINDS}
    chosen = [kind for kind in KINDS if args.kinds is None or kind in args.kinds]
    out = None if args.out is None else args.out.resolve()
    begin, found = time.monotonic(), {}
    with tempfile.TemporaryDirectory(prefix="genoformer-robustness-") as folder:
        work = Path(folder).resolve()
        os.environ["TMPDIR"] = tempfile.tempdir = str(work)
        os.chdir(work)
        (work / "inputs").mkdir()
        inputs = Inputs(work / "inputs")
        for kind in chosen:
            found[kind] = KINDS[kind](inputs, work, args.seed, counts[kind])
            _tell(kind, found[kind])
        os.chdir("/")
    if out is not None:
        before = json.loads(out.read_text()) if args.add and out.is_file() else {"seeds": [], "seconds": 0, "kinds": {}}
        write_json_atomic(out, document(before, found, args.seed, time.monotonic() - begin))
    return int(any(tally.failures for kind in found.values() for tally in kind.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a few of every kind")
    parser.add_argument("--seed", type=int, default=0, help="another seed tries other things (0)")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), help="some kinds only")
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=int, metavar="N", help=f"how many ({FULL[kind]})")
    parser.add_argument("-o", "--out", type=Path, help="write what came of it as JSON")
    parser.add_argument("--add", action="store_true", help="to what the file says of other seeds and kinds")
    return parser


def _tell(kind: str, tallies: dict[str, Tally]) -> None:
    tried, seconds = sum(one.tried for one in tallies.values()), sum(one.seconds for one in tallies.values())
    failures = [failure for one in tallies.values() for failure in one.failures]
    unreached = sum(one.not_reached for one in tallies.values())
    say(f"{kind}: {tried} tried, {len(failures)} failed, {unreached} not reached, {seconds:.0f} s")
    for failure in failures[:SHOWN]:
        say(f"  {failure}")


def document(before: dict, found: dict[str, dict[str, Tally]], seed: int, seconds: float) -> dict:
    """What came of it, and of what was tried before, as JSON."""
    kinds = {kind: dict(rows) for kind, rows in before["kinds"].items()}
    for kind, tallies in found.items():
        for name, one in tallies.items():
            row = kinds.setdefault(kind, {}).get(name, NOTHING)
            counts = {"tried": one.tried, "failed": len(one.failures), "not_reached": one.not_reached}
            kinds[kind][name] = {
                **{count: row[count] + value for count, value in counts.items()},
                "seconds": round(row["seconds"] + one.seconds, 1),
                "failures": [*row["failures"], *map(without_paths, one.failures)][:SHOWN],
            }
    seeds = sorted({*before["seeds"], seed})
    return {"seeds": seeds, "seconds": round(before["seconds"] + seconds), "kinds": kinds}


def without_paths(text: str) -> str:
    """The beginning of a text, with names of files alone, which are no others on another machine."""
    return FOLDERS.sub("", text)[:MOST_LETTERS]


if __name__ == "__main__":
    sys.exit(main())
