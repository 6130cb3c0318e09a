"""Compare predicted secondary structure with known states: scores, and whether the probabilities are right."""

from pathlib import Path
from typing import Any

import numpy as np

from genoformer.applications.codon_structure.outputs import HEAD, STRUCTURE_TSV
from genoformer.applications.functions.evaluate import format_functions
from genoformer.errors import DataError, WarningLog
from genoformer.inference.comparison import Comparison, Question
from genoformer.inference.read_back import damaged, predicted_number, predicted_rows
from genoformer.labels.tables import TableColumns, read_labels
from genoformer.metrics.calibration import brier, ece, reliability
from genoformer.metrics.functions import multiclass_scores
from genoformer.tasks.codon_structure import IGNORED, encode_states


def evaluate_states(
    predicted: str | Path, reference: str | Path, columns: TableColumns, *, warnings: WarningLog | None = None
) -> dict:
    """Score predicted states, codon by codon; sequences are matched by id.

    Args:
        predicted: Output folder of ``predict``.
        reference: Table with ids and states, one letter per codon; "-" is not judged.
        columns: Columns of the reference.
        warnings: Counts sequences without prediction.

    Returns:
        "accuracy" (Q3, or Q8), "macro_f1", "mcc", "per_class", "ece", "brier" and "reliability"; JSON types only.

    Raises:
        DataError: If a file cannot be read, no id matches, or states do not fit the codons.
    """
    log = WarningLog() if warnings is None else warnings
    names, found = read_states(Path(predicted) / STRUCTURE_TSV)
    probabilities, known = [], []
    for label in read_labels(reference, columns, log):
        if label.id not in found:
            log.add("EVAL-013", f"{label.where}: nothing was predicted for {label.id}; it is not judged.")
            continue
        try:
            states = encode_states(label.label, names)
        except ValueError as error:
            raise DataError("EVAL-017", f"{error}.", where=label.where) from error
        if len(states) != len(found[label.id]):
            message = f'"{label.id}" has {len(found[label.id])} codons in the prediction, {len(states)} here.'
            raise DataError("EVAL-014", message, where=label.where)
        probabilities.append(found[label.id][states != IGNORED])
        known.append(states[states != IGNORED])
    if not known:
        raise DataError("EVAL-012", f"no id of {predicted} is in the reference.", where=str(reference))
    return {"task": "codon_structure", **score_states(np.concatenate(probabilities), np.concatenate(known), names)}


def score_states(probabilities: np.ndarray, known: np.ndarray, names: tuple[str, ...]) -> dict:
    """Scores of codons; the event of calibration is "the likeliest state is right".

    Args:
        probabilities: Of every state, [n, C].
        known: Numbers of the true states [n].
        names: Letters of the states.
    """
    best = probabilities.argmax(axis=1)
    sure, is_right = np.clip(probabilities.max(axis=1), 0.0, 1.0), best == known
    return {
        **multiclass_scores(best, known.astype(np.int64), names),
        "ece": ece(sure, is_right),
        "brier": brier(sure, is_right),
        "reliability": reliability(sure, is_right),
    }


def read_states(path: Path) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Letters of the states, and by record their probabilities [T, C], of a ``structure.tsv``."""
    names: tuple[str, ...] = ()
    rows: dict[str, list[list[float]]] = {}
    for where, cells in predicted_rows(path, ("record_id",)):
        names = names or tuple(name for name in cells if name not in HEAD)
        values = [predicted_number(cells, name, where) for name in names]
        rows.setdefault(cells["record_id"], []).append(values)
    if not names:
        raise damaged("there is no column of a state", str(path))
    return names, {name: np.array(values) for name, values in rows.items()}


def _compare(question: Question, warnings: WarningLog) -> dict[str, Any]:
    columns = TableColumns(label=question.label_column or "states", id=question.id_column)
    return evaluate_states(question.folder, question.reference, columns, warnings=warnings)


def format_states(scores: dict[str, Any]) -> str:
    """The scores as text."""
    return format_functions(scores).replace(" sequences judged.", " codons judged.")


def _headline(scores: dict[str, Any]) -> tuple[str, float]:
    return "macro_f1", scores["macro_f1"]


COMPARISON = Comparison(_compare, format_states, _headline, (STRUCTURE_TSV,))
