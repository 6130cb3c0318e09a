"""Text labels as numbers: classes, sets of terms and values."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from genoformer.errors import DataError, UsageError
from genoformer.labels.tables import LabelledSequence


def find_classes(
    sequences: Sequence[LabelledSequence], kind: str, *, separator: str, min_examples: int, value_name: str
) -> list[str]:
    """Names of the outputs that these labels ask for, sorted; one name for numbers.

    Args:
        sequences: All sequences with labels.
        kind: "multiclass", "multilabel" or "regression".
        separator: Between the terms of one sequence.
        min_examples: Sequences that a class or term must have; others are no classes.
        value_name: What the number is called.

    Raises:
        DataError: If fewer than two classes, or no term, have enough sequences.
    """
    if kind == "regression":
        return [value_name]
    counts = Counter(term for sequence in sequences for term in split_terms(sequence.label, kind, separator))
    classes = sorted(term for term, n in counts.items() if n >= min_examples)
    if len(classes) < (2 if kind == "multiclass" else 1):
        where = sequences[0].where.rpartition(" line ")[0] if sequences else "data.labels"
        fix = "Lower data.min_examples, or look at data.columns.label."
        if sequences and all(_is_number(sequence.label) for sequence in sequences):
            fix += " Numbers are labels of kind regression."
        raise DataError(
            "LABELS-011", f"{len(counts)} labels, {len(classes)} of them on {min_examples} sequences or more: too few.",
            where=where, fix=fix,
        )  # fmt: skip
    return classes


def split_terms(label: str, kind: str, separator: str) -> list[str]:
    """The terms of a label, each once; a class is one term."""
    if kind != "multilabel":
        return [label]
    return list(dict.fromkeys(term.strip() for term in label.split(separator) if term.strip()))


def encode_labels(
    sequences: Sequence[LabelledSequence], kind: str, classes: Sequence[str], *, separator: str, strict: bool
) -> np.ndarray:
    """Class numbers int64 [n], or float32 [n, C] with 0 and 1 for terms, or with the number.

    Args:
        sequences: With labels.
        kind: "multiclass", "multilabel" or "regression".
        classes: Names of the outputs.
        separator: Between the terms of one sequence.
        strict: A term that is no class is an error; else it is left out. A class must always be known.

    Raises:
        DataError: At the first label that does not fit, with file and line.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    if kind == "regression":
        return np.array([[_number(sequence)] for sequence in sequences], dtype=np.float32).reshape(-1, 1)
    rows = [split_terms(sequence.label, kind, separator) for sequence in sequences]
    for sequence, terms in zip(sequences, rows, strict=True):
        unknown = [term for term in terms if term not in numbers]
        if unknown and (strict or kind == "multiclass"):
            some = ", ".join(list(classes)[:8]) + (" …" if len(classes) > 8 else "")
            raise DataError("LABELS-012", f'"{unknown[0]}" is none of the classes {some}.', where=sequence.where)
    if kind == "multiclass":
        return np.array([numbers[terms[0]] for terms in rows], dtype=np.int64)
    targets = np.zeros((len(rows), len(classes)), dtype=np.float32)
    for row, terms in enumerate(rows):
        targets[row, [numbers[term] for term in terms if term in numbers]] = 1.0
    return targets


def check_examples(targets: np.ndarray, kind: str, classes: Sequence[str], where: str) -> None:
    """Refuse classes that the training part does not show.

    Raises:
        UsageError: With the names of the first few.
    """
    if kind == "regression":
        return
    counts = np.bincount(targets, minlength=len(classes)) if kind == "multiclass" else targets.sum(axis=0)
    if empty := [name for name, n in zip(classes, counts, strict=True) if n == 0]:
        names = ", ".join(empty[:5]) + (" …" if len(empty) > 5 else "")
        raise UsageError(
            "LABELS-013", f"{len(empty)} of {len(classes)} classes have no example in the training part: {names}.",
            where=where, fix="Change the split, raise data.min_examples, or name the classes with data.classes.",
        )  # fmt: skip


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _number(sequence: LabelledSequence) -> float:
    if not _is_number(sequence.label):
        raise DataError("LABELS-014", f'expected a number, found "{sequence.label}".', where=sequence.where)
    return float(sequence.label)
