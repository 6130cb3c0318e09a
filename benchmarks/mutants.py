"""Mutation testing: change the code a little, and see whether the tests of its room notice.

Operators, comparisons, constants, conditions and returned values are changed and calls, errors and additions left out,
one at a time and drawn by a seed, in a copy of the checkout. The tests that run the changed line tell: a mutant is
killed when one fails, or hangs. Compiled functions are run by the interpreter (NUMBA_DISABLE_JIT=1), so that tests of
more than five seconds stay away, and so do those of real genomes. Not for CI.

    python benchmarks/mutants.py -o docs/results/mutants-all.json            # an hour on one core
    python benchmarks/mutants.py --rooms sequence -n 20 --seed 3
    python benchmarks/mutants.py --again FILE -o FILE     # its survivors alone, and rooms that it has not
"""

import argparse
import importlib
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from mutant_parts import changes, trials
from mutant_parts.changes import Mutant
from mutant_parts.equivalent import reason_of

REPOSITORY = Path(__file__).resolve().parents[1]
TESTS = {
    "files": (
        "tests/test_files.py", "tests/test_hdf5_files.py", "tests/test_kept_files.py", "tests/test_kernel_cache.py",
        "tests/test_odd_numbers.py", "tests/files",
    ),
    "sequence": ("tests/sequence",),
    "annotation": ("tests/annotation",),
    "decoding": ("tests/decoding",),
}  # fmt: skip
"""Tests of each room."""
FROM_ELSEWHERE = ("pytest", "hypothesis", "numpy", "h5py", "numba", "scipy", "torch", "Bio.SeqIO")
"""Loaded once; every trial begins behind them."""


def main() -> int:
    """Draw, try, write."""
    args = _parser().parse_args()
    before = json.loads(args.again.read_text()) if args.again else None
    rows, begin = [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="genoformer-mutants-") as folder:
        bench = trials.Bench(REPOSITORY, Path(folder).resolve())
        for name in FROM_ELSEWHERE:
            importlib.import_module(name)
        for room in args.rooms:
            known = bench.measure(room, [one for one in TESTS[room] if (REPOSITORY / one).exists()])
            is_known = before is not None and room in before["rooms"]
            drawn = found_again(bench.root, room, before) if is_known else draw(bench.root, room, args.n, args.seed)
            _say(f"{room}: {len(known.seconds)} tests, {time.monotonic() - begin:.0f} s")
            for one in drawn:
                verdict, n_tests, seconds = bench.try_out(one, known)
                rows.append({"room": room, "mutant": one.name, "outcome": verdict, "tests": n_tests})
                if verdict not in (trials.KILLED, trials.TIMED_OUT):
                    _say(f"  {one.name}: {verdict}, {n_tests} tests, {seconds:.1f} s")
            _say(f"{room}: {len(drawn)} mutants, {time.monotonic() - begin:.0f} s")
            if args.out is not None:
                found = document(rows, args.seed, before, args.rooms)
                args.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", nargs="+", choices=list(TESTS), default=list(TESTS), help="some rooms only")
    parser.add_argument("-n", type=int, default=110, help="mutants of each room (110)")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws others (0)")
    parser.add_argument("--again", type=Path, help="earlier results: try their survivors, draw in other rooms")
    parser.add_argument("-o", "--out", type=Path, help="write results as JSON")
    return parser


def draw(root: Path, room: str, n: int, seed: int) -> list[Mutant]:
    """``n`` changes of a room of a checkout, each as likely as any other."""
    texts = {str(path.relative_to(root)): path.read_text() for path in _modules(root, room)}
    every = [(file, number) for file, text in texts.items() for number in range(changes.count(text))]
    chosen = sorted(random.Random(f"{seed} {room}").sample(every, min(n, len(every))))
    return [changes.mutant(file, texts[file], number) for file, number in chosen]


def found_again(root: Path, room: str, before: dict) -> list[Mutant]:
    """The mutants of a room that were not killed; where lines have moved, the same change on the nearest line."""
    wanted = [row["mutant"] for row in before["survivors"] if row["room"] == room]
    found = []
    for path in _modules(root, room):
        file, text = str(path.relative_to(root)), path.read_text()
        mine = [name.removeprefix(f"{file}:").split(" ", 1) for name in wanted if name.startswith(f"{file}:")]
        every = [changes.mutant(file, text, number) for number in range(changes.count(text))] if mine else []
        for line, what in mine:
            alike = [one for one in every if one.what == what]
            found += sorted(alike, key=lambda one, line=int(line): abs(one.line - line))[:1]
    return found


def _modules(root: Path, room: str) -> list[Path]:
    return sorted((root / "genoformer" / room).rglob("*.py"))


def document(rows: list[dict], seed: int, before: dict | None, rooms: list[str]) -> dict:
    """Counts of each room, and the mutants that no test noticed; equivalent ones, with the reason, do not count.

    Args:
        rows: What came of each mutant.
        seed: Of the draw.
        before: Results of which the survivors were tried again.
        rooms: Rooms that were looked at; those of other rooms stay as they were before.
    """
    done = {row["room"] for row in rows}
    old = before or {"seed": seed, "rooms": {}, "survivors": []}
    kept = [row for row in old["survivors"] if row["room"] not in done]
    alive = [*kept, *(row for row in rows if row["outcome"] not in (trials.KILLED, trials.TIMED_OUT))]
    survivors = [row | {"equivalent": reason_of(row["mutant"])} for row in alive]
    counts = {}
    for room in dict.fromkeys([*old["rooms"], *(room for room in rooms if room in done)]):
        again = sum(row["room"] == room for row in rows)
        tried = old["rooms"][room]["mutants"] if room in old["rooms"] else again
        if room in old["rooms"] and room in done:  # without those whose code is gone
            tried -= sum(row["room"] == room for row in old["survivors"]) - again
        mine = [row for row in survivors if row["room"] == room]
        counts[room] = _shares(tried, tried - len(mine), sum(row["equivalent"] is not None for row in mine))
    sums = [sum(room[name] for room in counts.values()) for name in ("mutants", "killed", "equivalent")]
    return {"seed": old["seed"], "all": _shares(*sums), "rooms": counts, "survivors": survivors}


def _shares(mutants: int, killed: int, equivalent: int) -> dict:
    percent = round(100 * killed / max(1, mutants - equivalent), 1)
    return {"mutants": mutants, "killed": killed, "equivalent": equivalent, "percent": percent}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
    sys.exit(main())
