"""What all files of genes share: one atomic text file, filled record by record, and ids by position."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from genoformer.annotation.models import Gene, RnaGene, sort_genes
from genoformer.errors import DataError, WarningLog
from genoformer.files import atomic_path
from genoformer.files.held import Holder
from genoformer.sequence.records import Record

FASTA_WIDTH = 60


class GeneFile(Holder, ABC):
    """A context manager: the file appears under its name, complete, when the block ends without an error.

    Args:
        path: The final name.

    Attributes:
        left_out: Counts genes that the format has no form for.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.left_out = WarningLog()
        self._seen: set[str] = set()
        self._handle: TextIO

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        temporary = stack.enter_context(atomic_path(self.path))
        self._handle = stack.enter_context(open(temporary, "w", encoding="utf-8", newline="\n"))
        self.begin(stack)

    @property
    def header(self) -> str:
        """What the file begins with; all that a file without records holds."""
        return ""

    def begin(self, stack: ExitStack) -> None:
        """Begin the file; what else a format opens here ``stack`` ends, before the file takes its name."""
        self._handle.write(self.header)

    def add(
        self, record: Record, genes: Iterable[Gene], *, circular: bool = False, genetic_code: int = 11,
        rna_genes: Iterable[RnaGene] = (),
    ) -> None:  # fmt: skip
        """Append the genes of one record, in any order; a record without genes is added, too.

        Args:
            record: The sequence that the genes lie on.
            genes: All genes of the record.
            circular: The record is circular.
            genetic_code: Translation table of genes that name none themselves.
            rna_genes: Genes of rRNA and tRNA of the record, by start; not in files of proteins and their genes alone.

        Raises:
            DataError: If a record of the same id was added before.
        """
        if record.id in self._seen:
            message = f"two records are called {record.id!r}, so gene ids would repeat."
            raise DataError("GENES-001", message, where=str(self.path), fix="Rename one of them.")
        self._seen.add(record.id)
        self.write(record, self.with_rna(record, sort_genes(genes), list(rna_genes), circular, genetic_code))

    def write(self, record: Record, chunks: Iterable[str]) -> None:
        """Put the text of one record into the file."""
        self._handle.writelines(chunks)

    def with_rna(
        self, record: Record, genes: list[Gene], rna_genes: list[RnaGene], circular: bool, genetic_code: int
    ) -> Iterable[str]:
        """The text of one record; formats that hold genes of RNA, too, have a form for them here."""
        return self.chunks(record, genes, circular, genetic_code)

    @abstractmethod
    def chunks(self, record: Record, genes: list[Gene], circular: bool, genetic_code: int) -> Iterable[str]:
        """The text of one record, its genes sorted."""


def gene_id(record_id: str, number: int) -> str:
    """Id of the ``number``-th gene (from 1) of a record; unique in a genome when record ids are."""
    return f"gene-{record_id}-{number:05d}"


def named_transcripts(name: str, gene: Gene) -> list[tuple[str, Gene]]:
    """The transcripts of a gene, best first, with their ids: that of the gene, with .t1, .t2 … where it has several."""
    if not gene.alternatives:
        return [(name, gene)]
    return [(f"{name}.t{i}", transcript) for i, transcript in enumerate(gene.transcripts, start=1)]


def rna_gene_id(record_id: str, number: int) -> str:
    """Id of the ``number``-th gene of rRNA or tRNA (from 1) of a record."""
    return f"rna-{record_id}-{number:05d}"


def partial_digits(gene: Gene) -> str:
    """Prodigal's two digits: 1 where the left (low), then the right edge of the gene is missing."""
    edges = (gene.partial_5, gene.partial_3) if gene.strand == "+" else (gene.partial_3, gene.partial_5)
    return "".join("1" if is_missing else "0" for is_missing in edges)


def format_score(score: float | None) -> str:
    """Four decimals; ``.`` for a gene without score."""
    return "." if score is None else f"{score:.4f}"


def wrap_fasta(text: str) -> str:
    """Lines of ``FASTA_WIDTH`` letters, each with a line end."""
    return "".join(f"{text[i : i + FASTA_WIDTH]}\n" for i in range(0, len(text), FASTA_WIDTH))
