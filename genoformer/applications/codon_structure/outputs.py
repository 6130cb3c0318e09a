"""Files of predicted states: what ``--formats`` offers."""

from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part
from genoformer.inference.report_files import REPORT

STRUCTURE_TSV = "structure.tsv"
HEAD = ("record_id", "codon", "bases", "state", "probability")
"""Columns before those of the states."""

FORMATS = {
    "tsv": OutputFormat(
        STRUCTURE_TSV, "a table of states, one row for each codon", needs="states", is_default=True,
        writer=Part("genoformer.applications.codon_structure.writers:StateWriter"),
    ),
    "gff3": OutputFormat(
        "structure.gff3", "helices, strands and turns on the coding sequence, GFF3", needs="states",
        writer=Part("genoformer.applications.codon_structure.elements:ElementGff3Writer"),
    ),
    "bed": OutputFormat(
        "structure.bed", "the same as BED12, with colors", needs="states",
        writer=Part("genoformer.applications.codon_structure.elements:ElementBedWriter"),
    ),
    "parquet": OutputFormat(
        "structure.parquet", "the table as Parquet", needs="states",
        writer=Part("genoformer.applications.codon_structure.parquet:StateParquetWriter"),
        check=Part("genoformer.inference.optional_packages:load_pyarrow"),
    ),
    "report": OutputFormat(
        REPORT, "a page to look at: strips, shares, table", needs="states",
        writer=Part("genoformer.applications.codon_structure.report:StateReportWriter"),
    ),
}  # fmt: skip
"""Writers are given what ``caller.CodonCaller.outputs`` says."""
