"""Files of predicted genes: what ``--formats`` offers."""

from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part

GENES_GFF3 = "genes.gff3"
_TABLES = "genoformer.annotation.write_tables"
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
}  # fmt: skip
"""Writers are given the genes of a record, in its coordinates, "circular" and "genetic_code"."""
