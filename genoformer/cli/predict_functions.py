"""``genoformer predict`` with a function model: a table with one row per sequence."""

import argparse
import sys

GENE_OPTIONS = (
    "genetic_code", "region", "mask", "across_gaps", "no_statistics", "metagenome", "adapt", "adapt_steps", "locus_tag",
    "shard",
)  # fmt: skip


def predict_function_table(args: argparse.Namespace, bundle) -> int:
    """Predict functions and write them; returns the exit code.

    Args:
        args: Options of ``genoformer predict``.
        bundle: A loaded function model, on its device.

    Raises:
        UsageError: If an option was given that has a meaning for genes only.
    """
    from tqdm import tqdm

    from genoformer.cli.option_values import positive
    from genoformer.errors import UsageError, WarningLog
    from genoformer.inference.function_calls import FunctionCaller
    from genoformer.inference.function_predict import predict_functions

    given = [name for name in GENE_OPTIONS if getattr(args, name) not in (None, False, "")]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise UsageError("FUNCTION-002", f"a model for function takes no {option}: it is about genes.", where=option)
    batch_size = 16 * positive(args.batch_size, "--batch-size")
    caller = FunctionCaller.from_bundle(bundle, batch_size=batch_size, precision=args.precision or "float32")
    warnings = WarningLog()
    with tqdm(unit="bp", unit_scale=True, desc="functions", file=sys.stderr, disable=None, delay=1) as bar:
        summary = predict_functions(
            args.fasta, caller, args.out, on_bad_record=args.on_bad_record, allow_empty=args.allow_empty,
            overwrite=args.overwrite, dry_run=args.dry_run, on_bases=bar.update, warnings=warnings,
        )  # fmt: skip
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    records = f"{summary['n_records']} records, {summary['n_bases']:,} bp"
    if summary.get("dry_run"):
        print(f"{records}: would write to {args.out}")
    elif summary.get("nothing_to_do"):
        print(f"nothing to do: {args.out} holds the functions of {records}")
    else:
        print(f"functions of {records}: {args.out}")
    return 0
