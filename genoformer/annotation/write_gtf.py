"""Write genes as GTF: CDS without stop codon, which has rows of its own.

Reference: https://mblab.wustl.edu/GTF22.html; untranslated regions and tags as in Ensembl's files.
"""

from collections.abc import Iterator

from genoformer.annotation.gene_files import GeneFile, format_score, gene_id, named_transcripts
from genoformer.annotation.gene_sequence import coding_positions
from genoformer.annotation.gff3_text import SOURCE
from genoformer.annotation.models import Gene, Span
from genoformer.annotation.stop_codons import without_stop_codon
from genoformer.annotation.write_gff3 import phases, transcribed_exons, untranslated_regions
from genoformer.sequence.records import Record

UTR_KINDS = {"five_prime_UTR": "five_prime_utr", "three_prime_UTR": "three_prime_utr"}
_Row = tuple[int, int, int, int, str]  # start, number of the gene, rank of the row in the gene, transcript, text


class GtfWriter(GeneFile):
    """Genes as gene, transcript, exon, CDS, start_codon and stop_codon rows, and those of untranslated regions.

    A start or stop codon that an intron splits has a row in each exon. Ids are those of the GFF3 file, with "_" for
    ";" and ",". Pseudogenes, trans-spliced genes and genes over the origin of a circular record, for which GTF has no
    form, are left out and counted. The gene row spans all transcripts; that of an alternative has ``below_best`` in
    place of a score.
    """

    @property
    def header(self) -> str:
        return "##gtf-version 2.2\n"

    def chunks(self, record: Record, genes: list[Gene], circular: bool, genetic_code: int) -> Iterator[str]:
        rows: list[_Row] = []
        for number, gene in enumerate(genes, start=1):
            name = gene_id(record.id, number)
            if reason := _no_form(gene, len(record)):
                self.left_out.add("GENES-101", f"{self.path.name}: {name} {reason}, for which GTF has no form.")
            else:
                rows += _gene_rows(gene, record.id, number, name)
        yield from (text for *_, text in sorted(rows))


def _no_form(gene: Gene, length_bp: int) -> str:
    """Why a gene cannot be written; "" if it can."""
    if gene.pseudo:
        return "is a pseudogene"
    if gene.trans_spliced:
        return "is trans-spliced"
    return "runs over the origin of its record" if gene.end > length_bp else ""


def _gene_rows(gene: Gene, contig: str, number: int, name: str) -> Iterator[_Row]:
    own_id = f'gene_id "{_quoted_id(name)}";'
    start, end = gene.locus_span
    yield start, number, 0, 0, _line(gene, contig, "gene", start, end, own_id + _labels(gene))
    for i, (own_name, transcript) in enumerate(named_transcripts(name, gene)):
        for at, rank, line in _transcript_rows(transcript, contig, own_id, own_name):
            yield at, number, rank, i, line


def _line(gene: Gene, contig: str, kind: str, start: int, end: int, attributes: str, phase: str = ".") -> str:
    columns = (contig, SOURCE, kind, start + 1, end, format_score(gene.score), gene.strand, phase, attributes)
    return "\t".join(map(str, columns)) + "\n"


def _labels(gene: Gene) -> str:
    optional = {"gene_name": gene.name, "locus_tag": gene.locus_tag}
    return "".join(f' {key} "{_quoted(value)}";' for key, value in optional.items() if value)


def _transcript_rows(gene: Gene, contig: str, own_id: str, name: str) -> Iterator[tuple[int, int, str]]:
    """Start, rank and text of the rows of a transcript.

    Args:
        gene: The transcript.
        contig: Its contig.
        own_id: The attribute that names its gene.
        name: Its id.
    """

    def row(kind: str, start: int, end: int, rank: int, phase: str = ".", more: str = "") -> tuple[int, int, str]:
        return start, rank, _line(gene, contig, kind, start, end, names + more, phase)

    labels = _labels(gene)
    names = f'{own_id} transcript_id "{_quoted_id("mrna-" + name.removeprefix("gene-"))}";'
    product = f' product "{_quoted(gene.product)}";' if gene.product else ""
    below = "" if gene.below_best is None else f' below_best "{gene.below_best:.2f}";'
    yield row("transcript", *gene.transcript_span, 1, more=labels + product + _tags(gene) + below)
    for start, end in transcribed_exons(gene):
        yield row("exon", start, end, 2)
    for kind, start, end in untranslated_regions(gene):
        yield row(UTR_KINDS[kind], start, end, 3)
    # A partial gene may hold no more than its stop codon.
    coding = [without_stop_codon(gene)] if gene.partial_3 or gene.length_bp > 3 else []
    for part in coding:
        for (start, end), phase in zip(part.parts, phases(part), strict=True):
            yield row("CDS", start, end, 4, str(phase), labels + product + _tags(gene))
    for kind, spans in (("start_codon", start_spans(gene)), ("stop_codon", stop_spans(gene))):
        yield from (row(kind, start, end, 5, str(phase)) for (start, end), phase in spans)


def start_spans(gene: Gene) -> list[tuple[Span, int]]:
    """Where the start codon lies, with the phase of each piece; nothing for a partial gene."""
    return [] if gene.partial_5 else _codon_spans(gene, slice(0, 3))


def stop_spans(gene: Gene) -> list[tuple[Span, int]]:
    """Where the stop codon lies, with the phase of each piece; nothing for a partial gene."""
    return [] if gene.partial_3 else _codon_spans(gene, slice(-3, None))


def _codon_spans(gene: Gene, which: slice) -> list[tuple[Span, int]]:
    bases = coding_positions(gene, gene.end)[which].tolist()
    pieces: list[list[int]] = []
    for base in bases:
        if pieces and abs(base - pieces[-1][-1]) == 1:
            pieces[-1].append(base)
        else:
            pieces.append([base])
    firsts = [sum(map(len, pieces[:i])) for i in range(len(pieces))]
    found = [((min(p), max(p) + 1), -first % 3) for p, first in zip(pieces, firsts, strict=True)]
    return sorted(found)


def _tags(gene: Gene) -> str:
    tags = (("cds_start_NF", gene.partial_5), ("cds_end_NF", gene.partial_3))
    return "".join(f' tag "{tag}";' for tag, is_set in tags if is_set)


def _quoted_id(name: str) -> str:
    """An id without commas either, at which gffutils divides values: it refuses a gene with two ids."""
    return _quoted(name).replace(",", "_")


def _quoted(text: str) -> str:
    """Text without the characters that end a value or a row."""
    return text.translate({ord('"'): "'", ord("\\"): "/", ord("\t"): " ", ord("\n"): " ", ord(";"): ","})
