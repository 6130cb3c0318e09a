"""Calibration of a finished function model on its validation part."""

from typing import Any

import numpy as np

from genoformer.applications.functions.caller import FunctionCaller, calibrated
from genoformer.applications.functions.confidence import MIN_LABELS, MIN_SCORE, PRECISION
from genoformer.applications.functions.data import TableData
from genoformer.applications.functions.relatives import Relatives
from genoformer.applications.functions.sequence_kind import SEQUENCES, describe_sequences
from genoformer.bundle.folder import Bundle
from genoformer.inference.bundle_digests import RELATIVES
from genoformer.inference.interface import Speed
from genoformer.labels.ontology import information_content
from genoformer.metrics.calibration_fit import fit_isotonic, fit_temperature
from genoformer.metrics.functions import best_threshold, threshold_of_precision
from genoformer.metrics.ontology import best_common_threshold
from genoformer.tasks.function import Function
from genoformer.training.finish import Finish

COVERAGE = 0.9
"""Share of the validation values that the interval of a predicted number holds."""


def fit_function(bundle: Bundle, data: TableData, precision: str) -> dict[str, Any]:
    """Confidence, threshold or interval, fitted on the validation part; see ``training.finish.Fit``."""
    caller = FunctionCaller.from_bundle(bundle, Speed(precision=precision))
    sequences, targets = [sequence.codes for sequence in data.parts["validation"]], data.targets["validation"]
    outputs, beside = caller.network_outputs(sequences), {}
    if caller.task.options.relatives:
        outputs, beside[RELATIVES] = _with_relatives(caller, data, outputs)
    outputs = caller.task.coherent(outputs)
    fitted = fit_calibration(caller.task, outputs, targets, data.scale) | beside
    if beside and "temperature" in fitted:  # the weights were fitted to more than the validation part as it is
        fitted["temperature"] = 1.0
    if not caller.says_numbers:
        fitted |= fit_min_score(caller.task, outputs, targets, fitted)
    fitted[SEQUENCES] = describe_sequences([sequence.codes for sequence in data.parts["train"]])
    if caller.task.ontology:
        bits = information_content(data.targets["train"], caller.task.implied_columns)
        fitted["information"] = bits.tolist()
    return {"function": fitted}


def _with_relatives(caller: FunctionCaller, data: TableData, outputs: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Outputs of network and relatives for the validation part, and what the bundle keeps of the training part."""
    codes = {part: caller.cut([one.codes for one in data.parts[part]]) for part in ("train", "validation")}
    is_multilabel, n_labels = caller.task.options.kind == "multilabel", len(caller.task.channels)
    ids = [one.id for one in data.parts["train"]]
    known = Relatives.of_training(ids, codes["train"], data.targets["train"], n_labels, is_multilabel=is_multilabel)
    looks = known.looks(codes["validation"])
    fitted = known.fitted(outputs, looks, data.targets["validation"])
    return fitted.beside(outputs, looks[0]), fitted.to_dict()


def fit_calibration(task: Function, outputs: np.ndarray, targets: np.ndarray, scale: tuple[float, float]) -> dict:
    """What turns outputs into probabilities and decisions, fitted on sequences that training has not seen.

    Args:
        task: Kind of labels.
        outputs: Logits [n, C].
        targets: Labels as numbers, see ``label_values.encode_labels``; numbers standardised by ``scale``.
        scale: Mean and standard deviation of numbers in training; (0, 1) otherwise.

    Returns:
        JSON types: "temperature"; or "isotonic", one map for all terms, and the "threshold" of the best micro-F1 (with
        an ontology, of the best mean F1 over its branches); or "mean", "sd" and the "half_width" of an interval that
        holds ``COVERAGE`` of the values.
    """
    if task.options.kind == "multiclass":
        return {"temperature": fit_temperature(outputs, targets)}
    if task.options.kind == "multilabel":
        isotonic = fit_isotonic(outputs.ravel(), targets.ravel())
        # The threshold belongs to the logits: the map is flat in places, where it would no longer tell terms apart.
        branches = task.namespaces
        threshold = best_common_threshold(outputs, targets, branches) if branches else best_threshold(outputs, targets)
        return {"isotonic": isotonic.to_dict(), "threshold": threshold}
    mean, sd = scale
    errors = np.abs(outputs[:, 0] - targets[:, 0]) * sd
    # The finite-sample rank of split conformal prediction (Lei et al. 2018, arXiv:1604.04173, algorithm 2).
    rank = min(len(errors), int(np.ceil((len(errors) + 1) * COVERAGE)))
    return {"mean": mean, "sd": sd, "half_width": float(np.sort(errors)[rank - 1])}


def fit_min_score(task: Function, outputs: np.ndarray, targets: np.ndarray, calibration: dict) -> dict:
    """The probability from which on ``PRECISION`` of the labels are right, on sequences that training has not seen.

    Args:
        task: Multi-class or multi-label.
        outputs: Logits [n, C].
        targets: Labels as numbers, see ``label_values.encode_labels``.
        calibration: From ``fit_calibration``.

    Returns:
        JSON types: the threshold, None where there is none; the "precision" that was asked for, the "n" labels there
        are, and the share of them that is "kept".
    """
    values = calibrated(task, outputs, calibration)
    if task.options.kind == "multiclass":
        scores, is_right = values.max(axis=1), values.argmax(axis=1) == targets
    else:
        is_said = outputs >= calibration["threshold"]
        scores, is_right = values[is_said], targets[is_said] > 0
    least = threshold_of_precision(scores, is_right, PRECISION, MIN_LABELS)
    kept = 0.0 if least is None else float(np.mean(scores >= least))
    return {MIN_SCORE: least, "min_score_fit": {"precision": PRECISION, "n": len(scores), "kept": round(kept, 4)}}


FINISH = Finish(fit_function)
