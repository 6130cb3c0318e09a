"""Compare predicted contacts with structures: precision of the best pairs, and whether probabilities are right."""

from pathlib import Path
from typing import Any

import numpy as np

from genoformer.applications.contacts.caller import contact_population
from genoformer.applications.contacts.outputs import CONTACTS_H5
from genoformer.applications.rna_pairs.maps import read_pairs_h5
from genoformer.errors import DataError, WarningLog
from genoformer.inference.comparison import Comparison, Question
from genoformer.labels.tables import TableColumns, read_label_table
from genoformer.metrics.calibration import brier, ece, reliability
from genoformer.metrics.pairs import contact_precision, mean_contact_precision
from genoformer.structures.contact_labels import read_contacts


def evaluate_contacts(
    predicted: str | Path, reference: str | Path, columns: TableColumns, *, genetic_code: int = 1,
    warnings: WarningLog | None = None,
) -> dict:  # fmt: skip
    """Score predicted contacts; chains are matched by id.

    Args:
        predicted: Output folder of ``predict`` with ``contacts.h5``.
        reference: Table with ids, bases and structures (FILE:CHAIN).
        columns: Columns of the table.
        genetic_code: NCBI number of the sequences.
        warnings: Counts chains without prediction.

    Returns:
        Means over chains of the precision of the best L, L/2 and L/5 pairs by separation, "n", "ece", "brier" and
        "reliability"; JSON types only.

    Raises:
        DataError: If a file cannot be read, no id matches, or a structure does not fit.
    """
    log = WarningLog() if warnings is None else warnings
    found = {name: (pairs, sure) for name, pairs, sure in read_pairs_h5(Path(predicted) / CONTACTS_H5)}
    rows, populations = [], []
    for example in read_label_table([reference], columns, [], log):
        if example.id not in found:
            log.add("EVAL-013", f"{example.where}: nothing was predicted for {example.id}; it is not judged.")
            continue
        labels = read_contacts(example, Path(reference).parent, genetic_code)
        pairs, sure = found[example.id]
        if len(pairs) and pairs.max() >= len(labels):
            raise DataError("EVAL-014", f'"{example.id}" has {len(labels)} codons here, more in the prediction.',
                            where=example.where)  # fmt: skip
        scores = np.zeros(labels.shape)
        # Pairs are written from the best one on: equal probabilities still have an order.
        scores[pairs[:, 0], pairs[:, 1]] = sure - 1e-9 * np.arange(len(pairs))
        rows.append(contact_precision(scores, labels))
        populations.append(contact_population(np.clip(scores, 0, 1), labels))
    if not rows:
        raise DataError("EVAL-012", f"no id of {predicted} is in the reference.", where=str(reference))
    probabilities, outcomes = (np.concatenate(parts) for parts in zip(*populations, strict=True))
    return {
        "task": "contacts",
        "n": len(rows),
        **mean_contact_precision(rows),
        "ece": ece(probabilities, outcomes),
        "brier": brier(probabilities, outcomes),
        "reliability": reliability(probabilities, outcomes),
    }


def _compare(question: Question, warnings: WarningLog) -> dict[str, Any]:
    columns = TableColumns(label=question.label_column or "structure", sequence="dna", id=question.id_column)
    return evaluate_contacts(question.folder, question.reference, columns, warnings=warnings)


def format_contacts(scores: dict[str, Any]) -> str:
    """The scores as text."""
    lines = [f"{name:20}{value:9.4f}" for name, value in scores.items() if isinstance(value, float)]
    return "\n".join([*lines, f"{scores['n']} chains judged."])


def _headline(scores: dict[str, Any]) -> tuple[str, float]:
    return "the precision of the best L/5 pairs", scores.get("all L/5", 0.0)


COMPARISON = Comparison(_compare, format_contacts, _headline, (CONTACTS_H5,))
