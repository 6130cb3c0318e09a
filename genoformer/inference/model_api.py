"""Models for Python programs: load one, then predict on files or sequences."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genoformer.annotation.models import Gene
from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle import load_bundle
from genoformer.decoding.caller import CallOptions
from genoformer.inference.finders import find_finder
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.fasta import read_fasta


@dataclass(frozen=True)
class Prediction:
    """What a model says of one record.

    Attributes:
        record_id: The record.
        length: Its length in bp.
        genes: Genes by start; coordinates 0-based, half-open, forward strand.
    """

    record_id: str
    length: int
    genes: list[Gene]


class Model:
    """A loaded bundle.

    Args:
        finder: The bundle, made ready.
    """

    def __init__(self, finder: GeneFinder) -> None:
        self._finder = finder

    @property
    def genetic_code(self) -> int:
        """NCBI number of the code that is assumed unless told otherwise."""
        return self._finder.bundle.config.genetic_code

    def predict(
        self, path: str | Path, *, genetic_code: int | None = None, circular: bool = False
    ) -> Iterator[Prediction]:
        """Genes of every record of a FASTA file; the statistics of the whole file count, as in ``genoformer predict``.

        The file is read several times, and one sequence at a time is in memory.

        Args:
            path: FASTA file, plain or compressed.
            genetic_code: NCBI number; the model's own if None.
            circular: All records are circular.

        Raises:
            DataError, MissingFileError: If the file cannot be read as FASTA.
        """
        options = self._options(genetic_code, circular)
        found = [self._finder.candidates(record.codes, options) for record in read_fasta(path)]

        def passed():
            return ((record.codes, rows, options) for record, rows in zip(read_fasta(path), found, strict=True))

        statistics = self._finder.statistics(passed, options)
        for record, rows in zip(read_fasta(path), found, strict=True):
            genes = self._finder.genes(record.id, record.codes, rows, options, statistics)
            yield Prediction(record.id, len(record), genes)

    def predict_sequence(
        self, record_id: str, bases: str, *, genetic_code: int | None = None, circular: bool = False
    ) -> Prediction:
        """Genes of one sequence.

        Args:
            record_id: Name of the sequence.
            bases: IUPAC nucleotide letters.
            genetic_code: NCBI number; the model's own if None.
            circular: The sequence is circular.

        Raises:
            ValueError: If a letter is no nucleotide.
        """
        codes = encode_bases(bases)
        options = self._options(genetic_code, circular)
        rows = self._finder.candidates(codes, options)
        statistics = self._finder.statistics(lambda: [(codes, rows, options)], options)
        return Prediction(record_id, len(codes), self._finder.genes(record_id, codes, rows, options, statistics))

    def _options(self, genetic_code: int | None, circular: bool) -> CallOptions:
        code = self.genetic_code if genetic_code is None else genetic_code
        return CallOptions(genetic_code=code, circular=circular)


def load_model(model: str | Path, *, batch_size: int = 2) -> Model:
    """Load a shipped model by name, or a bundle by folder.

    Args:
        model: ``"bacteria"``, or the folder of a bundle.
        batch_size: Tiles per model call; changes speed and memory only.

    Raises:
        MissingFileError: If there is no such model.
        DataError: If the bundle is damaged.

    Example:
        >>> for result in load_model("bacteria").predict("genome.fa"):  # doctest: +SKIP
        ...     print(result.record_id, len(result.genes))
    """
    return Model(find_finder(load_bundle(model), batch_size=batch_size))
