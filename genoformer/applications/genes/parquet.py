"""Genes as Parquet: the columns of ``genes.tsv`` with types, missing values as null."""

from pathlib import Path
from typing import Any

from genoformer.annotation.gene_files import gene_id, named_transcripts
from genoformer.annotation.models import Gene, sort_genes
from genoformer.annotation.write_tables import TSV_COLUMNS, table_row
from genoformer.inference.parquet_files import REAL, REALS, TEXT, TEXTS, WHOLE, Columns, ParquetWriter
from genoformer.sequence.records import Record

TYPES = {"start": WHOLE, "end": WHOLE, "length_bp": WHOLE, "score": REAL, "start_score": REAL}
"""Of the columns that are no text."""


class GeneParquetWriter(ParquetWriter):
    """One row per transcript; start and end are 1-based and inclusive, as in GFF3.

    Args:
        path: The final name.
    """

    def __init__(self, path: Path, **more: Any) -> None:
        super().__init__(path, {name: TYPES.get(name, TEXT) for name in TSV_COLUMNS} | more)

    def columns(self, record: Record, found: list[Gene], **about: Any) -> Columns:
        rows = [table_row(record, transcript, name) for name, transcript in _transcripts(record, found)]
        return dict(zip(TSV_COLUMNS, zip(*rows, strict=True) if rows else [()] * len(TSV_COLUMNS), strict=True))


class FunctionParquetWriter(GeneParquetWriter):
    """The same with predicted functions and their probabilities, as lists.

    Args:
        path: The final name.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, functions=TEXTS, function_scores=REALS)

    def columns(self, record: Record, found: list[Gene], **about: Any) -> Columns:
        transcripts = [transcript for _, transcript in _transcripts(record, found)]
        return {
            **super().columns(record, found),
            "functions": [[name for name, _ in one.functions] for one in transcripts],
            "function_scores": [[score for _, score in one.functions] for one in transcripts],
        }


def _transcripts(record: Record, found: list[Gene]) -> list[tuple[str, Gene]]:
    """All transcripts with their ids, in the order of the rows."""
    genes = enumerate(sort_genes(found), start=1)
    return [named for number, gene in genes for named in named_transcripts(gene_id(record.id, number), gene)]
