"""Models for Python programs: load one, then predict on files or sequences."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from genoformer.applications import find_application
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import read_header
from genoformer.errors import UsageError
from genoformer.inference.input_files import read_records
from genoformer.inference.interface import Caller, Speed
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.records import Record

SHORTEST_BASES = 8
"""A shorter word of base letters is rather the name of a file that is not there."""
LONGEST_FILE_NAME = 255
LETTERS = set("ACGTUNacgtun")


def are_bases(path: str) -> bool:
    """Whether what was given as a path is a sequence, and no file of this name is there."""
    if len(path) < SHORTEST_BASES or set(path) - LETTERS:
        return False
    return len(path) > LONGEST_FILE_NAME or not Path(path).exists()


class Model:
    """A loaded bundle.

    Args:
        caller: The bundle, made ready by the application of its task.
        task: Name of the task.
        genetic_code: NCBI number of the code that is assumed unless told otherwise.
    """

    def __init__(self, caller: Caller, task: str, genetic_code: int) -> None:
        self._caller, self.task, self.genetic_code = caller, task, genetic_code

    def predict(self, path: str | Path, **options: Any) -> Iterator[Any]:
        """What the model says of every record of a file, as the command ``genoformer predict`` finds it.

        The file may be read several times; one sequence at a time is in memory.

        Args:
            path: FASTA, GenBank or EMBL file, plain or compressed.
            options: Of models for genes: ``genetic_code`` (NCBI number; the model's own by default), and without
                introns ``circular`` (all records are; what a file says of it is not asked).

        Yields:
            One result for each record, of a type of the task: ``GenePrediction``, ``FunctionPrediction``,
            ``SequencePrediction`` (structures) or ``BasePrediction`` (language models).

        Raises:
            DataError, MissingFileError: If the file cannot be read.
            UsageError: If this is no path but bases.
        """
        if isinstance(path, str) and are_bases(path):
            raise UsageError(
                "API-001", f"expected the path of a file, found {len(path)} bases.", where="Model.predict",
                fix='Give them to predict_sequence("name", bases).',
            )  # fmt: skip
        return self._predictions(lambda: read_records(path), options)

    def predict_sequence(self, record_id: str, bases: str, **options: Any) -> Any:
        """What the model says of one sequence.

        Args:
            record_id: Name of the sequence.
            bases: IUPAC nucleotide letters.
            options: As for ``predict``.

        Raises:
            ValueError: If a letter is no nucleotide.
        """
        record = Record(record_id, encode_bases(bases))
        return next(self._predictions(lambda: [record], options))

    def _predictions(self, read: Callable[[], Iterable[Record]], options: dict[str, Any]) -> Iterator[Any]:
        return self._caller.predictions(read, **options)


def load_model(model: str | Path, *, batch_size: int = 2) -> Model:
    """Load a shipped model by name, or a bundle by folder.

    Args:
        model: ``"bacteria"``, or the folder of a bundle.
        batch_size: Tiles per model call; changes speed and memory only.

    Raises:
        MissingFileError: If there is no such model.
        DataError: If the bundle is damaged, or its task is unknown.

    Example:
        >>> for result in load_model("bacteria").predict("genome.fa"):  # doctest: +SKIP
        ...     print(result.record_id, len(result.genes))
    """
    header = read_header(model)
    task = header.config.task
    application = find_application(task, where=header.name)
    if application.caller is None:
        raise UsageError("MODEL-024", f"a model for {task} predicts nothing by itself.", where=header.name)
    caller = application.caller.load().from_bundle(load_bundle(header), Speed(batch_size))
    return Model(caller, task, header.config.genetic_code)
