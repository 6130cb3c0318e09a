"""Predictions of functions: a request and its model."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from genoformer.applications.functions.caller import CHUNK, FunctionCaller, called_terms
from genoformer.applications.functions.request import FunctionRequest
from genoformer.applications.functions.table import FunctionWriter, write_terms
from genoformer.bundle.folder import Bundle
from genoformer.errors import WarningLog
from genoformer.inference.chunks import Outputs
from genoformer.inference.formats import Formats, MakeWriter
from genoformer.inference.interface import Speed, Written
from genoformer.inference.reading import Scan
from genoformer.inference.sequence_predict import SequencePredictor
from genoformer.sequence.records import Record


class FunctionTally:
    """Counts what is said of the sequences.

    Args:
        caller: The model.
    """

    def __init__(self, caller: FunctionCaller) -> None:
        self.caller = caller
        self.counts: Counter[str] = Counter()

    def add(self, record: Record, found: Outputs) -> None:
        """Count what is said of one sequence."""
        if not self.caller.says_numbers:
            self.counts.update(called_terms(self.caller.task, found["outputs"][None], self.caller.calibration)[0])

    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says."""
        kind = {"kind": self.caller.task.options.kind}
        if self.caller.says_numbers:
            return kind
        return {**kind, "counts": {name: self.counts[name] for name in self.caller.task.channels}}


@dataclass(frozen=True)
class FunctionPredictor(SequencePredictor):
    """A request and its model."""

    caller: FunctionCaller

    @classmethod
    def from_bundle(cls, request: FunctionRequest, bundle: Bundle, speed: Speed) -> Self:
        """Make ready; DataError if the bundle is of another task."""
        return cls(request, FunctionCaller.from_bundle(bundle, speed))

    chunk = CHUNK

    def check(self, scan: Scan) -> None:
        """DataError if the model was not calibrated; longer sequences are cut, and counted."""
        _ = self.caller.calibration

    def write(self, paths: list[str], scan: Scan, out: Path, folders: list[Path], warnings: WarningLog) -> Written:
        """The table; see ``interface.Predictor``."""
        limit = self.caller.max_bp
        for record in self._records(paths) if scan.longest[1] > limit else ():
            if len(record) > limit:
                message = f'record "{record.id}": of {len(record):,} bp the first {limit:,} are read.'
                warnings.add("FUNCTION-001", message)
        written = super().write(paths, scan, out, folders, warnings)
        return replace(written, run={"batch_size": self.caller.batch_size})

    def build_tally(self) -> FunctionTally:
        return FunctionTally(self.caller)

    def writers(self, formats: Formats) -> Mapping[str, MakeWriter]:
        found: dict[str, MakeWriter] = {"tsv": partial(FunctionWriter, caller=self.caller)}
        for word in {"parquet", "report"} & {*self.request.formats}:  # the package of the first not everyone has
            found[word] = partial(formats[word].writer.load(), caller=self.caller)
        return found

    def write_beside(self, out: Path) -> list[str]:
        return write_terms(out, self.caller)
