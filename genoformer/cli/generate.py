"""``genoformer generate``: new sequence from a causal language model, as FASTA."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genoformer.sequence.records import Record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("model", help="folder of a bundle of the task clm")
    parser.add_argument("-o", "--out", required=True, type=Path, help="FASTA file, complete or not there")
    parser.add_argument("--length-bp", type=int, default=1000, help="bases of each sequence, with the prompt (1000)")
    parser.add_argument("-n", "--n-sequences", type=int, default=1, help="number of sequences (1)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other sequences (0)")
    parser.add_argument("--temperature", type=float, default=1.0, help="below 1 likely bases become likelier (1)")
    parser.add_argument("--top-k", type=int, default=4, help="draw among so many of the likeliest bases, 1 to 4 (4)")
    parser.add_argument("--prompt", default="", help="bases that each sequence begins with, in whole tokens")
    parser.add_argument("--overwrite", action="store_true", help="replace the file")
    parser.epilog = (
        "The same model, seed and options give the same file; sequence i does not depend on how many there are."
    )


def run(args: argparse.Namespace) -> int:
    """Write the file; returns the exit code."""
    from genoformer.applications.pretraining.generate import Drawing, generate
    from genoformer.bundle.folder import load_bundle
    from genoformer.errors import OutputExistsError, UsageError
    from genoformer.files import check_file_place
    from genoformer.sequence.alphabet import encode_bases
    from genoformer.sequence.fasta import write_fasta

    drawing = Drawing(args.seed, args.temperature, args.top_k)
    is_there = args.out.exists() and not args.overwrite
    if not is_there:
        check_file_place(args.out)
    try:
        prompt = encode_bases(args.prompt)
    except ValueError as error:
        raise UsageError("GENERATE-003", f"{error}.", where="--prompt") from error
    bundle = load_bundle(args.model)
    records = generate(
        bundle, n_sequences=args.n_sequences, length_bp=args.length_bp, drawing=drawing, prompt=prompt
    )  # fmt: skip
    if is_there and not _holds(args.out, records):
        message, fix = "there is such a file.", "Choose another one with -o, or add --overwrite."
        raise OutputExistsError("OUT-005", message, where=str(args.out), fix=fix)
    if is_there:
        print(f"nothing to do: {args.out} holds these sequences")
        return 0
    write_fasta(args.out, records)
    print(f"{args.n_sequences} sequences of {args.length_bp:,} bp: {args.out}")
    return 0


def _holds(path: Path, records: Iterable["Record"]) -> bool:
    """Whether a file holds exactly these sequences; none is made behind the first that differs."""
    from itertools import zip_longest

    import numpy as np

    from genoformer.errors import DataError
    from genoformer.sequence.fasta import read_fasta

    try:
        there = list(read_fasta(path)) if path.is_file() else []
    except DataError:
        return False
    return all(
        wanted is not None and found is not None and wanted.id == found.id and np.array_equal(wanted.codes, found.codes)
        for wanted, found in zip_longest(records, there)
    )
