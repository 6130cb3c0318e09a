"""What ``functions.tsv`` and ``terms.tsv`` hold."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from genoformer.applications.functions.caller import FunctionCaller, calibrated, called_terms
from genoformer.applications.functions.confidence import is_sure
from genoformer.applications.functions.outputs import NEAREST, TERMS
from genoformer.files import write_text_atomic
from genoformer.inference.chunks import Outputs
from genoformer.inference.text_files import TextWriter
from genoformer.sequence.records import Record

TERM_COLUMNS = ("term", "name", "namespace", "information_bits", "implies")


class FunctionWriter(TextWriter):
    """One row for each sequence.

    Args:
        path: The final name.
        caller: The model.
    """

    def __init__(self, path: Path, caller: FunctionCaller) -> None:
        super().__init__(path)
        self.caller = caller
        self.header = "\t".join(table_columns(caller)) + "\n"

    def lines(self, record: Record, found: Outputs) -> Iterator[str]:
        rows, _ = table_rows([record], found["outputs"][None], self.caller)
        return ("\t".join(row) + "\n" for row in rows)


def table_columns(caller: FunctionCaller) -> list[str]:
    """Columns of ``functions.tsv``: what is said, how sure it is, and the probability of every class or term."""
    if caller.task.options.kind == "regression":
        return ["record_id", "length_bp", "prediction", "low", "high"]
    near = [] if caller.relatives is None else NEAREST
    return ["record_id", "length_bp", "prediction", "probability", *near, *caller.task.channels]


def table_rows(
    chunk: list[Record], outputs: np.ndarray, caller: FunctionCaller, min_score: float | None = 0.0
) -> tuple[list[list[str]], list[list[str]]]:
    """Rows of ``functions.tsv``, and the names that are said of each record; none for numbers.

    Names that are less probable than ``min_score`` are not said; none is where it is None.
    """
    task, calibration = caller.task, caller.calibration
    values = calibrated(task, outputs, calibration)
    heads = [[record.id, str(len(record))] for record in chunk]
    if task.options.kind == "regression":
        half = calibration["half_width"]
        numbers = [[f"{value:.6g}", f"{value - half:.6g}", f"{value + half:.6g}"] for value in values[:, 0]]
        return [head + row for head, row in zip(heads, numbers, strict=True)], []
    rows, called = [], []
    near = [[name, f"{similarity:.4f}"] for name, similarity in caller.nearest([record.codes for record in chunk])]
    said = called_terms(task, outputs, calibration)
    for head, found, row, nearest in zip(heads, said, values, near or [[]] * len(chunk), strict=True):
        names = [name for name in found if is_sure(row[task.channels.index(name)], min_score)]
        called.append(names)
        sure = ";".join(f"{row[task.channels.index(name)]:.4f}" for name in names)
        rows.append([*head, ";".join(names), sure, *nearest, *(f"{value:.4f}" for value in row)])
    return rows, called


def write_terms(out: Path, caller: FunctionCaller) -> list[str]:
    """Write ``terms.tsv``, what the terms of an ontology are; gives the names of what was written."""
    ontology = caller.task.ontology
    if not ontology:
        return []
    bits = caller.calibration["information"]
    lines = ["\t".join(TERM_COLUMNS)]
    for term, information in zip(caller.task.channels, bits, strict=True):
        described = (ontology["names"][term], ontology["namespaces"][term], f"{information:.4f}")
        lines.append("\t".join((term, *described, ";".join(ontology["implied"][term]))))
    write_text_atomic(out / TERMS, "\n".join(lines) + "\n")
    return [TERMS]
