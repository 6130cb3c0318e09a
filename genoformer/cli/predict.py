"""``genoformer predict``: genes, functions or structures of the sequences of FASTA files."""

import argparse
import os
import re
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from genoformer.cli.option_values import find_device, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("fasta", nargs="+", help='FASTA files, plain, gzip or bgzip; "-" reads standard input')
    parser.add_argument("--model", default="bacteria", help="folder of a bundle, or name of a shipped model")
    add_gene_options(parser)
    parser.add_argument(
        "--adapt",
        action="store_true",
        help="first adapt the weights to the whole input, see genoformer adapt (minutes)",
    )
    parser.add_argument("--adapt-steps", type=int, help="training steps of --adapt (500)")
    parser.add_argument("--crossing", action="store_true", help="let base pairs cross (pseudoknots)")
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="only the model pass of the I-th of N equal parts, for genoformer merge; auto: that of this process among "
        "those that srun or torchrun started",
    )


def add_gene_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that finds genes."""
    parser.add_argument("-o", "--out", required=True, type=Path, help="output folder")
    parser.add_argument(
        "--formats",
        default="gff3,tsv,protein",
        help="of gff3, gtf, tsv, bed, protein, cds (genes); h5, dbn, tsv, ct, bpseq, png (base pairs); tsv, h5, png "
        "(contacts)",
    )
    parser.add_argument("--genetic-code", type=int, help="NCBI number; the model's own by default")
    parser.add_argument("--region", help="only RECORD:START-END, 1-based, both included")
    parser.add_argument("--circular", default="auto", help="auto, none, or ids of circular records, comma-separated")
    parser.add_argument(
        "--mask", metavar="BED", help="BED file of intervals without genes (rRNA, tRNA …), plain or gzip"
    )
    parser.add_argument("--min-gene-bp", type=int, default=90, help="shortest gene, stop codon included")
    parser.add_argument("--across-gaps", action="store_true", help="let genes run across runs of ten or more N")
    parser.add_argument(
        "--no-statistics", action="store_true", help="do not learn codon usage and starts from the input itself"
    )
    parser.add_argument(
        "--metagenome", action="store_true", help="records of many organisms: each has statistics of its own, if long"
    )
    parser.add_argument("--locus-tag", default="", help="prefix of locus tags")
    parser.add_argument("--on-bad-record", choices=("error", "skip"), default="error")
    parser.add_argument(
        "--allow-empty", action="store_true", help="functions: an empty FASTA file is no error (a genome without genes)"
    )
    parser.add_argument("--batch-size", type=int, default=2, help="tiles per model call: speed and memory only")
    parser.add_argument(
        "--precision", choices=("bfloat16", "float32"), help="of the model pass; by default what the machine is fast in"
    )
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--overwrite", action="store_true", help="replace another prediction in the folder")
    parser.add_argument("--dry-run", action="store_true", help="check the input and say what would be done")


def run(args: argparse.Namespace) -> int:
    """Find genes and write them; returns the exit code."""
    import torch
    from tqdm import tqdm

    from genoformer.bundle import load_bundle
    from genoformer.cli.predict_functions import predict_function_table
    from genoformer.cli.predict_structures import STRUCTURE_TASKS, predict_structure_files
    from genoformer.errors import UsageError, WarningLog
    from genoformer.nn.allocator import tune_allocator

    tune_allocator()
    shard = None if args.shard is None else _shard(args.shard, os.environ)
    if args.threads is not None:
        torch.set_num_threads(positive(args.threads, "--threads"))
    bundle = load_bundle(args.model)
    bundle.model.to(find_device(args.device))
    if args.crossing and bundle.config.task != "rna_pairs":
        raise UsageError("PAIRS-005", f"a model for {bundle.config.task} has no base pairs.", where="--crossing")
    if bundle.config.task == "function":
        return predict_function_table(args, bundle)
    if bundle.config.task in STRUCTURE_TASKS:
        return predict_structure_files(args, bundle)
    if args.allow_empty:
        raise UsageError("EMPTY-001", "a prediction of genes needs sequence.", where="--allow-empty")
    finder, warnings = build_finder(args, bundle), WarningLog()
    with tqdm(unit="bp", unit_scale=True, desc="genes", file=sys.stderr, disable=None, delay=1) as bar:
        predicted = _predict_all if shard is None or args.dry_run else partial(_predict_shard, shard)
        closing = predicted(args, finder, bar, warnings)
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    print(closing)
    return 0


def build_finder(args: argparse.Namespace, bundle):
    """A bundle made ready to find genes, as the arguments say."""
    from genoformer.inference.finders import find_finder

    batch_size = positive(args.batch_size, "--batch-size")
    return find_finder(bundle, batch_size=batch_size, precision=args.precision)


def _predict_all(args: argparse.Namespace, finder, bar, warnings) -> str:
    from genoformer.applications.genes.predict import predict
    from genoformer.cli.adapt import with_adaptation
    from genoformer.errors import UsageError

    options, adapt = gene_options(args, finder.bundle.config.genetic_code), None
    if args.adapt:
        if args.metagenome:
            raise UsageError("ADAPT-006", "a mixture of organisms is nothing to adapt to.", where="--metagenome")
        options, adapt = with_adaptation(args, options, finder)
    summary = predict(
        args.fasta, finder, args.out, options, mask=args.mask, overwrite=args.overwrite, dry_run=args.dry_run,
        on_start=lambda scan: bar.reset(scan.n_bases), on_bases=bar.update, adapt=adapt, warnings=warnings,
    )  # fmt: skip
    return closing_line(summary, args.out)


def _predict_shard(shard, args: argparse.Namespace, finder, bar, warnings) -> str:
    from genoformer.applications.genes.shards import predict_shard
    from genoformer.errors import UsageError

    if args.adapt:
        message, fix = (
            "every shard would adapt the model for itself.",
            "Run genoformer adapt, and predict with its model.",
        )
        raise UsageError("SHARD-002", message, where="--adapt", fix=fix)
    folder = predict_shard(
        args.fasta, finder, args.out, gene_options(args, finder.bundle.config.genetic_code), shard, model=args.model,
        mask=args.mask, overwrite=args.overwrite, on_start=bar.reset, on_bases=bar.update, warnings=warnings,
    )  # fmt: skip
    return f"shard {shard.number} of {shard.of}: {folder}"


def closing_line(summary: dict, out: Path) -> str:
    """What was found, in a line."""
    if summary.get("dry_run"):
        return f"{summary['n_records']} records, {summary['n_bases']:,} bp: would write to {out}"
    genes = f"{summary['n_genes']} genes in {summary['n_records']} records, {summary['n_bases']:,} bp"
    return f"nothing to do: {out} holds {genes}" if summary.get("nothing_to_do") else f"{genes}: {out}"


def gene_options(args: argparse.Namespace, default_code: int):
    """``PredictOptions`` of the arguments; the model's genetic code is the default."""
    from genoformer.annotation.genetic_code import get_genetic_code
    from genoformer.applications.genes.outputs import check_formats
    from genoformer.decoding.caller import CallOptions
    from genoformer.inference.reading import PredictOptions

    code = default_code if args.genetic_code is None else args.genetic_code
    get_genetic_code(code)
    call = CallOptions(
        genetic_code=code,
        min_gene_bp=positive(args.min_gene_bp, "--min-gene-bp"),
        max_gap_bp=1 << 40 if args.across_gaps else 9,
    )
    circular = () if args.circular == "none" else tuple(args.circular.split(","))
    return PredictOptions(
        call=call,
        circular=circular,
        formats=check_formats(tuple(args.formats.split(","))),
        locus_tag=args.locus_tag,
        region=_region(args.region),
        statistics=not args.no_statistics,
        metagenome=args.metagenome,
        on_bad_record=args.on_bad_record,
    )


def _region(text: str | None) -> tuple[str, int, int] | None:
    from genoformer.errors import UsageError

    if text is None:
        return None
    match = re.fullmatch(r"(.+):([\d,]+)-([\d,]+)", text)
    start, end = (int(match[i].replace(",", "")) for i in (2, 3)) if match else (0, 0)
    if not 1 <= start <= end:
        raise UsageError(
            "REGION-003", f'expected RECORD:START-END with 1 ≤ START ≤ END, found "{text}".', where="--region"
        )
    return match[1], start - 1, end


def _shard(text: str, environment: Mapping[str, str]):
    """The part I/N; "auto" finds it in the variables of torchrun, then of srun."""
    from genoformer.applications.genes.shards import Shard
    from genoformer.errors import UsageError

    if text == "auto":
        for rank, size in (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS")):
            if rank in environment and size in environment:
                return Shard(int(environment[rank]) + 1, int(environment[size]))
        message = "no variables of torchrun (RANK, WORLD_SIZE) or srun (SLURM_PROCID, SLURM_NTASKS) are set."
        raise UsageError("SHARD-001", message, where="--shard auto", fix="Give --shard I/N.")
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError("SHARD-001", f'expected I/N with 1 ≤ I ≤ N, or auto, found "{text}".', where="--shard")
    return Shard(int(match[1]), int(match[2]))
