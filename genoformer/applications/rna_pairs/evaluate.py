"""Compare predicted base pairs with known structures: scores, and whether the probabilities are right."""

from pathlib import Path
from typing import Any

import numpy as np

from genoformer.applications.rna_pairs.maps import read_pairs_h5
from genoformer.applications.rna_pairs.outputs import PAIRS_DBN, PAIRS_H5
from genoformer.errors import DataError, WarningLog
from genoformer.inference.comparison import Comparison, Question
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table
from genoformer.metrics.calibration import brier, ece, reliability
from genoformer.metrics.pairs import mean_pair_scores, pair_scores
from genoformer.structures.dot_bracket import parse_dot_bracket
from genoformer.structures.pair_files import is_pair_file, read_dot_bracket, read_pair_files


def evaluate_pairs(
    predicted: str | Path, reference: str | Path, columns: TableColumns, *, warnings: WarningLog | None = None
) -> dict:
    """Score predicted structures; RNAs are matched by id.

    Args:
        predicted: Output folder of ``predict``, or a dot-bracket file of another program.
        reference: File of pairs, or table with bases and structures.
        columns: Columns of the table.
        warnings: Counts RNAs without prediction.

    Returns:
        Means over RNAs of "precision", "recall" and "f1", "n"; with an output folder that has ``pairs.h5`` also
        "ece", "brier" and "reliability" of the listed pairs. JSON types only.

    Raises:
        DataError: If a file cannot be read, no id matches, or a structure has another length.
    """
    log, folder = WarningLog() if warnings is None else warnings, Path(predicted)
    dbn = folder / PAIRS_DBN if folder.is_dir() else folder
    found = {example.id: parse_dot_bracket(example.label) for example in read_dot_bracket(dbn)}
    known = {example.id: parse_dot_bracket(example.label) for example in _read(reference, columns, log)}
    for name in (name for name in known if name not in found):
        log.add("EVAL-013", f"nothing was predicted for {name}; it is not judged.")
    judged = [name for name in known if name in found]
    if not judged:
        raise DataError("EVAL-012", f"no id of {dbn} is in the reference.", where=str(reference))
    for name in judged:
        if len(found[name]) != len(known[name]):
            message = f'"{name}" has {len(found[name])} bases in the prediction, {len(known[name])} in the reference.'
            raise DataError("EVAL-014", message, where=str(reference))
    means = mean_pair_scores(pair_scores(found[name], known[name]) for name in judged)
    scores = {"task": "rna_pairs", "n": len(judged), **means}
    return {**scores, **_calibration(folder / PAIRS_H5, known)} if (folder / PAIRS_H5).is_file() else scores


def _read(reference: str | Path, columns: TableColumns, log: WarningLog) -> list[LabelledSequence]:
    if is_pair_file(reference):
        return read_pair_files([reference])
    return read_label_table([reference], columns, [], log)


def _calibration(path: Path, known: dict[str, np.ndarray]) -> dict:
    sure, is_right = [np.empty(0)], [np.empty(0)]
    for name, pairs, probability in read_pairs_h5(path):
        if name in known:
            if len(pairs) and pairs.max() >= len(known[name]):
                message = f'"{name}" has {len(known[name])} bases in the reference, more in the prediction.'
                raise DataError("EVAL-014", message, where=str(path))
            sure.append(probability)
            is_right.append(known[name][pairs[:, 0]] == pairs[:, 1])
    probabilities, outcomes = np.concatenate(sure), np.concatenate(is_right).astype(np.float64)
    return {
        "ece": ece(probabilities, outcomes),
        "brier": brier(probabilities, outcomes),
        "reliability": reliability(probabilities, outcomes),
    }


def _compare(question: Question, warnings: WarningLog) -> dict[str, Any]:
    columns = TableColumns(label=question.label_column or "structure", sequence="sequence", id=question.id_column)
    return evaluate_pairs(question.predicted, question.reference, columns, warnings=warnings)


def format_pairs(scores: dict[str, Any]) -> str:
    """The scores as text."""
    lines = [f"{name:20}{value:9.4f}" for name, value in scores.items() if isinstance(value, float)]
    return "\n".join([*lines, f"{scores['n']} RNAs judged."])


def _headline(scores: dict[str, Any]) -> tuple[str, float]:
    return "the mean F1 of pairs", scores["f1"]


COMPARISON = Comparison(_compare, format_pairs, _headline, (PAIRS_DBN, PAIRS_H5))
