"""Calibration of a finished function model on its validation part."""

from pathlib import Path

from genoformer.bundle import add_calibration, load_bundle
from genoformer.inference.function_calls import FunctionCaller, fit_calibration
from genoformer.ontology import information_content
from genoformer.training.table_data import TableData


def write_calibration(folder: Path, data: TableData, *, precision: str) -> list[str]:
    """Fit confidence, threshold or interval on the validation part, and write them into the bundle.

    Args:
        folder: The bundle.
        data: Set up.
        precision: Of the model pass, "bfloat16" or "float32".

    Returns:
        Lines for the user: none.
    """
    bundle = load_bundle(folder)
    caller = FunctionCaller.from_bundle(bundle, precision=precision)
    outputs = caller.outputs([sequence.codes for sequence in data.parts["validation"]])
    fitted = fit_calibration(caller.task, outputs, data.targets["validation"], data.scale)
    if caller.task.ontology:
        bits = information_content(data.targets["train"], caller.task.implied_columns)
        fitted["information"] = bits.tolist()
    add_calibration(folder, bundle, {"function": fitted})
    return []
