"""``genoformer explain``: what each base contributes to what a model says."""

import argparse
from pathlib import Path
from typing import Any

from genoformer.applications import build_task
from genoformer.applications.genes.request import read_region
from genoformer.bundle.header import BundleHeader, read_header
from genoformer.cli.loading import loading
from genoformer.cli.option_values import positive
from genoformer.cli.predict import add_table_arguments
from genoformer.cli.prediction import (
    add_input_arguments,
    check_machine,
    load_on_device,
    write_own_formats,
)
from genoformer.explain.outputs import FORMATS
from genoformer.explain.request import (
    METHODS,
    MUTAGENESIS,
    STRANDS,
    USUAL_STEPS,
    Explaining,
    ExplainRequest,
    check_methods,
)
from genoformer.explain.target import read_target
from genoformer.inference.formats import check_formats
from genoformer.inference.parts import Part
from genoformer.inference.reading import Reading, Scan
from genoformer.inference.sequence_predict import table_columns_of

SUBJECT = "explanations"
PREDICTOR: Part[Any] = Part("genoformer.explain.predict:ExplainPredictor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_input_arguments(parser)
    parser.add_argument("--model", default="prokaryotes", help="folder of a bundle, or name of a shipped model")
    parser.add_argument(
        "--target", metavar="NAME[:START-END]",
        help="the output that is explained: a class or term; of a model with outputs per base a channel and positions, "
        "1-based, both included (all of the region, or of the record, by default)",
    )  # fmt: skip
    parser.add_argument(
        "--methods", default=MUTAGENESIS, metavar="WORDS",
        help=f"comma-separated of {', '.join(METHODS)}: each base replaced by the three others (default), integrated "
        "gradients (extra explain), and what the global tokens of the encoder attend to",
    )  # fmt: skip
    parser.add_argument("--region", help="only the bases RECORD:START-END, 1-based, both included; more is read")
    parser.add_argument(
        "--strand", choices=STRANDS, help="the strand that is read (by default what the model reads: forward, or both)"
    )
    parser.add_argument("--steps", type=int, default=USUAL_STEPS, help=f"of integrated gradients ({USUAL_STEPS})")
    parser.add_argument("-o", "--out", required=True, type=Path, help="output folder")
    offered = "; ".join(f"{word}: {row.about}" for word, row in FORMATS.items())
    parser.add_argument("--formats", help=f"comma-separated, tsv,png by default; {offered}")
    parser.add_argument(
        "--on-bad-record", choices=("error", "skip"), default="error", help="leave out bad records of FASTA, or stop"
    )
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--overwrite", action="store_true", help="replace another result in the folder")
    parser.add_argument("--dry-run", action="store_true", help="check the input and say what would be done")
    add_table_arguments(parser.add_argument_group("tables"))
    parser.set_defaults(batch_size=1, precision="float32")


def run(args: argparse.Namespace) -> int:
    """Explain and write; returns the exit code."""
    check_machine(args)
    header = read_header(args.model)
    request = request_of(args, header)

    def load(paths: list[str], scan: Scan, work: Path) -> Any:
        with loading():
            predictor, bundle = PREDICTOR.load(), load_on_device(header, args)
            config = bundle.config
            task: Any = build_task(config.task, config.labels, config.options, config.ontology)
        is_exclusive = getattr(getattr(task, "options", None), "kind", None) == "multiclass"
        return predictor.from_bundle(request, bundle, is_exclusive=is_exclusive, both_strands=task.strands == "average")

    return write_own_formats(args, request, header, load, FORMATS, SUBJECT)


def request_of(args: argparse.Namespace, header: BundleHeader) -> ExplainRequest:
    """The request of a command line; UsageError if an option is out of range."""
    config = header.config
    positive(args.steps, "--steps")
    methods = check_methods(args.methods.split(","), config.encoder.get("n_global_tokens", 0))
    target = read_target(args.target, config.labels, config.head["name"])
    return ExplainRequest(
        asked=Explaining(target, methods, args.strand, args.steps),
        reading=Reading(args.on_bad_record, region=read_region(args.region), **table_columns_of(args)),
        formats=check_formats(None if args.formats is None else args.formats.split(","), FORMATS),
    )
