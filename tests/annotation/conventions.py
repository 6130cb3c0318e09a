"""Files that say gene models in each of the ways that programs have.

A way of writing is a function of the contigs that gives the text of a file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import NamedTuple

from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqFeature import AfterPosition, BeforePosition, CompoundLocation, ExactPosition, SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord
from gene_models import Contig, Maker

from genoformer.annotation.models import Gene

Row = tuple[str, int, int, str, str, str]
"""Type, start, end (0-based, half-open), strand, phase, attributes."""


def phases(gene: Gene, parts: tuple) -> list[str]:
    """Phase of each part, ascending."""
    read_bp, found = -gene.phase_offset, []
    for start, end in parts if gene.strand == "+" else parts[::-1]:
        found.append(str(-read_bp % 3))
        read_bp += end - start
    return found if gene.strand == "+" else found[::-1]


def untranslated(gene: Gene) -> list[tuple[str, int, int]]:
    """Untranslated regions: "5" or "3", start, end."""
    low, high = ("5", "3") if gene.strand == "+" else ("3", "5")
    found = [(low, start, min(end, gene.start)) for start, end in gene.exons if start < gene.start]
    return found + [(high, max(start, gene.end), end) for start, end in gene.exons if end > gene.end]


def cut_stop(gene: Gene) -> tuple[tuple, list[tuple[int, int]]]:
    """Coding parts without the stop codon, and where this lies."""
    if gene.partial_3:
        return gene.parts, []
    left, kept, stop = 3, [], []
    for start, end in gene.parts[::-1] if gene.strand == "+" else gene.parts:
        taken = min(left, end - start)
        left -= taken
        if taken:
            stop.append((end - taken, end) if gene.strand == "+" else (start, start + taken))
        if taken < end - start:
            kept.append((start, end - taken) if gene.strand == "+" else (start + taken, end))
    return tuple(sorted(kept)), sorted(stop)


def first_codon(gene: Gene) -> list[tuple[int, int]]:
    """Where the start codon lies."""
    left, found = 3, []
    for start, end in gene.parts if gene.strand == "+" else gene.parts[::-1]:
        taken = min(left, end - start)
        left -= taken
        if taken:
            found.append((start, start + taken) if gene.strand == "+" else (end - taken, end))
    return sorted(found)


def _line(contig: Contig, row: Row) -> str:
    kind, start, end, *others, attributes = row
    return "\t".join((contig.name, "x", kind, str(start + 1), str(end), ".", *others, attributes))


@dataclass(frozen=True)
class Gff3Way:
    """How a GFF3 file is written.

    Attributes:
        ids: Of CDS rows: "shared" by those of one CDS, "own" for each row, "none", or "all": one for the whole file.
        parents: "gene" (no mRNA), "mrna", "same" (gene and mRNA have one ID), "none", "isoforms" (rows are shared).
        stop: "in" the CDS, in "rows" of its own, or "out" of the file.
        regions: "exons", "rows" of untranslated regions alone, "short" exons beside such rows, or "none".
        restart: Ids begin anew on each contig.
        noise: Lines that are no genes.
        names: One gene name for all.
    """

    ids: str = "shared"
    parents: str = "mrna"
    stop: str = "in"
    regions: str = "exons"
    restart: bool = False
    noise: bool = False
    names: bool = False

    def __call__(self, contigs: list[Contig]) -> str:
        lines = ["##gff-version 3"]
        if self.noise:
            lines += ["##sequence-region other", "##FASTA follows at the end", "## a comment", "#!made up"]
        number = 0
        for contig in contigs:
            lines.append(f"##sequence-region {contig.name} 1 {len(contig.bases)}")
            if contig.circular:
                lines.append(f"{contig.name}\tx\tregion\t1\t{len(contig.bases)}\t.\t+\t.\tID=r;Is_circular=true")
            number = 0 if self.restart else number
            for group in contig.genes:
                number += 1
                lines += [_line(contig, row) for row in self._rows(group, str(number))]
        if self.noise:
            lines += [
                f"{contigs[0].name}\tx\tgene\t0\t0\t.\t+\t.\tID=nowhere",
                "elsewhere\tx\tCDS\t1\t9\t.\t+\t0\tID=e",
            ]
        return "\n".join(lines) + "\n"

    def _rows(self, group: list[Gene], name: str) -> Iterator[Row]:
        strand = group[0].strand
        low = min(gene.transcript_span[0] for gene in group)
        high = max(gene.transcript_span[1] for gene in group)
        gene_id = f"g{name}"
        label = "Name=his3;" if self.names else ""
        if self.parents != "none":
            yield "gene", low, high, strand, ".", f"{label}ID={gene_id}"
        if self.parents == "isoforms":
            yield from self._shared_rows(group, gene_id)
            return
        for i, gene in enumerate(group):
            yield from self._transcript(gene, gene_id, gene_id if self.parents == "same" else f"{gene_id}.t{i}")

    def _shared_rows(self, group: list[Gene], gene_id: str) -> Iterator[Row]:
        names = [f"{gene_id}.t{i}" for i in range(len(group))]
        for gene, name in zip(group, names, strict=True):
            yield "mRNA", *gene.transcript_span, gene.strand, ".", f"ID={name};Parent={gene_id}"
        rows: dict[tuple[int, int, str], list[str]] = {}
        for gene, name in zip(group, names, strict=True):
            for (start, end), phase in zip(gene.parts, phases(gene, gene.parts), strict=True):
                rows.setdefault((start, end, phase), []).append(name)
        for number, ((start, end, phase), owners) in enumerate(rows.items()):
            own = f"ID={gene_id}.c{number};" if self.ids == "own" else ""
            yield "CDS", start, end, group[0].strand, phase, f"{own}Parent={','.join(owners)}"

    def _transcript(self, gene: Gene, gene_id: str, name: str) -> Iterator[Row]:
        strand = gene.strand
        parent = {"none": "", "gene": f"Parent={gene_id}"}.get(self.parents, f"Parent={name}")
        if self.parents in ("mrna", "same"):
            yield "mRNA", *gene.transcript_span, strand, ".", f"ID={name};Parent={gene_id}"
        parts, stop = (gene.parts, []) if self.stop == "in" else cut_stop(gene)
        exons = {"exons": gene.transcript_exons, "short": gene.parts}.get(self.regions, ())
        for i, (start, end) in enumerate(exons):
            yield "exon", start, end, strand, ".", f"ID={name}.e{i};{parent}"
        if self.regions in ("rows", "short"):
            for side, start, end in untranslated(gene):
                yield {"5": "five_prime_UTR", "3": "three_prime_UTR"}[side], start, end, strand, ".", parent
        ends = _partial(gene)
        for i, ((start, end), phase) in enumerate(zip(parts, phases(gene, parts), strict=True)):
            cds = {"shared": f"ID={name}.c;", "own": f"ID={name}.c{i};", "all": "ID=cds;", "none": ""}[self.ids]
            cds = f"ID={name}.c;" if self.parents == "none" else cds
            yield (
                "CDS",
                start,
                end,
                strand,
                phase,
                f"{cds}{parent};{ends}{_exceptions(gene)}".rstrip(";").replace(";;", ";"),
            )
        if self.stop == "rows":
            yield from (("stop_codon", start, end, strand, ".", parent) for start, end in stop)


def _partial(gene: Gene) -> str:
    if not (gene.partial_5 or gene.partial_3):
        return ""
    low = gene.partial_5 if gene.strand == "+" else gene.partial_3
    ends = f"start_range=.,{gene.start + 1};" if low else ""
    return f"partial=true;{ends}" + ("" if low else f"end_range={gene.end},.;")


def _exceptions(gene: Gene) -> str:
    places = [f"{s + 1}..{e}" if gene.strand == "+" else f"complement({s + 1}..{e})" for s, e, _ in gene.transl_except]
    return "transl_except=" + ",".join(f"(pos:{place}%2Caa:Sec)" for place in places) if places else ""


@dataclass(frozen=True)
class GtfWay:
    """How a GTF file is written.

    Attributes:
        stop: "rows" of its own, "in" the CDS, or "out" of the file.
        utr: Spelling of untranslated regions, "" for none, with exon rows beside; two words for 5' and 3'.
        exons: Whether there are exon rows.
        bare: Gene and transcript rows have a bare name in column 9.
        restart: Ids begin anew on each contig.
        quotes: Values stand in quotes.
        descending: Rows of "-" come in reading order.
        sec: Rows of selenocysteines.
    """

    stop: str = "rows"
    utr: tuple[str, str] | None = None
    exons: bool = True
    bare: bool = False
    restart: bool = False
    quotes: bool = True
    descending: bool = False
    sec: bool = True

    def __call__(self, contigs: list[Contig]) -> str:
        lines, number = [], 0
        for contig in contigs:
            number = 0 if self.restart else number
            for group in contig.genes:
                number += 1
                for i, gene in enumerate(group):
                    rows = list(self._rows(gene, f"g{number}", f"g{number}.t{i}"))
                    rows = rows[::-1] if self.descending and gene.strand == "-" else rows
                    lines += [
                        "\t".join((contig.name, "x", k, str(s + 1), str(e), ".", st, ph, a))
                        for k, s, e, st, ph, a in rows
                    ]
        return "\n".join(lines) + "\n"

    def _rows(self, gene: Gene, gene_id: str, name: str) -> Iterator[Row]:
        q = '"' if self.quotes else ""
        both = f"gene_id {q}{gene_id}{q}; transcript_id {q}{name}{q};"
        strand = gene.strand
        yield "gene", *gene.transcript_span, strand, ".", gene_id if self.bare else both
        yield "transcript", *gene.transcript_span, strand, ".", name if self.bare else both
        parts, stop = (gene.parts, cut_stop(gene)[1]) if self.stop == "in" else cut_stop(gene)
        if self.exons:
            yield from (("exon", start, end, strand, ".", both) for start, end in gene.transcript_exons)
        for side, start, end in untranslated(gene) if self.utr else ():
            yield (self.utr or ("", ""))[side == "3"], start, end, strand, ".", both
        for (start, end), phase in zip(parts, phases(gene, parts), strict=True):
            yield "CDS", start, end, strand, phase, both
        if self.stop != "out":
            if not gene.partial_5:
                yield from (("start_codon", start, end, strand, "0", both) for start, end in first_codon(gene))
            yield from (("stop_codon", start, end, strand, "0", both) for start, end in stop)
        for start, end, _ in gene.transl_except if self.sec else ():
            inside = [(max(s, start), min(e, end)) for s, e in gene.parts]
            yield from (("Selenocysteine", s, e, strand, ".", both) for s, e in inside if s < e)


@dataclass(frozen=True)
class FlatWay:
    """How a GenBank or EMBL file is written.

    Attributes:
        kind: "genbank" or "embl".
        per_exon: A CDS feature for each exon.
        tags: Locus tags; else one gene name for all.
    """

    kind: str
    per_exon: bool = False
    tags: bool = True

    def __call__(self, contigs: list[Contig]) -> str:
        records, number = [], 0
        for contig in contigs:
            about = {"molecule_type": "DNA", "topology": "circular" if contig.circular else "linear"}
            record = SeqRecord(Seq(contig.bases), id=f"{contig.name}.1", name=contig.name, annotations=about)
            for group in contig.genes:
                number += 1
                owner = {"locus_tag": [f"T{number}"]} if self.tags else {"gene": ["his3"]}
                for gene in group:
                    record.features += self._features(gene, owner)
            records.append(record)
        text = StringIO()
        SeqIO.write(records, text, self.kind)
        return text.getvalue()

    def _features(self, gene: Gene, owner: dict) -> Iterator[SeqFeature]:
        if gene.exons and self.tags:
            yield SeqFeature(_location(gene.exons, gene.strand, False, False), type="mRNA", qualifiers=owner)
        low, high = (gene.partial_5, gene.partial_3) if gene.strand == "+" else (gene.partial_3, gene.partial_5)
        more = {"codon_start": [str(gene.phase_offset + 1)]}
        if gene.transl_except:
            more["transl_except"] = [_exceptions(gene).removeprefix("transl_except=").replace("%2C", ",")]
        if not self.per_exon:
            yield SeqFeature(_location(gene.parts, gene.strand, low, high), type="CDS", qualifiers={**owner, **more})
            return
        for part, phase in zip(gene.parts, phases(gene, gene.parts), strict=True):
            kind = {**owner, "codon_start": [str(int(phase) + 1)]}
            ends = low and part == gene.parts[0], high and part == gene.parts[-1]
            yield SeqFeature(_location((part,), gene.strand, *ends), type="CDS", qualifiers=kind)


def _location(spans: tuple, strand: str, low: bool, high: bool) -> SimpleLocation | CompoundLocation:
    sign = 1 if strand == "+" else -1
    places = [
        SimpleLocation(
            (BeforePosition if low and span == spans[0] else ExactPosition)(span[0]),
            (AfterPosition if high and span == spans[-1] else ExactPosition)(span[1]), strand=sign,
        )
        for span in (spans if sign == 1 else spans[::-1])
    ]  # fmt: skip
    return places[0] if len(places) == 1 else CompoundLocation(places)


class Convention(NamedTuple):
    """A way of writing, and what models it can hold.

    Attributes:
        suffix: Of the file.
        write: Contigs to text.
        ends: It says which genes are cut off.
        utr: It says where exons lie.
        isoforms: It tells isoforms.
        sec: It says where selenocysteines lie.
        needs_bases: Without the genome the stop codon is unknown.
    """

    suffix: str
    write: Callable[[list[Contig]], str]
    ends: bool = False
    utr: bool = True
    isoforms: bool = True
    sec: bool = False
    needs_bases: bool = False


CONVENTIONS = {
    "GFF3 as NCBI": Convention("gff3", Gff3Way(), ends=True, sec=True),
    "GFF3, CDS rows without ID": Convention("gff3", Gff3Way(ids="none"), ends=True),
    "GFF3, an ID for each CDS row": Convention("gff3", Gff3Way(ids="own"), ends=True),
    "GFF3, CDS rows alone": Convention("gff3", Gff3Way(parents="none", regions="none"), utr=False, isoforms=False),
    "GFF3, the parent is the gene": Convention("gff3", Gff3Way(parents="gene", regions="none"), utr=False),
    "GFF3, one ID for gene and mRNA": Convention("gff3", Gff3Way(parents="same"), isoforms=False),
    "GFF3, one ID for gene and mRNA, CDS IDs": Convention("gff3", Gff3Way(parents="same", ids="own"), isoforms=False),
    "GFF3, rows shared by isoforms": Convention("gff3", Gff3Way(parents="isoforms", ids="none"), utr=False),
    "GFF3, rows with IDs shared by isoforms": Convention("gff3", Gff3Way(parents="isoforms", ids="own"), utr=False),
    "GFF3, ids begin anew on each contig": Convention("gff3", Gff3Way(restart=True), ends=True),
    "GFF3, own ids begin anew": Convention("gff3", Gff3Way(ids="own", restart=True)),
    "GFF3, one ID for every CDS": Convention("gff3", Gff3Way(ids="all"), isoforms=False),
    "GFF3, one name for all genes": Convention("gff3", Gff3Way(names=True)),
    "GFF3, stop codon in rows": Convention("gff3", Gff3Way(stop="rows"), ends=True),
    "GFF3, stop codon nowhere": Convention("gff3", Gff3Way(stop="out"), needs_bases=True),
    "GFF3, UTR rows without exons": Convention("gff3", Gff3Way(regions="rows")),
    "GFF3, UTR rows beside short exons": Convention("gff3", Gff3Way(regions="short")),
    "GFF3, among other lines": Convention("gff3", Gff3Way(noise=True)),
    "GTF": Convention("gtf", GtfWay(), ends=True, sec=True),
    "GTF as Ensembl": Convention("gtf", GtfWay(utr=("five_prime_utr", "three_prime_utr")), ends=True, sec=True),
    "GTF as GENCODE": Convention("gtf", GtfWay(utr=("UTR", "UTR")), sec=True),
    "GTF 2.2, no exons": Convention("gtf", GtfWay(utr=("5UTR", "3UTR"), exons=False)),
    "GTF as Augustus": Convention("gtf", GtfWay("in", ("5'-UTR", "3'-UTR"), exons=False, bare=True), ends=True),
    "GTF as BRAKER": Convention("gtf", GtfWay(bare=True), ends=True),
    "GTF, stop codon nowhere": Convention("gtf", GtfWay(stop="out"), needs_bases=True),
    "GTF, stop codon in the CDS": Convention("gtf", GtfWay(stop="in"), ends=True),
    "GTF, ids begin anew on each contig": Convention("gtf", GtfWay(restart=True), ends=True),
    "GTF without quotes": Convention("gtf", GtfWay(quotes=False)),
    "GTF in reading order": Convention("gtf", GtfWay(descending=True), ends=True, sec=True),
    "GenBank": Convention("gb", FlatWay("genbank"), ends=True, sec=True),
    "GenBank, a CDS for each exon": Convention("gb", FlatWay("genbank", per_exon=True), isoforms=False),
    "GenBank, one name for all genes": Convention("gb", FlatWay("genbank", tags=False), utr=False, isoforms=False),
    "EMBL": Convention("embl", FlatWay("embl"), ends=True, sec=True),
    "EMBL, a CDS for each exon": Convention("embl", FlatWay("embl", per_exon=True), isoforms=False),
}  # fmt: skip


def draw_contigs(name: str, seed: int, n_models: int = 1) -> list[Contig]:
    """Contigs whose genes a convention can hold; those of several models go on in one file."""
    how = CONVENTIONS[name]
    found = []
    for number in range(n_models):
        maker = Maker(seed + number, with_ends=how.ends, with_utr=how.utr, with_isoforms=how.isoforms, with_sec=how.sec)
        found += maker.contigs(f"m{number}_" if number else "")
    return found
