"""Scores of a prediction against a reference: what an application says of how they are made and shown."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genoformer.errors import WarningLog


@dataclass(frozen=True)
class Question:
    """What is compared with what, as a command line says it.

    Attributes:
        predicted: Output folder of ``predict``, or a file.
        reference: File of what is true.
        task: What is compared, as far as the command line or the folder of the prediction says it.
        id_column: Column of the ids in a table with labels.
        label_column: Column of the labels; None for the usual one of the application.
        label_separator: Between the terms of one sequence.
        ontology: OBO file of the terms.
        sources: Only rows of the reference with one of these words in column 2; all when empty.
        fasta: The genome: contig names and lengths.
        seqid_map: Table of two columns: id in an annotation, id in the FASTA file.
    """

    predicted: Path
    reference: Path
    task: str | None = None
    id_column: str = "id"
    label_column: str | None = None
    label_separator: str = ";"
    ontology: Path | None = None
    sources: tuple[str, ...] = ()
    fasta: Path | None = None
    seqid_map: Path | None = None

    @property
    def folder(self) -> Path:
        """The output folder of ``predict``, also where one of its files was given."""
        return self.predicted if self.predicted.is_dir() else self.predicted.parent


@dataclass(frozen=True)
class Comparison:
    """How an application compares.

    Attributes:
        compare: Scores, JSON types only.
        table: Scores as text.
        headline: Name and value of the one score that a check looks at.
        reads: Names of files in the output folder of ``predict`` that it reads, where they are.
    """

    compare: Callable[[Question, WarningLog], dict[str, Any]]
    table: Callable[[dict[str, Any]], str]
    headline: Callable[[dict[str, Any]], tuple[str, float]]
    reads: tuple[str, ...] = ()
