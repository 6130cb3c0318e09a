"""What the engine of predictions asks of an application: a request, what it does with a model, and a model made ready.

The engine (``run``, ``shards``) sees to folders, resuming, sharing among processes and manifests, and knows no task.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from genoformer.bundle.header import BundleHeader
from genoformer.errors import WarningLog
from genoformer.inference.reading import Reading, Scan
from genoformer.sequence.records import Record

if TYPE_CHECKING:
    from genoformer.bundle.folder import Bundle
    from genoformer.inference.presentation import Presentation
    from genoformer.inference.results import Result

OnBases = Callable[[int], None]
"""Called with the number of bases that were done since the last call."""


@dataclass(frozen=True)
class Speed:
    """What a user decides about a model pass besides its results.

    Attributes:
        batch_size: Tiles per model call; models of whole sequences take a multiple of it.
        precision: "bfloat16" or "float32"; None for what suits model and machine.
    """

    batch_size: int = 2
    precision: str | None = None


@dataclass(frozen=True)
class Written:
    """What a prediction has written.

    Attributes:
        summary: Content of ``summary.json``.
        names: Files in the folder.
        run: What ``run.json`` says besides key and inputs.
        reports: Writers of pages, among ``names``, that ``run`` has described once the rest is there.
    """

    summary: dict[str, Any]
    names: list[str]
    run: dict[str, Any] = field(default_factory=dict)
    reports: list[Any] = field(default_factory=list)


class Request(Protocol):
    """What a prediction is asked to do: everything that changes its results. Made and used without a network."""

    @property
    def reading(self) -> Reading:
        """How the input is read."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""

    def scan(self, paths: list[str], warnings: WarningLog) -> Scan:
        """Read all of the input once, so that a broken last record is found before the work, not after it.

        Raises:
            DataError: Bad input.
            UsageError: If the request does not fit the input.
        """

    def key(self, header: BundleHeader, scan: Scan) -> dict[str, Any]:
        """What makes two predictions the same, with "precision"; JSON types."""


class CommandRequest(Request, Protocol):
    """A request that a command line can make."""

    @classmethod
    def add_arguments(cls, group: argparse._ArgumentGroup) -> None:
        """Options of ``genoformer predict`` that only this application has."""

    @classmethod
    def from_arguments(cls, args: argparse.Namespace, header: BundleHeader) -> Self:
        """The request of a command line.

        Raises:
            UsageError: If an option is out of range.
        """

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """What ``to_dict`` gave."""


class Predictor(Protocol):
    """A request and its model: the model pass, and the files that follow from it."""

    @property
    def precision(self) -> str:
        """Number format of the model pass."""

    def check(self, scan: Scan) -> None:
        """Refuse input that the model cannot read, before any work.

        Raises:
            DataError: If there is such a record.
        """

    def needed_bytes(self, scan: Scan) -> tuple[int, int]:
        """What has to fit on the disk: bytes of the work folder, and of the files; 0 where it is not worth a check.

        Args:
            scan: What the input holds.
        """

    def run_passes(
        self, paths: list[str], scan: Scan, folder: Path, on_bases: OnBases, share: range | None = None
    ) -> None:
        """The model pass, kept in files; what an interrupted run left there is not made again.

        Args:
            paths: The input.
            scan: What it holds.
            folder: Of the files, ``passes.PASS_FILES``.
            on_bases: Called with bases done since the last call.
            share: Only what begins among these bases, counted through all records; None for everything.
        """

    def write(self, paths: list[str], scan: Scan, out: Path, folders: list[Path], warnings: WarningLog) -> Written:
        """All that follows the model pass: the files of the prediction.

        Args:
            paths: The input.
            scan: What it holds.
            out: Output folder.
            folders: Of the model pass, in the order of the input.
            warnings: Counted warnings go here.
        """


class BundlePredictor(Predictor, Protocol):
    """A predictor that a bundle can be made."""

    @classmethod
    def from_bundle(cls, request: Any, bundle: Bundle, speed: Speed, *more: Any) -> Self:
        """Make ready.

        Raises:
            DataError: If the bundle lacks what a prediction needs.
        """


class Caller(Protocol):
    """A bundle made ready for programs: records in, results out."""

    result_type: ClassVar[type[Result]]
    """What it gives of each record."""

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed = ...) -> Self:
        """Make a bundle ready.

        Raises:
            DataError: If it lacks what a prediction needs.
        """

    @property
    def presentation(self) -> Presentation:
        """How results are shown: files, tables, pictures."""

    def predictions(self, read: Callable[[], Iterable[Record]], **options: Any) -> Iterator[Any]:
        """What the model says of each record, a ``results.Result``.

        Args:
            read: Gives the records, each time it is called.
            options: See the application.
        """
