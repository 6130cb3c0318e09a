"""Genes as Parquet: the columns of ``genes.tsv`` with types, missing values as null."""

from pathlib import Path
from typing import Any

from genoformer.annotation.models import Gene, sort_genes
from genoformer.annotation.write_tables import TSV_COLUMNS, table_row
from genoformer.inference.parquet_files import REAL, REALS, TEXT, TEXTS, WHOLE, Columns, ParquetWriter
from genoformer.sequence.records import Record

TYPES = {"start": WHOLE, "end": WHOLE, "length_bp": WHOLE, "score": REAL, "start_score": REAL}
"""Of the columns that are no text."""


class GeneParquetWriter(ParquetWriter):
    """One row per gene; start and end are 1-based and inclusive, as in GFF3.

    Args:
        path: The final name.
    """

    def __init__(self, path: Path, **more: Any) -> None:
        super().__init__(path, {name: TYPES.get(name, TEXT) for name in TSV_COLUMNS} | more)

    def columns(self, record: Record, found: list[Gene], **about: Any) -> Columns:
        rows = [table_row(record, gene, number) for number, gene in enumerate(sort_genes(found), start=1)]
        return dict(zip(TSV_COLUMNS, zip(*rows, strict=True) if rows else [()] * len(TSV_COLUMNS), strict=True))


class FunctionParquetWriter(GeneParquetWriter):
    """The same with predicted functions and their probabilities, as lists.

    Args:
        path: The final name.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, functions=TEXTS, function_scores=REALS)

    def columns(self, record: Record, found: list[Gene], **about: Any) -> Columns:
        genes = sort_genes(found)
        return {
            **super().columns(record, genes),
            "functions": [[name for name, _ in gene.functions] for gene in genes],
            "function_scores": [[score for _, score in gene.functions] for gene in genes],
        }
