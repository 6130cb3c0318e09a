"""A model for Python programs: load one, then predict on files, sequences or tables."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast, overload

from genoformer.api.predictions import Predictions
from genoformer.api.sources import Columns, Source, find_records
from genoformer.applications import find_application
from genoformer.applications.functions.caller import FunctionPrediction
from genoformer.applications.genes.predictions import GenePrediction
from genoformer.bundle.folder import Bundle, load_bundle
from genoformer.bundle.header import CARD, BundleHeader, read_header
from genoformer.embeddings.embedder import Embedder, RecordEmbedding
from genoformer.embeddings.request import Embedding, windows_of
from genoformer.errors import UsageError
from genoformer.inference.interface import Caller, Speed
from genoformer.inference.report_files import model_name
from genoformer.inference.results import Result
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.records import Record

R = TypeVar("R", bound=Result)
GeneModel = Literal["prokaryotes", "eukaryotes", "fungi", "yeasts"]
FunctionModel = Literal["ec_class", "go_slim"]
TRAINED_ON_LETTERS = 160


class Model(Generic[R]):
    """A loaded bundle, whose results are of one type.

    Args:
        caller: The bundle, made ready by the application of its task.
        bundle: The bundle.
        header: What it says of itself.
        about: What its task is, in a line.
        speed: Tiles per model call.

    Attributes:
        name: Name of the shipped model, or of the folder, with that of its training run.
        task: Name of the task.
        genetic_code: NCBI number of the code that is assumed unless told otherwise.
        labels: Names of its outputs.
        n_parameters: How many numbers were learned.
    """

    def __init__(self, caller: Caller, bundle: Bundle, header: BundleHeader, about: str, speed: Speed) -> None:
        self._caller, self._bundle, self._header, self._about, self._speed = caller, bundle, header, about, speed
        self.name = model_name(header)
        self.task, self.genetic_code = header.config.task, header.config.genetic_code
        self.labels = tuple(header.config.labels)
        self.n_parameters = sum(weights.numel() for weights in bundle.model.parameters())

    def predict(
        self, source: Source, *, sequence_column: str | None = None, id_column: str | None = None, **options: Any
    ) -> Predictions[R]:
        """What the model says of every record, as the command ``genoformer predict`` finds it.

        Nothing is computed before results are asked for. Files may be read several times.

        Args:
            source: A FASTA, GenBank or EMBL file, plain or compressed; a ``SeqRecord`` of Biopython; a list of these; a
                dict of bases by id; or a data frame of pandas or polars.
            sequence_column: Of data frames and of files that are tables (CSV, TSV, Parquet): the column with the bases.
                A data frame has "sequence" unless told otherwise; a file is a table only if this is given.
            id_column: The column with the ids. A data frame has "id" unless told otherwise, and rows are called by
                their number if there is none.
            options: Of models for genes: ``genetic_code`` (NCBI number; the model's own by default), ``probabilities``
                (keep those of every base); with introns, ``isoforms`` (transcripts of a gene, at most; 1 by default);
                without introns, ``circular`` (all records are, or none is; by default those that the input calls so)
                and ``genetic_code="auto"`` (for each record that which fits it).

        Returns:
            One result for each record, of a type of the task: ``GenePrediction``, ``FunctionPrediction``,
            ``SequencePrediction`` (structures) or ``BasePrediction`` (language models).

        Raises:
            DataError, MissingFileError: If a file is not there, or cannot be read.
            UsageError: If this is nothing that holds records, bases in place of a path, or an option of other models.
        """
        read, name = find_records(source, Columns(sequence_column, id_column))
        return self._predictions(read, name, options)

    def predict_sequence(self, record_id: str, bases: str, **options: Any) -> R:
        """What the model says of one sequence.

        Args:
            record_id: Name of the sequence.
            bases: IUPAC nucleotide letters.
            options: As for ``predict``.

        Raises:
            ValueError: If a letter is no nucleotide.
        """
        record = Record(record_id, encode_bases(bases))
        return next(iter(self._predictions(lambda: [record], record_id, options)))

    def embed(
        self, source: Source, *, per: Literal["record", "window", "base"] = "record", window_bp: int | None = None,
        step_bp: int | None = None, layer: int | None = None,
        strand: Literal["forward", "reverse", "average"] = "forward",
        sequence_column: str | None = None, id_column: str | None = None,
    ) -> Iterator[RecordEmbedding]:  # fmt: skip
        """Hidden states of the encoder, as the command ``genoformer embed`` writes them; any model has them.

        Args:
            source: As for ``predict``, like ``sequence_column`` and ``id_column``.
            per: What a vector is about: a record, a window or a base.
            window_bp: Length of a window.
            step_bp: From window to window; ``window_bp`` by default.
            layer: States behind so many layers; 0 for the embeddings of tokens, None for the last layer.
            strand: As the record is written, its reverse complement, or the average of both.
            sequence_column: See ``predict``.
            id_column: See ``predict``.

        Yields:
            The rows of one record: ``rows.values`` [n, D] float32, with ``rows.starts`` and ``rows.ends``.

        Raises:
            DataError, MissingFileError: If a file is not there, or cannot be read.
            UsageError: If there is no such layer, windows have no length, or this is nothing that holds records.
        """
        read, _ = find_records(source, Columns(sequence_column, id_column))
        asked = Embedding(windows_of(per, window_bp, step_bp), layer, strand)
        return Embedder.from_bundle(self._bundle, self._speed, asked).embeddings(read)

    @property
    def card(self) -> str:
        """The model card: what it was trained on, how good it is, what it is not for; Markdown."""
        path = self._header.folder / CARD
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def __repr__(self) -> str:
        size = f"{self.n_parameters:,} parameters"
        trained = trained_on(self.card)
        return f"Model {self.name!r}: {self._about}; {size}" + (f"; trained on {trained}" if trained else "")

    def _predictions(self, read: Callable[[], Iterable[Record]], name: str, options: dict[str, Any]) -> Predictions[R]:
        known = list(inspect.signature(self._caller.predictions).parameters)[1:]
        if unknown := [option for option in options if option not in known]:
            message = f"a model for {self.task} has no option {unknown[0]}."
            fix = f"Its options: {', '.join(known)}." if known else "It has no options."
            raise UsageError("API-003", message, where="Model.predict", fix=fix)

        def make() -> Iterator[R]:
            return cast(Iterator[R], self._caller.predictions(read, **options))

        return Predictions(make, self._caller.presentation, f"{self.name} on {name}")


def trained_on(card: str) -> str:
    """What a model card says it was trained on, in a line; "" if it says nothing in these words. Tables are left out.

    Example:
        >>> trained_on("# m\\n\\nTrained on:\\n\\n- NC_1, 4 bp\\n- NC_2, 5 bp\\n\\nSeed 0.")
        'NC_1, 4 bp; NC_2, 5 bp'
    """
    prose = "\n".join(line for line in card.splitlines() if not line.startswith("|"))
    match = re.search(r"(?:^|\s)[Tt]rained on:?\s+(.*?)(?:\n\s*\n(?!\s*-)|\Z)", prose, re.DOTALL)
    if match is None:
        return ""
    items = [" ".join(item.split()).rstrip(".") for item in re.split(r"(?:^|\n)\s*- ", match[1]) if item.strip()]
    text = re.sub(r",? by$", "", "; ".join(items).replace("*", ""))  # a command comes next
    return text if len(text) <= TRAINED_ON_LETTERS else text[: TRAINED_ON_LETTERS - 1].rstrip(" ,;.") + "…"


@overload
def load_model(model: GeneModel, *, batch_size: int = 2) -> Model[GenePrediction]: ...
@overload
def load_model(model: FunctionModel, *, batch_size: int = 2) -> Model[FunctionPrediction]: ...
@overload
def load_model(model: str | Path, *, gives: type[R], batch_size: int = 2) -> Model[R]: ...
@overload
def load_model(model: str | Path, *, batch_size: int = 2) -> Model[Any]: ...


def load_model(model: str | Path, *, gives: type[Any] | None = None, batch_size: int = 2) -> Model[Any]:
    """Load a shipped model by name, or a bundle by folder.

    Args:
        model: ``"prokaryotes"``, or the folder of a bundle.
        gives: Type of the results that are expected, such as ``GenePrediction``: checked here, and known to type
            checkers from then on. Those of shipped models are known anyway.
        batch_size: Tiles per model call; changes speed and memory only.

    Raises:
        MissingFileError: If there is no such model.
        DataError: If the bundle is damaged, or its task is unknown.
        UsageError: If it gives results of another type.

    Example:
        >>> for result in load_model("prokaryotes").predict("genome.fa"):  # doctest: +SKIP
        ...     print(result.record_id, len(result.genes))
    """
    header = read_header(model)
    task = header.config.task
    application = find_application(task, where=header.name)
    if application.caller is None:
        raise UsageError("MODEL-024", f"a model for {task} predicts nothing by itself.", where=header.name)
    kind = application.caller.load()
    if gives is not None and not issubclass(kind.result_type, gives):
        message = f"a model for {task} gives {kind.result_type.__name__}, not {gives.__name__}."
        raise UsageError("API-007", message, where=header.name)
    bundle, speed = load_bundle(header), Speed(batch_size)
    return Model(kind.from_bundle(bundle, speed), bundle, header, application.title, speed)
