"""``genoformer predict`` with a function model: a table with one row per sequence."""

import argparse
from functools import partial

from genoformer.cli.predict_sequences import refuse_gene_options, run_sequence_prediction


def predict_function_table(args: argparse.Namespace, bundle) -> int:
    """Predict functions and write them; returns the exit code.

    Args:
        args: Options of ``genoformer predict``.
        bundle: A loaded function model, on its device.

    Raises:
        UsageError: If an option was given that has a meaning for genes only.
    """
    from genoformer.applications.functions.caller import FunctionCaller
    from genoformer.applications.functions.predict import predict_functions
    from genoformer.cli.option_values import positive

    refuse_gene_options(args, "function")
    batch_size = 16 * positive(args.batch_size, "--batch-size")
    caller = FunctionCaller.from_bundle(bundle, batch_size=batch_size, precision=args.precision or "float32")
    predict = partial(predict_functions, args.fasta, caller, args.out, allow_empty=args.allow_empty)
    return run_sequence_prediction(args, "functions", predict)
