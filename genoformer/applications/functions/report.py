"""A page about predicted functions: shares of classes or terms, or numbers, how sure they are, and a table."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from genoformer.applications.functions.caller import FunctionCaller, calibrated, called_terms
from genoformer.inference.chunks import Outputs
from genoformer.inference.record_reports import Figure, RecordReportWriter
from genoformer.inference.report_files import Finished
from genoformer.report.svg_charts import histogram, named_bars
from genoformer.sequence.records import Record

MAX_CLASSES = 20
"""Classes and terms in a picture: the most frequent ones."""


class FunctionReportWriter(RecordReportWriter):
    """The page.

    Args:
        path: The final name.
        caller: The model.
    """

    subject = "functions"

    def __init__(self, path: Path, caller: FunctionCaller) -> None:
        super().__init__(path)
        self._caller = caller
        self._counts: Counter[str] = Counter()
        self._values: list[float] = []
        said = [("prediction", 4), ("low", 4), ("high", 4)] if caller.says_numbers else [
            ("prediction", None), ("probability", 3), ("next", None), ("its probability", 3)
        ]  # fmt: skip
        self.headings = (("record", None), ("length (bp)", 0), *said)

    def row(self, record: Record, found: Outputs) -> tuple:
        values = self._calibrated(found)
        if self._caller.says_numbers:
            half, value = self._caller.calibration["half_width"], float(values[0])
            return record.id, len(record), value, value - half, value + half
        called, channels = self._called(found), self._caller.task.channels
        sure = [float(values[channels.index(name)]) for name in called]
        others = [i for i in np.argsort(-values, kind="stable").tolist() if channels[i] not in called]
        following = (self._named(channels[others[0]]), float(values[others[0]])) if others else ("", None)
        names = "; ".join(self._named(name) for name in called)
        return record.id, len(record), names, min(sure) if sure else None, *following

    def gather(self, record: Record, found: Outputs) -> None:
        values = self._calibrated(found)
        if self._caller.says_numbers:
            self._values.append(float(values[0]))
        else:
            self._counts.update(self._called(found))
            self._values.append(float(values.max(initial=0)))

    def _calibrated(self, found: Outputs) -> np.ndarray:
        """Probabilities, or numbers in the units of the labels, [C]."""
        return calibrated(self._caller.task, found["outputs"][None], self._caller.calibration)[0]

    def _called(self, found: Outputs) -> list[str]:
        return called_terms(self._caller.task, found["outputs"][None], self._caller.calibration)[0]

    def _named(self, name: str) -> str:
        """A term with its name in words, where the model knows it."""
        words = self._caller.task.ontology.get("names", {}).get(name, "") if self._caller.task.ontology else ""
        return f"{name} {words}" if words else name

    def facts(self, finished: Finished) -> dict[str, Any]:
        kind = finished.summary["kind"]
        if kind == "regression":
            return {"kind": kind}
        return {"kind": kind, "classes or terms": f"{len(self._caller.task.channels):,}"}

    def pictures(self) -> list[Figure]:
        if self._caller.says_numbers:
            drawn = histogram(self._values, title="Predictions", x="value", y="records")
            return [(drawn, "Predicted numbers, in the units of the labels.")]
        sure = histogram(self._values, title="Probability", x="probability", y="records", n_bins=20, limits=(0, 1))
        found = [(sure, "Probability of the likeliest class or term of each record.")]
        if self._counts:
            frequent = self._counts.most_common(MAX_CLASSES)
            shares = {self._named(name): n / self._n_records for name, n in frequent}
            caption = "Share of the records that are said to have each class or term."
            found.insert(0, (named_bars(shares, title="Classes", x="share of records"), caption))
        return found
