"""The files of a gene prediction, filled together, record by record."""

from contextlib import ExitStack
from pathlib import Path

from genoformer.annotation.models import Gene
from genoformer.annotation.write_gff3 import Gff3Writer
from genoformer.annotation.write_gtf import GtfWriter
from genoformer.annotation.write_tables import BedWriter, CdsWriter, FunctionTsvWriter, ProteinWriter, TsvWriter
from genoformer.errors import UsageError
from genoformer.sequence.records import Record

WRITERS = {
    "gff3": ("genes.gff3", Gff3Writer),
    "gtf": ("genes.gtf", GtfWriter),
    "tsv": ("genes.tsv", TsvWriter),
    "bed": ("genes.bed", BedWriter),
    "protein": ("proteins.faa", ProteinWriter),
    "cds": ("cds.fna", CdsWriter),
}


def check_formats(formats: tuple[str, ...]) -> tuple[str, ...]:
    """The same words without repeats.

    Raises:
        UsageError: If there is none, or one is unknown.
    """
    unknown = [word for word in formats if word not in WRITERS]
    if unknown or not formats:
        message = f'unknown output format "{", ".join(unknown)}"; known: {", ".join(WRITERS)}.'
        raise UsageError("FORMATS-001", message, where="--formats")
    return tuple(dict.fromkeys(formats))


class GeneOutputs:
    """A context manager: all files appear complete when the block ends without an error.

    Args:
        out: Output folder.
        formats: Words of ``WRITERS``.
        locus_tag: Prefix of locus tags, numbered over all records; "" for none.
        functions: The table of genes has columns for their functions.

    Raises:
        UsageError: If a format is unknown.
    """

    def __init__(self, out: Path, formats: tuple[str, ...], *, locus_tag: str = "", functions: bool = False) -> None:
        kinds = WRITERS | ({"tsv": ("genes.tsv", FunctionTsvWriter)} if functions else {})
        self._writers = [kinds[word][1](out / kinds[word][0]) for word in check_formats(formats)]
        self._stack = ExitStack()
        self._locus_tag = locus_tag
        self.n_genes = self.n_partial = self.coding_bp = 0

    def __enter__(self) -> "GeneOutputs":
        with ExitStack() as stack:
            for writer in self._writers:
                stack.enter_context(writer)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> bool | None:
        return self._stack.__exit__(*error)

    def write(self, record: Record, genes: list[Gene], *, circular: bool, genetic_code: int) -> None:
        """Append the genes of one record to every file."""
        for gene in genes:
            self.n_genes += 1
            self.n_partial += gene.partial_5 or gene.partial_3
            self.coding_bp += gene.length_bp
            if self._locus_tag:
                gene.locus_tag = f"{self._locus_tag}_{self.n_genes:05d}"
        for writer in self._writers:
            writer.add(record, genes, circular=circular, genetic_code=genetic_code)
