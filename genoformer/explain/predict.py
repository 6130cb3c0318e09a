"""The model pass of ``genoformer explain`` and its files, for the engine of predictions."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from genoformer.bundle.folder import Bundle
from genoformer.errors import WarningLog
from genoformer.explain.explainer import COMPLETE, Explainer
from genoformer.explain.kept import pack
from genoformer.explain.outputs import FORMATS
from genoformer.explain.request import ExplainRequest
from genoformer.explain.target import OVERALL
from genoformer.inference.chunks import ChunkSize, Outputs, make_chunks, read_chunks
from genoformer.inference.formats import MakeWriter, RecordFiles
from genoformer.inference.interface import OnBases, Written
from genoformer.inference.reading import Scan
from genoformer.sequence.records import Record
from genoformer.stream import fitting_threads

CHUNK = ChunkSize(n_records=20, n_bases=5_000)
"""A killed run loses no more: mutagenesis of a promoter takes about a second."""


@dataclass(frozen=True)
class ExplainPredictor:
    """A request and its model; see ``inference.interface.Predictor``.

    Attributes:
        request: What to do.
        explainer: The model.
    """

    request: ExplainRequest
    explainer: Explainer

    @classmethod
    def from_bundle(cls, request: ExplainRequest, bundle: Bundle, *, is_exclusive: bool, both_strands: bool) -> Self:
        """Make ready; see ``Explainer.from_bundle``."""
        asked = request.asked
        return cls(request, Explainer.from_bundle(bundle, asked, is_exclusive=is_exclusive, both_strands=both_strands))

    @property
    def precision(self) -> str:
        return "float32"

    def check(self, scan: Scan) -> None:
        """Records that are too long are found when they are read."""

    def needed_bytes(self, scan: Scan) -> tuple[int, int]:
        """Little: few bases can be explained in a lifetime."""
        return 0, 0

    def run_passes(
        self, paths: list[str], scan: Scan, folder: Path, on_bases: OnBases, share: range | None = None
    ) -> None:
        """What is asked of every record, kept in files; see ``inference.interface.Predictor``."""
        told = 0  # of a chunk, while it is made

        def tell(n_positions: int) -> None:
            nonlocal told
            told += n_positions
            on_bases(n_positions)

        def finish_chunk(n_bases: int) -> None:
            nonlocal told
            on_bases(max(0, (n_bases if self._region() is None else scan.n_bases) - told))
            told = 0

        def make(records: list[Record]) -> list[Outputs]:
            return [pack(self.explainer.explain(record, self._region(), tell)) for record in records]

        with fitting_threads(scan.n_bases * len(self.request.asked.methods) * 1_000):
            make_chunks(self._records(paths), folder, make, CHUNK, finish_chunk, share)

    def write(self, paths: list[str], scan: Scan, out: Path, folders: list[Path], warnings: WarningLog) -> Written:
        """The files; see ``inference.interface.Predictor``."""
        bundle, n_positions = self.explainer.bundle, 0
        makers: dict[str, MakeWriter] = {}
        if "png" in self.request.formats:  # whose package not everyone has
            makers["png"] = partial(FORMATS["png"].writer.load(), target=str(self.request.asked.target))
        with RecordFiles(out, self.request.formats, FORMATS, makers) as files:
            for record, found in read_chunks(self._records(paths), folders, CHUNK):
                files.add(record, found)
                n_positions += max(found[method].shape[-1 if method != "ism" else 0] for method in self._methods)
                self._warn(record, float(found["missing"]), warnings)
        left_out = files.left_out(warnings)
        summary: dict[str, Any] = {
            "model": bundle.name, "model_digest": bundle.digest, "task": bundle.config.task, **scan.summary(),
            "target": self.request.asked.target.to_dict(), "methods": list(self._methods), "n_positions": n_positions,
            "strands": list(self.explainer.strands), "score": self._score_name(),
        }  # fmt: skip
        return Written(summary | ({"left_out": left_out} if left_out else {}), files.names)

    @property
    def _methods(self) -> tuple[str, ...]:
        return self.request.asked.methods

    def _score_name(self) -> str:
        if self.explainer.scorer.target.head != OVERALL:
            return "sum of logits"
        return "log-odds" if self.explainer.scorer.is_exclusive else "logit"

    def _warn(self, record: Record, missing: float, warnings: WarningLog) -> None:
        limit = self.explainer.bundle.config.options.get("max_bp")
        if limit and len(record) > limit:
            warnings.add("EXPLAIN-104", f'of the {len(record):,} bp of "{record.id}" the first {limit:,} are read.')
        if missing > COMPLETE:
            message = f'contributions to "{record.id}" by gradients lack {missing:.1%} of what they should add up to.'
            warnings.add("EXPLAIN-101", message)

    def _region(self) -> tuple[int, int] | None:
        region = self.request.reading.region
        return None if region is None else region[1:]

    def _records(self, paths: list[str]) -> Iterator[Record]:
        return (record for _, record in self.request.reading.records(paths))
