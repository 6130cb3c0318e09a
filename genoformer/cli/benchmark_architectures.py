"""``genoformer benchmark architectures``: the four architectures of attention side by side, cell by cell."""

import argparse
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genoformer.architectures.cells import Cell

LETTERS = "abcde"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("-o", "--out", required=True, type=Path, help="folder of the results; what is there is kept")
    parser.add_argument("--parts", default="a,b,c,d,e", help=(
        "what is measured: a distance, b genes, c bits per base, d time and memory over length, e memory over depth "
        "(a,b,c,d,e)"
    ))  # fmt: skip
    parser.add_argument("--minutes", type=float, default=2.0, help=(
        "minutes of the processor for training: for each distance of a, for each cell of b and c (2)"
    ))  # fmt: skip
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds of weights, crops and splits")
    parser.add_argument("--train", help="b and c: GenBank file that is learned from, for instance E. coli")
    parser.add_argument("--test", help="b: GenBank file whose genes are found, for instance H. influenzae")
    parser.add_argument("--call-seconds", type=float, default=60.0, help="d and e: longest call (60)")
    parser.add_argument("--call-gigabytes", type=float, default=12.0, help="d and e: largest call (12)")
    parser.add_argument("--max-tokens", type=int, default=131_072, help="d and e: longest input (131072)")
    parser.add_argument("--plot", action="store_true", help="draw the two pictures; needs the extra plot")


def run(args: argparse.Namespace) -> int:
    """Measure what is not there yet, then write the document, the table and the pictures. Returns the exit code.

    Raises:
        UsageError: If an argument is out of range or missing.
    """
    from genoformer.architectures.cells import LENGTHS, Plan, cells_of, read_cell, run_cell
    from genoformer.architectures.learning import Genomes
    from genoformer.files import folder_lock
    from genoformer.files.folders import made_folder
    from genoformer.nn.allocator import tune_allocator

    parts = _checked(args)
    tune_allocator()
    lengths = tuple(n for n in LENGTHS if n <= args.max_tokens)
    genomes = Genomes(args.train, args.test or "") if args.train else None
    plan = Plan(args.minutes, tuple(args.seeds), genomes, args.call_seconds, args.call_gigabytes, lengths)
    with made_folder(args.out), folder_lock(args.out), _one_thread():
        cells = list(cells_of(plan, parts, args.out))
        left = [cell for cell in cells if read_cell(cell, args.out) is None]
        print(f"{len(cells)} cells, {len(cells) - len(left)} of them are there", flush=True)
        begin = time.monotonic()
        for i, cell in enumerate(left):
            found = run_cell(cell, args.out)
            print(_progress(left, i, time.monotonic() - begin), _short(found or {}), flush=True)
        _write(args)
    return 0


def _checked(args: argparse.Namespace) -> list[str]:
    """Letters of the parts; UsageError if an argument is out of range or missing."""
    from genoformer.errors import UsageError

    parts = list(dict.fromkeys(args.parts.replace(" ", "").split(",")))
    if not parts or set(parts) - set(LETTERS):
        raise UsageError(
            "BENCHMARK-004", f'expected letters of a,b,c,d,e, found "{args.parts}".', where="--parts",
            fix="For instance --parts a,d.",
        )  # fmt: skip
    numbers = {"--minutes": args.minutes, "--call-seconds": args.call_seconds, "--call-gigabytes": args.call_gigabytes}
    for where, value in numbers.items():
        if not value > 0:
            raise UsageError("BENCHMARK-005", f"must be above 0, found {value}.", where=where)
    if args.max_tokens < 512 or min(args.seeds) < 0:
        raise UsageError(
            "BENCHMARK-005",
            f"expected at least 512 tokens and seeds from 0, found {args.max_tokens} and {args.seeds}.",
            where="--max-tokens, --seeds",
        )  # fmt: skip
    for part, option in (("b", "train"), ("b", "test"), ("c", "train")):
        if part in parts and not getattr(args, option):
            raise UsageError(
                "BENCHMARK-006", f"part {part} needs a genome.", where=f"--{option}",
                fix=f"Give --{option} FILE.gbk, or leave the part out of --parts.",
            )  # fmt: skip
    return parts


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Processor seconds of one thread are what the work takes, whatever else the machine does."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _progress(cells: "list[Cell]", i: int, seconds: float) -> str:
    """Which cell is done, and how long the others take if all goes on at this pace."""
    done, left = sum(c.seconds for c in cells[: i + 1]), sum(c.seconds for c in cells[i + 1 :])
    minutes = seconds / done * left / 60
    words = " ".join(str(value) for value in cells[i].labels.values())
    return f"{i + 1}/{len(cells)} {cells[i].part} {words}, {minutes:.0f} minutes to go:"


def _short(found: dict) -> str:
    rows = found.get("rows")
    if rows:
        return " ".join(f"{row['accuracy']:.2f}" for row in rows)
    return " ".join(f"{name} {value}" for name, value in found.items())


def _write(args: argparse.Namespace) -> None:
    from genoformer.architectures.summary import draw, read_cells, table
    from genoformer.files import write_json_atomic

    document = read_cells(args.out)
    path = args.out / "architectures.json"
    write_json_atomic(path, document)
    rows = table(document)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(path)
    for picture in draw(document, args.out) if args.plot else []:
        print(picture)
