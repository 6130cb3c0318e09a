"""Write genes with their sequence as GenBank and EMBL flat files: Biopython writes, this module says what.

Reference: INSDC feature table definition, https://www.insdc.org/submitting-standards/feature-table/.
"""

import io
import warnings as python_warnings
from collections.abc import Iterator
from importlib.metadata import version

from Bio import BiopythonWarning, SeqIO
from Bio.Seq import Seq
from Bio.SeqFeature import AfterPosition, BeforePosition, CompoundLocation, ExactPosition, SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord

from genoformer.annotation.gene_files import GeneFile, format_score, gene_id, rna_gene_id
from genoformer.annotation.gene_sequence import translate_gene
from genoformer.annotation.locations import format_transl_except
from genoformer.annotation.models import Gene, RnaGene, Span
from genoformer.annotation.write_gff3 import transcribed_exons
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.records import Record

Location = SimpleLocation | CompoundLocation
Qualifiers = dict[str, list[str]]
INFERENCE = f"ab initio prediction:genoformer:{version('genoformer')}"


class _FlatFile(GeneFile):
    """Each record with its sequence, its genes as gene and CDS features, and mRNA where a transcript is more than CDS.

    A gene of several transcripts has mRNA and CDS features of each, best first, all with its locus tag. Features of one
    gene share a locus tag: its own, or else the id that it has in the other files. ``<`` and ``>`` mark
    ends that are missing. Parts over the origin of a circular record are joined. Pseudogenes have no CDS, and
    trans-spliced genes no translation. Genes of rRNA and tRNA are gene and rRNA or tRNA features.
    """

    kind = ""
    """Biopython's word for the format."""

    def chunks(self, record: Record, genes: list[Gene], circular: bool, genetic_code: int) -> Iterator[str]:
        return self.with_rna(record, genes, [], circular, genetic_code)

    def with_rna(
        self, record: Record, genes: list[Gene], rna_genes: list[RnaGene], circular: bool, genetic_code: int
    ) -> Iterator[str]:
        topology = "circular" if circular else "linear"
        written = SeqRecord(
            Seq(decode_bases(record.codes)), id=record.id, name=record.id, description=record.description or ".",
            annotations={"molecule_type": "DNA", "topology": topology},
        )  # fmt: skip
        self.name(written)
        found = [
            (gene.start, list(_features(record, gene, gene_id(record.id, number), genetic_code)))
            for number, gene in enumerate(genes, start=1)
        ]
        found += [
            (rna.start, list(_rna_features(rna, rna_gene_id(record.id, number), len(record))))
            for number, rna in enumerate(rna_genes, start=1)
        ]
        for _, features in sorted(found, key=lambda pair: pair[0]) if rna_genes else found:
            written.features += features
        text = io.StringIO()
        with python_warnings.catch_warnings():
            # Long ids move the columns of the first line, which readers divide at blanks.
            python_warnings.simplefilter("ignore", BiopythonWarning)
            SeqIO.write(written, text, self.kind)
        yield text.getvalue()

    def name(self, written: SeqRecord) -> None:
        """Give the record the id that the format can hold."""


class GenBankWriter(_FlatFile):
    """Genes as GenBank."""

    kind = "genbank"


class EmblWriter(_FlatFile):
    """Genes as EMBL. Ids have "_" for ";", which divides the fields of the ID line."""

    kind = "embl"

    def name(self, written: SeqRecord) -> None:
        name = (written.id or "").replace(";", "_")
        written.id = name
        accession, _, suffix = name.rpartition(".")
        if not suffix.isdigit() or not accession or "." in accession:
            # Biopython takes what follows the last point for a version, and gives it back to ids with one point alone.
            written.id, written.annotations["accession"] = "-", name


def _features(record: Record, gene: Gene, name: str, genetic_code: int) -> Iterator[SeqFeature]:
    naming: Qualifiers = {"locus_tag": [gene.locus_tag or name], **({"gene": [gene.name]} if gene.name else {})}
    pseudo: Qualifiers = {"pseudo": [""]} if gene.pseudo else {}
    yield SeqFeature(_location([gene.locus_span], gene, len(record)), "gene", qualifiers={**naming, **pseudo})
    if gene.pseudo:
        return
    for transcript in gene.transcripts:
        yield from _transcript_features(
            record, transcript, naming, genetic_code, is_one_of_many=bool(gene.alternatives)
        )


def _transcript_features(
    record: Record, gene: Gene, naming: Qualifiers, genetic_code: int, *, is_one_of_many: bool
) -> Iterator[SeqFeature]:  # fmt: skip
    """The mRNA, where it is more than the CDS or one of several, and the CDS."""
    length, exons = len(record), transcribed_exons(gene)
    product: Qualifiers = {"product": [gene.product]} if gene.product else {}
    if is_one_of_many or len(exons) > 1 or exons != list(gene.parts):
        yield SeqFeature(_location(exons, gene, length), "mRNA", qualifiers={**naming, **product})
    qualifiers = {**naming, **product, **_coding_qualifiers(record, gene, gene.genetic_code or genetic_code)}
    yield SeqFeature(_location(gene.parts, gene, length), "CDS", qualifiers=qualifiers)


def _rna_features(rna: RnaGene, name: str, length_bp: int) -> Iterator[SeqFeature]:
    location = _location([(rna.start, rna.end)], Gene(rna.contig, rna.start, rna.end, rna.strand), length_bp)
    naming: Qualifiers = {"locus_tag": [rna.locus_tag or name]}
    yield SeqFeature(location, "gene", qualifiers=naming)
    product: Qualifiers = {"product": [rna.product]} if rna.product else {}
    note: Qualifiers = {} if rna.score is None else {"note": [f"confidence {format_score(rna.score)}"]}
    yield SeqFeature(location, rna.kind, qualifiers={**naming, **product, "inference": [INFERENCE], **note})


def _coding_qualifiers(record: Record, gene: Gene, genetic_code: int) -> Qualifiers:
    found: Qualifiers = {
        "codon_start": [str(gene.phase_offset + 1)],
        "inference": [INFERENCE],
        "transl_table": [str(genetic_code)],
    }
    if gene.slippage:
        found["ribosomal_slippage"] = [""]
    if gene.trans_spliced:
        return {**found, "trans_splicing": [""]}
    if gene.transl_except:
        found["transl_except"] = [format_transl_except(*codon, gene.strand) for codon in gene.transl_except]
    if notes := _notes(gene):
        found["note"] = notes
    protein = translate_gene(record.codes, gene, genetic_code)
    found["translation"] = [protein if gene.partial_3 else protein.removesuffix("*")]
    return found


def _notes(gene: Gene) -> list[str]:
    said = [gene.note] if gene.note else []
    if gene.below_best is not None:
        said.append(f"alternative transcript, {gene.below_best:.2f} below the best one of its gene (log-odds)")
    scores = (("confidence", gene.score), ("confidence of the start", gene.start_score))
    said += [f"{what} {format_score(score)}" for what, score in scores if score is not None]
    return said + [f"predicted function {name}, probability {format_score(score)}" for name, score in gene.functions]


def _location(spans: list[Span] | tuple[Span, ...], gene: Gene, length_bp: int) -> Location:
    """Parts in the order of reading, as Biopython keeps them; behind the end of the record they go on at 0."""
    low, high = (gene.partial_5, gene.partial_3) if gene.strand == "+" else (gene.partial_3, gene.partial_5)
    strand = 1 if gene.strand == "+" else -1
    pieces = [piece for span in spans for piece in _laps(span, length_bp)]
    last = len(pieces) - 1
    parts = [
        SimpleLocation(
            (BeforePosition if low and i == 0 else ExactPosition)(start),
            (AfterPosition if high and i == last else ExactPosition)(end),
            strand,
        )
        for i, (start, end) in enumerate(pieces)
    ]
    return parts[0] if len(parts) == 1 else CompoundLocation(parts[::strand])


def _laps(span: Span, length_bp: int) -> list[Span]:
    """A part in the record's own coordinates; two parts if the origin is inside it."""
    start, end = span
    if start >= length_bp:
        return [(start - length_bp, end - length_bp)]
    return [(start, end)] if end <= length_bp else [(start, length_bp), (0, end - length_bp)]
