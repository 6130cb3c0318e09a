"""``genoformer embed``: hidden states of a model for records, windows or bases."""

import argparse
from pathlib import Path
from typing import Any

from genoformer.applications.genes.request import read_region
from genoformer.bundle.header import BundleHeader, read_header
from genoformer.cli.loading import loading
from genoformer.cli.predict import add_table_arguments
from genoformer.cli.prediction import (
    add_input_arguments,
    add_output_arguments,
    check_machine,
    load_on_device,
    speed_of,
    write_own_formats,
)
from genoformer.embeddings.request import (
    DTYPES,
    FORMATS,
    STRANDS,
    Embedding,
    EmbedRequest,
    check_layer,
    windows_of,
)
from genoformer.embeddings.windows import KINDS
from genoformer.inference.formats import check_formats
from genoformer.inference.parts import Part
from genoformer.inference.reading import Reading, Scan
from genoformer.inference.sequence_predict import table_columns_of

SUBJECT = "embeddings"
PREDICTOR: Part[Any] = Part("genoformer.embeddings.predict:EmbedPredictor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_input_arguments(parser)
    parser.add_argument(
        "--model", default="prokaryotes", help="folder of a bundle, or name of a shipped model; any task"
    )
    parser.add_argument(
        "--per", choices=KINDS, default="record",
        help="what a row is about: the mean of a record (default), means of windows, or every base",
    )  # fmt: skip
    parser.add_argument("--window-bp", type=int, metavar="N", help="length of a window, for --per window")
    parser.add_argument("--step-bp", type=int, metavar="N", help="from window to window (the length of a window)")
    parser.add_argument(
        "--layer", type=int, help="states behind this layer; 0: the embeddings of tokens; by default the last layer"
    )
    parser.add_argument(
        "--strand", choices=STRANDS, default="forward",
        help="read the record as it is written (default), its reverse complement, or take the average of both",
    )  # fmt: skip
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="of the numbers that are written (float32)")
    parser.add_argument("--region", help="only RECORD:START-END, 1-based, both included")
    offered = "; ".join(f"{word}: {row.about}" for word, row in FORMATS.items())
    add_output_arguments(parser, f"comma-separated, npz by default; {offered}", precision="float32 by default")
    add_table_arguments(parser.add_argument_group("tables"))
    parser.epilog = (
        "A mean is over the A, C, G and T of a record or window, each with the state of the token that owns it. "
        "Unknown bases are left out; nothing is padded."
    )


def run(args: argparse.Namespace) -> int:
    """Embed and write; returns the exit code."""
    check_machine(args)
    header = read_header(args.model)
    request = request_of(args, header)

    def load(paths: list[str], scan: Scan, work: Path) -> Any:
        with loading():
            predictor, bundle = PREDICTOR.load(), load_on_device(header, args)
        return predictor.from_bundle(request, bundle, speed_of(args))

    return write_own_formats(args, request, header, load, FORMATS, SUBJECT)


def request_of(args: argparse.Namespace, header: BundleHeader) -> EmbedRequest:
    """The request of a command line; UsageError if an option is out of range."""
    n_layers = header.config.encoder.get("n_layers")
    layer = n_layers if args.layer is None else args.layer
    if isinstance(n_layers, int):
        check_layer(layer, n_layers)
    asked = Embedding(windows_of(args.per, args.window_bp, args.step_bp), layer, args.strand, args.dtype)
    return EmbedRequest(
        asked=asked,
        reading=Reading(args.on_bad_record, region=read_region(args.region), **table_columns_of(args)),
        formats=check_formats(None if args.formats is None else args.formats.split(","), FORMATS),
        precision=args.precision or "float32",
    )
