"""What predicted genes do: their coding sequences through a function model, and the table of what it says.

Outputs are kept in the work folder of the prediction in the order of the genes, so that an interrupted run continues.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import chain, count
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from genoformer.annotation.gene_files import gene_id, named_transcripts
from genoformer.annotation.gene_sequence import coding_sequence
from genoformer.annotation.models import Gene, sort_genes
from genoformer.annotation.write_tables import FunctionTsvWriter
from genoformer.applications.functions.caller import FunctionCaller
from genoformer.applications.functions.outputs import FUNCTIONS
from genoformer.applications.functions.sequence_kind import note_unfamiliar, read_sequences
from genoformer.applications.functions.table import table_columns, table_rows, write_terms
from genoformer.errors import UsageError, WarningLog
from genoformer.files import atomic_path
from genoformer.files.held import Holder
from genoformer.files.kept import read_arrays, read_own_arrays, remove, write_arrays
from genoformer.inference.folder import WORK
from genoformer.inference.formats import MakeWriter, Writer
from genoformer.inference.parts import Part
from genoformer.sequence.records import Record

FUNCTION_PASSES = "functions"
"""Folder in the work folder: outputs of the function model."""
CHUNK_GENES = 1_000
"""Outputs are kept when there are this many: what a killed run loses of them."""


_PARQUET: Part[MakeWriter] = Part("genoformer.applications.genes.parquet:FunctionParquetWriter")


def _function_parquet(path: Path) -> Writer:
    """A writer of Parquet, whose package is loaded where it is asked for alone."""
    return _PARQUET.load()(path)


def check_names_functions(caller: FunctionCaller) -> None:
    """Refuse a model that genes cannot be annotated with.

    Raises:
        UsageError: If it says numbers.
    """
    if caller.task.options.kind == "regression":
        raise UsageError(
            "FUNCTION-003", "a model of classes or terms is expected, this one says numbers.", where=caller.bundle.name
        )


class KeptOutputs:
    """Outputs of the model for one list of sequences after another; those of an interrupted run are not made again.

    Files hold whole lists, so that a run that continues puts the same sequences into its batches.

    Args:
        caller: The model.
        folder: Of the files; what they hold must come from the same lists.
    """

    def __init__(self, caller: FunctionCaller, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._caller, self._folder = caller, folder
        self._kept = self._none = np.empty((0, len(caller.task.channels)), np.float32)
        self._files = list(self._intact())
        for path in set(folder.glob("outputs-*.npz")).difference(self._files):
            remove(path)
        self._n_files = len(self._files)
        self._fresh: list[np.ndarray] = []

    def of(self, sequences: list[np.ndarray]) -> np.ndarray:
        """Logits of the next list, float32 [n, C]."""
        if not sequences:
            return self._none
        if not len(self._kept) and self._files:
            self._kept = read_own_arrays(self._files.pop(0))["rows"]
        if len(self._kept):
            rows, self._kept = np.split(self._kept, [len(sequences)])
            return rows
        rows = self._caller.outputs(sequences)
        self._fresh.append(rows)
        if sum(map(len, self._fresh)) >= CHUNK_GENES:
            self.keep()
        return rows

    def keep(self) -> None:
        """Write what was gathered since the last file."""
        if not self._fresh:
            return
        write_arrays(self._path(self._n_files), rows=np.concatenate(self._fresh))
        self._n_files += 1
        self._fresh = []

    def _path(self, number: int) -> Path:
        return self._folder / f"outputs-{number:07d}.npz"

    def _intact(self) -> Iterator[Path]:
        """Files of an interrupted run up to the first that is missing or damaged."""
        for path in map(self._path, count()):
            try:
                rows = read_arrays(path)["rows"]
            except (ValueError, KeyError):
                return
            if rows.dtype != self._none.dtype or rows.shape[1:] != self._none.shape[1:]:
                return
            yield path


class GeneFunctions(Holder):
    """A context manager: ``functions.tsv`` appears, complete, when the block ends without an error.

    Args:
        caller: A model of classes or terms.
        out: Output folder, with a work folder inside.
        min_score: Labels that are less probable are not said; none is where it is None.
        warnings: Counts genes of lengths and compositions that the model has not seen.

    Attributes:
        makers: Writers of genes that take the place of those of the formats, by word.
    """

    makers: ClassVar[Mapping[str, MakeWriter]] = {"tsv": FunctionTsvWriter, "parquet": _function_parquet}

    def __init__(
        self, caller: FunctionCaller, out: Path, min_score: float | None = 0.0, warnings: WarningLog | None = None
    ) -> None:
        self._caller, self._out = caller, out
        self._min_score, self._warnings = min_score, WarningLog() if warnings is None else warnings
        self._known, self._n_unlabelled = read_sequences(caller.calibration, caller.bundle.name), 0
        self._counts: Counter[str] = Counter()

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        temporary = stack.enter_context(atomic_path(self._out / FUNCTIONS))
        self._file = stack.enter_context(open(temporary, "w", encoding="utf-8", newline="\n"))
        self._file.write("\t".join(table_columns(self._caller)) + "\n")
        self._outputs = KeptOutputs(self._caller, self._out / WORK / FUNCTION_PASSES)
        stack.callback(self._outputs.keep)

    def add(self, record_id: str, codes: np.ndarray, genes: list[Gene]) -> None:
        """Give the genes of a record their functions, those of their best transcripts, and the table its rows.

        Args:
            record_id: The record.
            codes: uint8 base codes, forward strand, that the genes have their coordinates in.
            genes: All genes of the record; trans-spliced and broken ones stay without functions.
        """
        chosen = [
            (gene, Record(named_transcripts(gene_id(record_id, number), gene)[0][0], _whole_codons(codes, gene)))
            for number, gene in enumerate(sort_genes(genes), start=1)
            if not (gene.pseudo or gene.trans_spliced)
        ]
        records = [record for _, record in chosen]
        outputs = self._outputs.of([record.codes for record in records])
        rows, called = table_rows(records, outputs, self._caller, self._min_score)
        if self._known is not None:
            for record in records:
                note_unfamiliar(record.id, record.codes, self._caller.max_bp, self._known, self._warnings)
        for (gene, _), row, names in zip(chosen, rows, called, strict=True):
            sure = row[3].split(";") if names else []
            gene.functions = tuple((name, float(value)) for name, value in zip(names, sure, strict=True))
        self._n_unlabelled += called.count([])
        self._counts.update(chain.from_iterable(called))
        self._file.writelines("\t".join(row) + "\n" for row in rows)

    def write_terms(self) -> list[str]:
        """Write what the terms are; gives the names of all files about functions."""
        return [FUNCTIONS, *write_terms(self._out, self._caller)]

    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says of the functions."""
        bundle, task = self._caller.bundle, self._caller.task
        counts = {name: self._counts[name] for name in task.channels}
        model = {"model": bundle.name, "model_digest": bundle.digest, "kind": task.options.kind}
        sure = {"min_score": self._min_score, "n_unlabelled": self._n_unlabelled}
        return {"functions": {**model, **sure, "counts": counts}}


def _whole_codons(codes: np.ndarray, gene: Gene) -> np.ndarray:
    """The coding sequence from its first whole codon on."""
    return coding_sequence(codes, gene)[gene.phase_offset :]
