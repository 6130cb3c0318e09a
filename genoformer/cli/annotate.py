"""``genoformer annotate``: from bare FASTA to genes with functions."""

import argparse
import sys

from genoformer.cli.option_values import find_device, positive
from genoformer.cli.predict import add_gene_options, build_finder, closing_line, gene_options

FUNCTION_BATCH = 16
"""Genes per call of the function model for each tile of the gene model: a gene is that much shorter."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("fasta", nargs="+", help='FASTA files, plain, gzip or bgzip; "-" reads standard input')
    parser.add_argument("--structure", default="bacteria", help="model that finds genes: a folder, or a shipped model")
    parser.add_argument("--function", required=True, help="model that says what genes do: a folder, or a shipped model")
    add_gene_options(parser)


def run(args: argparse.Namespace) -> int:
    """Find genes and their functions and write them; returns the exit code."""
    import torch
    from tqdm import tqdm

    from genoformer.applications.functions.caller import FunctionCaller
    from genoformer.applications.genes.predict import predict
    from genoformer.bundle import load_bundle
    from genoformer.errors import WarningLog
    from genoformer.nn.allocator import tune_allocator

    tune_allocator()
    if args.threads is not None:
        torch.set_num_threads(positive(args.threads, "--threads"))
    device, (structure, function) = find_device(args.device), map(load_bundle, (args.structure, args.function))
    for bundle in (structure, function):
        bundle.model.to(device)
    finder, warnings = build_finder(args, structure), WarningLog()
    batch_size = FUNCTION_BATCH * finder.plan.batch_size
    caller = FunctionCaller.from_bundle(function, batch_size=batch_size, precision=args.precision or "float32")
    options = gene_options(args, structure.config.genetic_code)
    with tqdm(unit="bp", unit_scale=True, desc="genes", file=sys.stderr, disable=None, delay=1) as bar:
        summary = predict(
            args.fasta, finder, args.out, options, mask=args.mask, overwrite=args.overwrite, dry_run=args.dry_run,
            on_start=lambda scan: bar.reset(scan.n_bases), on_bases=bar.update, functions=caller, warnings=warnings,
        )  # fmt: skip
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    print(closing_line(summary, args.out))
    return 0
