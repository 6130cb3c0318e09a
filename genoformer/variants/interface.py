"""What the command asks of a model: made ready on a genome, it says of each change what becomes different."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from genoformer.annotation.models import Gene
from genoformer.errors import WarningLog
from genoformer.inference.interface import OnBases, Speed
from genoformer.sequence.records import Record
from genoformer.variants.alleles import Change
from genoformer.variants.reports import GeneChange, OutputChange


@dataclass(frozen=True)
class VariantOptions:
    """What the user decides that changes results.

    Attributes:
        genetic_code: NCBI number; None for the model's own.
        circular: Ids of circular records; ``("auto",)`` trusts the file.
        min_change: Smaller changes of a confidence or output are not told.
    """

    genetic_code: int | None = None
    circular: tuple[str, ...] = ("auto",)
    min_change: float = 0.01

    def is_circular(self, record: Record) -> bool:
        """Whether the ends of a record are joined: it is named, or its file or header says so."""
        header = f" {record.description.lower()} "
        says_so = record.circular or any(mark in header for mark in ("circular=true", "topology=circular"))
        return record.id in self.circular or ("auto" in self.circular and says_so)


@dataclass(frozen=True, slots=True)
class ModelSays:
    """Of one change.

    Attributes:
        genes: What becomes different about genes.
        outputs: What becomes different about outputs.
    """

    genes: tuple[GeneChange, ...] = ()
    outputs: tuple[OutputChange, ...] = ()


@dataclass(frozen=True)
class Genome:
    """The reference.

    Attributes:
        read: Gives the records with their numbers, each time it is called.
        n_bases: Total length in bp.
        genes: Genes of the annotation by record; None without one.
        asked: Ids of the records that have rows.
    """

    read: Callable[[], Iterable[tuple[int, Record]]]
    n_bases: int
    genes: dict[str, list[Gene]] | None = None
    asked: frozenset[str] = frozenset()


class VariantModel(Protocol):
    """A model made ready for one genome."""

    @classmethod
    def from_bundle(cls, bundle: Any, speed: Speed, options: VariantOptions) -> Self:
        """Make ready.

        Raises:
            DataError: If the bundle lacks what is needed.
            UsageError: If it cannot judge variants.
        """

    @property
    def precision(self) -> str:
        """Number format of the model pass."""

    def needed_bytes(self, n_bases: int) -> int:
        """What has to fit into the work folder, for records of so many bases that have rows."""

    def prepare(self, genome: Genome, work: Path, on_bases: OnBases, warnings: WarningLog) -> None:
        """Look at the reference; what an interrupted run left in the work folder is not made again."""

    def genes(self, number: int, record: Record) -> list[Gene]:
        """Genes that the model finds in a record of the reference; none for other models."""

    def judge(self, number: int, record: Record, changes: Sequence[Change]) -> Iterator[ModelSays]:
        """What becomes different with each change by itself.

        Args:
            number: Of the record in the input.
            record: The reference.
            changes: Sorted by place.
        """
