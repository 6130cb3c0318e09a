"""``genoformer variants``: what variants of a genome change, by a model and on its genes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genoformer.applications import APPLICATIONS, find_application
from genoformer.bundle.header import BundleHeader, read_header
from genoformer.cli.loading import loading
from genoformer.cli.prediction import check_machine, load_on_device, say, shown_progress, speed_of
from genoformer.errors import UsageError, WarningLog, counted
from genoformer.inference.formats import check_formats, default_formats
from genoformer.variants.formats import FORMATS

if TYPE_CHECKING:
    from genoformer.variants.interface import VariantOptions
    from genoformer.variants.request import VariantRequest

NO_MODEL = "none"
OTHER_KIND = "It is for " + ", ".join(task for task, application in APPLICATIONS.items() if application.variants) + "."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("genome", help='FASTA, GenBank or EMBL file, plain, gzip or bgzip; "-" reads standard input')
    parser.add_argument("vcf", help='VCF file, plain, gzip or bgzip; "-" reads standard input')
    parser.add_argument("-o", "--out", required=True, type=Path, help="output folder")
    parser.add_argument(
        "--model", default="prokaryotes",
        help="folder of a bundle, or name of a shipped model, of genes or of functions; none for consequences alone",
    )  # fmt: skip
    parser.add_argument(
        "--annotation", metavar="FILE",
        help="GFF3, GTF, GenBank or EMBL file: consequences are told on its genes, not on those that the model finds",
    )  # fmt: skip
    parser.add_argument("--skip", action="store_true", help="count rows that do not fit the genome, and leave them")
    words = ", ".join(f"{word}: {row.about}" for word, row in FORMATS.items())
    parser.add_argument("--formats", help=f"comma-separated; {words} (default {','.join(default_formats(FORMATS))})")
    parser.add_argument("--min-change", type=float, default=0.01, help="smaller changes of a model's numbers go untold")
    parser.add_argument("--genetic-code", type=int, help="NCBI number; the model's own by default")
    parser.add_argument(
        "--circular",
        default="auto",
        help="auto (what the input says), none, or ids of circular records, comma-separated",
    )
    parser.add_argument("--seqid-map", help="table of two columns: id in the VCF or annotation, id in the genome")
    parser.add_argument("--batch-size", type=int, default=2, help="tiles per model call: speed and memory only")
    parser.add_argument(
        "--precision", choices=("bfloat16", "float32"), help="of the model pass; by default what the machine is fast in"
    )
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--overwrite", action="store_true", help="replace another result in the folder")
    parser.add_argument("--dry-run", action="store_true", help="check the input and say what would be done")


def run(args: argparse.Namespace) -> int:
    """Judge and write; returns the exit code."""
    from genoformer.variants.run import VariantJob, judge_variants

    check_machine(args)
    header = None if args.model == NO_MODEL else read_header(args.model)
    if header is None and args.annotation is None:
        message = "without a model, genes come from an annotation."
        raise UsageError("VARIANTS-011", message, where="--model none", fix="Give --annotation, or name a model.")
    request, warnings = request_of(args), WarningLog()
    load = None if header is None else loader(args, header, request.options)
    with shown_progress("variants") as bar:
        job = VariantJob(
            args.genome, args.vcf, request, header, load, warnings=warnings, on_start=bar.reset, on_done=bar.update
        )
        summary = judge_variants(job, args.out, overwrite=args.overwrite, dry_run=args.dry_run)
    say(warnings, closing(summary, args.out))
    return 0


def request_of(args: argparse.Namespace) -> "VariantRequest":
    """What the arguments ask for.

    Raises:
        UsageError: If an option is out of range, or a format cannot be written here.
    """
    from genoformer.annotation.genetic_code import get_genetic_code
    from genoformer.variants.interface import VariantOptions
    from genoformer.variants.request import VariantRequest

    if args.genetic_code is not None:
        get_genetic_code(args.genetic_code)
    if not 0 <= args.min_change:
        raise UsageError(
            "OPTION-002", f"expected a number of 0 or more, found {args.min_change}.", where="--min-change"
        )
    circular = () if args.circular == "none" else tuple(args.circular.split(","))
    words = None if args.formats is None else args.formats.split(",")
    return VariantRequest(
        VariantOptions(args.genetic_code, circular, args.min_change), check_formats(words, FORMATS), args.skip,
        args.annotation, args.seqid_map, args.precision,
    )  # fmt: skip


def loader(args: argparse.Namespace, header: BundleHeader, options: "VariantOptions") -> Any:
    """What loads the model when there is work for it.

    Raises:
        UsageError: If models of its task say nothing of variants.
    """
    task = header.config.task
    part = find_application(task, where=header.name).variants
    if part is None:
        message = f"a model for {task} says nothing of variants."
        raise UsageError("VARIANTS-012", message, where="--model", fix=OTHER_KIND)

    def load() -> Any:
        with loading():
            kind, bundle = part.load(), load_on_device(header, args)
        return kind.from_bundle(bundle, speed_of(args), options)

    return load


def closing(summary: dict[str, Any], out: Path) -> str:
    """What was done, in a line."""
    rows = f"{counted(summary['n_rows'], 'row')} on {counted(summary['n_records'], 'record')}"
    if summary.get("dry_run"):
        return f"{rows}: would write to {out}"
    judged = summary["statuses"].get("judged", 0)
    text = f"{counted(judged, 'allele')} of {rows}"
    return f"nothing to do: {out} holds {text}" if summary.get("nothing_to_do") else f"{text}: {out}"
