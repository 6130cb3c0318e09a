"""Predictions about whole sequences, one result for each record: request and predictor that all such tasks share."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from genoformer.bundle.header import BundleHeader
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.inference.bundle_digests import fitted_record
from genoformer.inference.chunks import ChunkSize, Outputs, make_chunks, read_chunks
from genoformer.inference.formats import Formats, MakeWriter, RecordFiles, check_formats, stored_formats
from genoformer.inference.interface import OnBases, Written
from genoformer.inference.parts import Part
from genoformer.inference.reading import Reading, Scan, scan_records
from genoformer.sequence.records import Record


@dataclass(frozen=True)
class SequenceRequest:
    """What is asked of a model that says something of whole sequences; see ``interface.Request``.

    Attributes:
        reading: How the input is read.
        formats: Words of the application's formats.
        precision: Of the model pass; None for the usual one.
    """

    reading: Reading = field(default_factory=Reading)
    formats: tuple[str, ...] = ()
    precision: str | None = None

    known_formats: ClassVar[Part[Formats]]
    """What the words stand for."""

    @classmethod
    def add_arguments(cls, group: argparse._ArgumentGroup) -> None:
        """No options of its own."""

    @classmethod
    def from_arguments(cls, args: argparse.Namespace, header: BundleHeader) -> Self:
        """The request of a command line; UsageError if a format is unknown, or cannot be written here."""
        words = None if args.formats is None else args.formats.split(",")
        return cls(
            reading=cls.reading_of(args),
            formats=check_formats(words, cls.known_formats.load()),
            precision=args.precision,
            **cls.settings_of(args),
        )

    @classmethod
    def reading_of(cls, args: argparse.Namespace) -> Reading:
        """How the input is read."""
        return Reading(args.on_bad_record, **table_columns_of(args))

    @classmethod
    def settings_of(cls, args: argparse.Namespace) -> dict[str, Any]:
        """Values of the attributes that a kind of request has besides."""
        return {}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """What ``to_dict`` gave."""
        formats = stored_formats(stored["formats"], cls.known_formats.load())
        return cls(**{**stored, "reading": Reading(**stored["reading"]), "formats": formats})

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "formats": list(self.formats), "reading": self.reading.to_dict()}

    def scan(self, paths: list[str], warnings: WarningLog) -> Scan:
        """Read all of the input once; DataError if it is bad."""
        return scan_records(record for _, record in self.reading.all_records(paths, warnings))

    def key(self, header: BundleHeader, scan: Scan) -> dict[str, Any]:
        """What makes two predictions the same; JSON types."""
        task = header.config.task
        return {
            **self.to_dict(), "task": task, "sequence_digest": scan.sequence_digest, "model_digest": header.digest,
            "calibration": fitted_record(header.calibration.get(task)), "version": version("genoformer"),
        }  # fmt: skip


def table_columns_of(args: argparse.Namespace) -> dict[str, Any]:
    """Columns of tables, for ``Reading``.

    Raises:
        UsageError: If ids have a column, but sequences have none.
    """
    if args.id_column is not None and args.sequence_column is None:
        fix = "Name the column of the sequences with --sequence-column."
        raise UsageError("INPUT-003", "tables need a column of sequences.", where="--id-column", fix=fix)
    return {"sequence_column": args.sequence_column, "id_column": args.id_column}


class Tally(Protocol):
    """Counts for ``summary.json``."""

    def add(self, record: Record, found: Outputs) -> None:
        """Count one record."""

    def summary(self) -> dict[str, Any]:
        """What is said of all."""


@dataclass(frozen=True)
class SequencePredictor:
    """A request and its model; see ``interface.Predictor``.

    Attributes:
        request: What to do.
        caller: The model.
    """

    request: SequenceRequest
    caller: Any

    chunk: ClassVar[ChunkSize] = ChunkSize(n_records=500, n_bases=50_000)

    @property
    def precision(self) -> str:
        return self.caller.precision

    def check(self, scan: Scan) -> None:
        """DataError if a record is too long, or the model was not calibrated."""
        name, length = scan.longest
        if length > self.caller.max_bp:
            raise DataError(
                "STRUCTURE-001", f'record "{name}" has {length:,} bases; the model reads up to '
                f"{self.caller.max_bp:,}.", fix="Cut it, or train with a larger max_bp.",
            )  # fmt: skip
        _ = self.caller.calibration

    def needed_bytes(self, scan: Scan) -> tuple[int, int]:
        """Little: sequences are short."""
        return 0, 0

    def run_passes(
        self, paths: list[str], scan: Scan, folder: Path, on_bases: OnBases, share: range | None = None
    ) -> None:
        """What the model says of every record, kept in files; see ``interface.Predictor``."""
        make_chunks(self._records(paths), folder, self.caller.outputs_of, self.chunk, on_bases, share)

    def write(self, paths: list[str], scan: Scan, out: Path, folders: list[Path], warnings: WarningLog) -> Written:
        """The files of the prediction; see ``interface.Predictor``."""
        bundle, tally = self.caller.bundle, self.build_tally()
        formats = self.request.known_formats.load()
        with RecordFiles(out, self.request.formats, formats, self.writers(formats)) as files:
            for record, found in read_chunks(self._records(paths), folders, self.chunk):
                files.add(record, found)
                tally.add(record, found)
        about = {"model": bundle.name, "model_digest": bundle.digest, "task": bundle.config.task}
        summary = {**about, **scan.summary(), **tally.summary()}
        return Written(summary, [*files.names, *self.write_beside(out)], reports=files.reports)

    def build_tally(self) -> Tally:
        """Counts that have seen nothing."""
        raise NotImplementedError

    def writers(self, formats: Formats) -> Mapping[str, MakeWriter]:
        """Writers that need to know something of the model, by word."""
        return {}

    def write_beside(self, out: Path) -> list[str]:
        """Write files that describe all records together; their names."""
        return []

    def _records(self, paths: list[str]) -> Iterator[Record]:
        return (record for _, record in self.request.reading.records(paths))
