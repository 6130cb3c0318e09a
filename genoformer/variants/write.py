"""Files of judged variants: VCF, the same compressed and indexed, and a table; each appears complete or not at all."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TextIO

from genoformer.files import atomic_path
from genoformer.files.held import Holder
from genoformer.inference.optional_packages import load_pysam
from genoformer.variants.info_fields import FIELDS, header_lines, number, with_fields
from genoformer.variants.reports import AlleleReport
from genoformer.variants.vcf_rows import VcfRow

COLUMNS = (
    "contig", "position", "id", "ref", "alt", "kind", "status", "about", "name", "strand", "finding", "detail",
    "before", "after", "change",
)  # fmt: skip
_CONTIG = re.compile(r"##contig=<.*?\bID=([^,>]+)")
_LONGEST_TBI_BP = 1 << 29
"""Positions beyond this have no place in a .tbi index; CSI takes over. Tabix specification, section 2."""


class RowWriter(Holder):
    """A context manager that is given rows in the order of the file.

    Args:
        path: The final name.
        meta: Header lines of the input, without that of the columns.
        header: The line that names the columns.
        contigs: Every sequence: id as the rows spell it, and length in bp, in the order of the file.
        about: Lines of the header that say how the file was made.
    """

    def __init__(
        self, path: Path, meta: Sequence[str], header: str, contigs: Sequence[tuple[str, int]], about: Sequence[str]
    ) -> None:
        self.path, self.names = path, [path.name]
        self._meta, self._header, self._contigs, self._about = meta, header, contigs, about
        self._file: TextIO

    def enter(self, stack: ExitStack) -> None:
        """Open the file; see ``Holder``."""
        temporary = stack.enter_context(self._named(self.path))
        self._file = stack.enter_context(open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="\n"))
        self._file.writelines(f"{line}\n" for line in self.begin())

    @contextmanager
    def _named(self, path: Path) -> Iterator[Path]:
        with atomic_path(path) as temporary:
            yield temporary

    def begin(self) -> list[str]:
        """Lines that the file begins with."""
        raise NotImplementedError

    def lines(self, row: VcfRow, reports: Sequence[AlleleReport]) -> Iterator[str]:
        """Lines of a row."""
        raise NotImplementedError

    def add(self, row: VcfRow, reports: Sequence[AlleleReport]) -> None:
        """Append a row and what is said of its alleles."""
        self._file.writelines(f"{line}\n" for line in self.lines(row, reports))


class VcfWriter(RowWriter):
    """The rows as they were, with fields in column INFO; contigs of the header in the order of the rows."""

    def begin(self) -> list[str]:
        known = {found[1]: line for line in self._meta if (found := _CONTIG.match(line))}
        others = [line for line in self._meta if not _CONTIG.match(line) and not _is_ours(line)]
        contigs = [known.pop(name, f"##contig=<ID={name},length={length}>") for name, length in self._contigs]
        return [*others, *contigs, *known.values(), *header_lines(), *self._about, self._header]

    def lines(self, row: VcfRow, reports: Sequence[AlleleReport]) -> Iterator[str]:
        yield "\t".join((*row.columns[:7], with_fields(row.columns[7], reports), *row.columns[8:]))


class BgzipWriter(VcfWriter):
    """The VCF compressed by bgzip, with a tabix index; pysam writes both."""

    @contextmanager
    def _named(self, path: Path) -> Iterator[Path]:
        pysam = load_pysam()
        is_long = any(length >= _LONGEST_TBI_BP for _, length in self._contigs)
        index = path.with_name(f"{path.name}.{'csi' if is_long else 'tbi'}")
        text = NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with atomic_path(path) as packed, atomic_path(index) as index_file, text:
            yield Path(text.name)
            pysam.tabix_compress(text.name, str(packed), force=True)
            pysam.tabix_index(str(packed), preset="vcf", force=True, csi=is_long, index=str(index_file))
        self.names = [path.name, index.name]


class TableWriter(RowWriter):
    """A table: for each allele a line for each consequence, gene and output, or one that says why there is none."""

    def begin(self) -> list[str]:
        return ["\t".join(COLUMNS)]

    def lines(self, row: VcfRow, reports: Sequence[AlleleReport]) -> Iterator[str]:
        for alt, report in zip(row.alts, reports, strict=True):
            place = (row.contig, str(row.position + 1), row.columns[2], row.ref, alt, report.kind, report.status)
            findings = list(_findings(report)) or [("",) * 8]
            yield from ("\t".join((*place, *finding)) for finding in findings)


def _findings(report: AlleleReport) -> Iterator[tuple[str, ...]]:
    for one in report.consequences:
        yield "consequence", one.gene, one.strand, "&".join(one.terms), one.amino_acids, "", "", ""
    for gene in report.genes:
        change = number((gene.after or 0.0) - (gene.before or 0.0))
        moved = f"{gene.moved_bp:+d} bp" if gene.moved_bp else ""
        numbers = (_blank(gene.before), _blank(gene.after), change)
        yield "gene", gene.gene, gene.strand, gene.effect, moved, *numbers
    for out in report.outputs:
        numbers = (number(out.before), number(out.after), number(out.after - out.before))
        yield "output", out.sequence, "", out.output, "", *numbers


def _blank(value: float | None) -> str:
    return "" if value is None else number(value)


def _is_ours(line: str) -> bool:
    """Whether a header line was written by an earlier run on these rows."""
    return line.startswith("##genoformer") or any(line.startswith(f"##INFO=<ID={name},") for name in FIELDS)
