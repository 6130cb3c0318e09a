"""Predicted functions as Parquet: the columns of ``functions.tsv`` with types."""

from pathlib import Path

from genoformer.applications.functions.caller import FunctionCaller, calibrated, called_terms
from genoformer.applications.functions.outputs import NEAREST
from genoformer.applications.functions.table import table_columns
from genoformer.inference.chunks import Outputs
from genoformer.inference.parquet_files import REAL, REALS, TEXT, TEXTS, WHOLE, Columns, ParquetWriter
from genoformer.sequence.records import Record


class FunctionParquetWriter(ParquetWriter):
    """One row for each sequence; ``prediction`` and ``probability`` are lists where there are several labels.

    Args:
        path: The final name.
        caller: The model.
    """

    def __init__(self, path: Path, caller: FunctionCaller) -> None:
        self._caller = caller
        types = dict.fromkeys(table_columns(caller), REAL) | {"record_id": TEXT, "length_bp": WHOLE}
        if not caller.says_numbers:
            types["prediction"] = TEXTS if self._has_many else TEXT
            types["probability"] = REALS if self._has_many else REAL
            types |= {} if caller.relatives is None else {NEAREST[0]: TEXT}
        super().__init__(path, types)

    @property
    def _has_many(self) -> bool:
        return self._caller.task.options.kind == "multilabel"

    def columns(self, record: Record, found: Outputs, **about: object) -> Columns:
        caller, outputs = self._caller, found["outputs"][None]
        [values] = calibrated(caller.task, outputs, caller.calibration)
        head = [record.id, len(record)]
        if caller.says_numbers:
            half = caller.calibration["half_width"]
            cells = [*head, values[0], values[0] - half, values[0] + half]
        else:
            [names] = called_terms(caller.task, outputs, caller.calibration)
            sure = [values[caller.task.channels.index(name)] for name in names]
            near = (cell for pair in caller.nearest([record.codes]) for cell in pair)
            cells = [*head, *((names, sure) if self._has_many else (names[0], sure[0])), *near, *values]
        return {name: [cell] for name, cell in zip(table_columns(caller), cells, strict=True)}
