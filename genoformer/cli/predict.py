"""``genoformer predict``: genes of FASTA files."""

import argparse
import re
import sys
from pathlib import Path

from genoformer.cli.option_values import find_device, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("fasta", nargs="+", help='FASTA files, plain, gzip or bgzip; "-" reads standard input')
    parser.add_argument("--model", default="bacteria", help="folder of a bundle, or name of a shipped model")
    parser.add_argument("-o", "--out", required=True, type=Path, help="output folder")
    parser.add_argument("--formats", default="gff3,tsv,protein", help="of gff3, gtf, tsv, bed, protein, cds")
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
        "--adapt",
        action="store_true",
        help="first adapt the weights to the whole input, see genoformer adapt (minutes)",
    )
    parser.add_argument("--adapt-steps", type=int, help="training steps of --adapt (500)")
    parser.add_argument("--locus-tag", default="", help="prefix of locus tags")
    parser.add_argument("--shard", default="1/1", help="i/n: only every n-th record, beginning with the i-th")
    parser.add_argument("--on-bad-record", choices=("error", "skip"), default="error")
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
    from genoformer.cli.adapt import with_adaptation
    from genoformer.errors import WarningLog
    from genoformer.inference.finders import find_finder
    from genoformer.inference.predict import predict
    from genoformer.nn.allocator import tune_allocator

    tune_allocator()
    if args.threads is not None:
        torch.set_num_threads(positive(args.threads, "--threads"))
    bundle = load_bundle(args.model)
    bundle.model.to(find_device(args.device))
    batch_size = positive(args.batch_size, "--batch-size")
    finder = find_finder(bundle, batch_size=batch_size, precision=args.precision)
    options, adapt = _options(args, bundle.config.genetic_code), None
    if args.adapt:
        options, adapt = with_adaptation(args, options, finder)
    warnings = WarningLog()
    bar = tqdm(unit="bp", unit_scale=True, desc="genes", file=sys.stderr, disable=None, delay=1)

    def start(scan) -> None:
        bar.total = scan.n_bases
        bar.refresh()

    with bar:
        summary = predict(
            args.fasta, finder, args.out, options, mask=args.mask, overwrite=args.overwrite, dry_run=args.dry_run,
            on_start=start, on_bases=bar.update, adapt=adapt, warnings=warnings,
        )  # fmt: skip
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    print(_closing_line(summary, args.out))
    return 0


def _closing_line(summary: dict, out: Path) -> str:
    if summary.get("dry_run"):
        return f"{summary['n_records']} records, {summary['n_bases']:,} bp: would write to {out}"
    genes = f"{summary['n_genes']} genes in {summary['n_records']} records, {summary['n_bases']:,} bp"
    return f"nothing to do: {out} holds {genes}" if summary.get("nothing_to_do") else f"{genes}: {out}"


def _options(args: argparse.Namespace, default_code: int):
    from genoformer.annotation.genetic_code import get_genetic_code
    from genoformer.decoding.caller import CallOptions
    from genoformer.inference.gene_outputs import check_formats
    from genoformer.inference.predict import PredictOptions

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
        shard=_shard(args.shard),
        statistics=not args.no_statistics,
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


def _shard(text: str) -> tuple[int, int]:
    from genoformer.errors import UsageError

    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError("SHARD-001", f'expected i/n with 1 ≤ i ≤ n, found "{text}".', where="--shard")
    return int(match[1]), int(match[2])
