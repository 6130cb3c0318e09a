"""Calibration of a finished function model on its validation part."""

from typing import Any

from genoformer.applications.functions.caller import FunctionCaller, fit_calibration
from genoformer.applications.functions.data import TableData
from genoformer.bundle.folder import Bundle
from genoformer.inference.interface import Speed
from genoformer.labels.ontology import information_content
from genoformer.training.finish import Finish


def fit_function(bundle: Bundle, data: TableData, precision: str) -> dict[str, Any]:
    """Confidence, threshold or interval, fitted on the validation part; see ``training.finish.Fit``."""
    caller = FunctionCaller.from_bundle(bundle, Speed(precision=precision))
    outputs = caller.outputs([sequence.codes for sequence in data.parts["validation"]])
    fitted = fit_calibration(caller.task, outputs, data.targets["validation"], data.scale)
    if caller.task.ontology:
        bits = information_content(data.targets["train"], caller.task.implied_columns)
        fitted["information"] = bits.tolist()
    return {"function": fitted}


FINISH = Finish(fit_function)
