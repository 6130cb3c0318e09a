"""Compare a table of predicted functions with a reference table: scores, and whether the probabilities are right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genoformer.applications.functions.outputs import FUNCTIONS, NEAREST, TERMS
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.inference.comparison import Comparison, Question
from genoformer.inference.folder import SUMMARY, read_description
from genoformer.inference.read_back import damaged, predicted_number, predicted_probability, predicted_rows
from genoformer.labels.ontology import read_obo
from genoformer.labels.tables import LabelledSequence, TableColumns, read_labels
from genoformer.labels.terms import with_implied_terms
from genoformer.labels.values import encode_labels
from genoformer.metrics.calibration import brier, ece, reliability
from genoformer.metrics.functions import micro_f1, multiclass_scores, multilabel_scores, regression_scores
from genoformer.metrics.ontology import ontology_scores

Row = tuple[str, dict[str, str]]
"""Where a row of a table stands, and its cells by column."""
HEADLINES = {"multiclass": "macro_f1", "multilabel": "micro_f1", "regression": "r2"}
"""The score that counts, by kind."""
HEAD = {"record_id", "length_bp", "prediction", "probability", "low", "high"}


def evaluate_functions(
    predicted: str | Path, reference: str | Path, columns: TableColumns, *, separator: str = ";",
    ontology: str | Path | None = None, warnings: WarningLog | None = None,
) -> dict:  # fmt: skip
    """Score predicted functions.

    Sequences are matched by id; those without a label in the reference are not judged. Multi-label predictions are
    judged at the threshold that was chosen in training.

    Args:
        predicted: Output folder of ``predict``.
        reference: Table with ids and labels.
        columns: Columns of the reference.
        separator: Between the terms of a multi-label row.
        ontology: OBO file that says what the terms of the reference imply; needed when the model has an ontology.
        warnings: Counts labels without prediction.

    Returns:
        Scores by name, "per_class", and for classes and terms "ece", "brier" and "reliability"; with an ontology
        "branches", see ``ontology_metrics.ontology_scores``; JSON types only.

    Raises:
        UsageError: If the reference has no id column, or an ontology is needed or of no use.
        DataError: If a file cannot be read, no id matches, or a label is no class of the model.
    """
    if columns.id is None:
        raise UsageError("EVAL-011", "the reference needs ids.", where="--id-column", fix="Name its column of ids.")
    log = WarningLog() if warnings is None else warnings
    folder = Path(predicted)
    kind = _kind(folder)
    names, rows = _read_predictions(folder / FUNCTIONS, kind)
    labels, terms = read_labels(reference, columns, log), _read_terms(folder / TERMS, names)
    if bool(terms) != (ontology is not None):
        use = "needs" if terms else "has no use for"
        raise UsageError("EVAL-016", f"the model {use} an ontology.", where="--ontology")
    if ontology is not None:
        labels = with_implied_terms(labels, read_obo(ontology), separator, log)
    labelled = [label for label in labels if _is_known(label, rows, log)]
    if not labelled:
        raise DataError("EVAL-012", f"no id of {folder / FUNCTIONS} is in the reference.", where=str(reference))
    chosen = [rows[label.id] for label in labelled]
    if kind == "regression":
        return {"task": "function", "kind": kind, **_score_numbers(chosen, labelled)}
    targets = encode_labels(labelled, kind, names, separator=separator, strict=False)
    probabilities = np.array([[predicted_probability(row, name, where) for name in names] for where, row in chosen])
    called = encode_labels(
        [_as_label(*row) for row in chosen], "multilabel", names, separator=";", strict=True
    )  # fmt: skip
    if kind == "multiclass":
        return {"task": "function", "kind": kind, **_score_labelled(probabilities, called, targets, names)}
    branches = _score_branches(probabilities, called, targets, [terms[name] for name in names]) if terms else {}
    return {"task": "function", "kind": kind, **_score_terms(probabilities, called, targets, names), **branches}


def _kind(folder: Path) -> str:
    try:
        summary = read_description(folder / SUMMARY)
        kind = summary.get("functions", summary)["kind"]  # of annotate, of predict
        if kind not in HEADLINES:
            raise ValueError(f"no kind of functions is called {kind!r}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "EVAL-010", "this is no output folder of a function model: there is no readable summary.json.",
            where=str(folder),
        ) from error  # fmt: skip
    return kind


def _read_predictions(path: Path, kind: str) -> tuple[list[str], dict[str, Row]]:
    needed = ("record_id", "prediction", *(("low", "high") if kind == "regression" else ()))
    rows = {cells["record_id"]: (where, cells) for where, cells in predicted_rows(path, needed)}
    names = [name for _, cells in list(rows.values())[:1] for name in cells if name not in HEAD]
    near = [*NEAREST]
    return (names[len(near) :] if names[: len(near)] == near else names), rows


def _read_terms(path: Path, names: Sequence[str]) -> dict[str, Row]:
    """Rows of ``terms.tsv`` by term; none when the model has no ontology."""
    if not path.is_file():
        return {}
    rows = predicted_rows(path, ("term", "namespace", "information_bits"))
    terms = {cells["term"]: (where, cells) for where, cells in rows}
    if missing := [name for name in names if name not in terms]:
        raise damaged(f"there is no term {missing[0]!r}, which is predicted", str(path))
    return terms


def _score_branches(probabilities: np.ndarray, called: np.ndarray, targets: np.ndarray, terms: list[Row]) -> dict:
    namespaces = [cells["namespace"] for _, cells in terms]
    bits = np.array([predicted_number(cells, "information_bits", where) for where, cells in terms])
    return {"branches": ontology_scores(probabilities, targets, namespaces, bits, called > 0)}


def _is_known(label: LabelledSequence, rows: dict, log: WarningLog) -> bool:
    if label.id not in rows:
        log.add("EVAL-013", f"{label.where}: nothing was predicted for {label.id}; it is not judged.")
    return label.id in rows


def _as_label(where: str, row: dict[str, str]) -> LabelledSequence:
    return LabelledSequence(row["record_id"], np.empty(0, np.uint8), row["prediction"], "", where)


def _score_labelled(probabilities: np.ndarray, called: np.ndarray, targets: np.ndarray, names: list[str]) -> dict:
    """Scores of the sequences that have a label, and how many these are where ``annotate`` left some without."""
    is_labelled = called.any(axis=1)
    if not is_labelled.any():
        fix = "Annotate with a lower --min-score."
        raise DataError("EVAL-023", "no sequence of the reference was given a label.", where="functions.tsv", fix=fix)
    scores = _score_classes(probabilities[is_labelled], called[is_labelled], targets[is_labelled], names)
    return scores if is_labelled.all() else {**scores, "labelled": float(is_labelled.mean())}


def _score_classes(probabilities: np.ndarray, called: np.ndarray, targets: np.ndarray, names: list[str]) -> dict:
    predicted = called.argmax(axis=1)
    sure, is_right = probabilities[np.arange(len(targets)), predicted], predicted == targets
    return {**multiclass_scores(predicted, targets, names), **_calibration(sure, is_right)}


def _score_terms(probabilities: np.ndarray, called: np.ndarray, targets: np.ndarray, names: list[str]) -> dict:
    scores = multilabel_scores(probabilities, targets, names)
    return {
        "micro_f1": micro_f1(called, targets),
        **{name: value for name, value in scores.items() if name not in ("threshold", "micro_fmax")},
        **_calibration(probabilities.ravel(), targets.ravel()),
    }


def _calibration(probabilities: np.ndarray, outcomes: np.ndarray) -> dict:
    return {
        "ece": ece(probabilities, outcomes),
        "brier": brier(probabilities, outcomes),
        "reliability": reliability(probabilities, outcomes),
    }


def _score_numbers(rows: list[Row], labelled: list[LabelledSequence]) -> dict:
    values = encode_labels(labelled, "regression", ["value"], separator=";", strict=True)[:, 0].astype(np.float64)
    predicted, low, high = (
        np.array([predicted_number(row, name, where) for where, row in rows]) for name in ("prediction", "low", "high")
    )
    inside = (low <= values) & (values <= high)
    return {**regression_scores(predicted, values), "interval_coverage": float(inside.mean())}


def _compare(question: Question, warnings: WarningLog) -> dict[str, Any]:
    columns = TableColumns(label=question.label_column or "label", id=question.id_column)
    return evaluate_functions(
        question.folder, question.reference, columns, separator=question.label_separator,
        ontology=question.ontology, warnings=warnings,
    )  # fmt: skip


def format_functions(scores: dict[str, Any]) -> str:
    """The scores as text: totals, then one row per class."""
    lines = [f"{name:20}{value:9.4f}" for name, value in scores.items() if isinstance(value, float)]
    for branch, row in scores.get("branches", {}).items():
        lines.append(f"{branch}: " + ", ".join(f"{name} {value:.4f}" for name, value in row.items()))
    per_class = scores.get("per_class", {})
    measures = list(next(iter(per_class.values()), {}))
    if measures:
        lines += ["", f"{'class':32}" + " ".join(f"{measure:>9}" for measure in measures)]
    for name, row in per_class.items():
        lines.append(f"{name:32}" + " ".join(f"{row[measure]:9.4f}" for measure in measures))
    return "\n".join([*lines, f"{scores['n']} sequences judged."])


def _headline(scores: dict[str, Any]) -> tuple[str, float]:
    measure = HEADLINES[scores["kind"]]
    return measure, scores[measure]


COMPARISON = Comparison(_compare, format_functions, _headline, (FUNCTIONS, TERMS))
