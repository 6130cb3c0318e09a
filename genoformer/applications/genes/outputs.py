"""Files of predicted genes: what ``--formats`` offers."""

from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part
from genoformer.inference.report_files import REPORT

GENES_GFF3 = "genes.gff3"
_TABLES = "genoformer.annotation.write_tables"
_TRACKS = "genoformer.inference.track_files"
PROBABILITIES = "probabilities"
"""What formats need for which the model pass keeps its outputs."""
BYTES_PER_VALUE = {"h5": 0.2, "bigwig": 1.8, "bedgraph": 18.0}
"""Size of files for each base, strand and channel, by word, in bytes: about twice what was found on E. coli."""
_FLAT_FILES = "genoformer.annotation.write_flat_files"

FORMATS = {
    "gff3": OutputFormat(
        GENES_GFF3, "gene, mRNA, exon and CDS rows", needs="genes", is_default=True,
        writer=Part("genoformer.annotation.write_gff3:Gff3Writer"),
    ),
    "gtf": OutputFormat(
        "genes.gtf", "the same as GTF", needs="genes", writer=Part("genoformer.annotation.write_gtf:GtfWriter")
    ),
    "tsv": OutputFormat(
        "genes.tsv", "a table of genes", needs="genes", is_default=True, writer=Part(f"{_TABLES}:TsvWriter")
    ),
    "bed": OutputFormat(
        "genes.bed", "BED12, one row for each gene", needs="genes", writer=Part(f"{_TABLES}:BedWriter")
    ),
    "protein": OutputFormat(
        "proteins.faa", "proteins, FASTA", needs="genes", is_default=True, writer=Part(f"{_TABLES}:ProteinWriter")
    ),
    "cds": OutputFormat("cds.fna", "coding sequences, FASTA", needs="genes", writer=Part(f"{_TABLES}:CdsWriter")),
    "genbank": OutputFormat(
        "genes.gbk", "genes and sequence, GenBank", needs="genes", writer=Part(f"{_FLAT_FILES}:GenBankWriter")
    ),
    "embl": OutputFormat(
        "genes.embl", "genes and sequence, EMBL", needs="genes", writer=Part(f"{_FLAT_FILES}:EmblWriter")
    ),
    "parquet": OutputFormat(
        "genes.parquet", "the same as Parquet", needs="genes",
        writer=Part("genoformer.applications.genes.parquet:GeneParquetWriter"),
        check=Part("genoformer.inference.optional_packages:load_pyarrow"),
    ),
    "report": OutputFormat(
        REPORT, "a page to look at: genome browser, maps, table, pictures", needs="genes",
        writer=Part("genoformer.applications.genes.report:GeneReportWriter"),
    ),
    "h5": OutputFormat(
        "probabilities.h5", "probabilities of every base and strand, HDF5", needs=PROBABILITIES,
        writer=Part(f"{_TRACKS}:ProbabilityH5Writer"),
    ),
    "bigwig": OutputFormat(
        "tracks/bigwig.tsv", "the same as bigWig, one for each channel and strand", needs=PROBABILITIES,
        beside=("tracks/*.bw",), writer=Part("genoformer.inference.bigwig_files:BigWigWriter"),
        check=Part("genoformer.inference.optional_packages:load_pybigtools"),
    ),
    "bedgraph": OutputFormat(
        "tracks/bedgraph.tsv", "the same as bedGraph", needs=PROBABILITIES, beside=("tracks/*.bedgraph",),
        writer=Part(f"{_TRACKS}:BedGraphWriter"),
    ),
}  # fmt: skip
"""Writers of genes are given those of a record, in its coordinates, "circular" and "genetic_code"; writers of
probabilities a ``Track``, and the names of the channels."""
