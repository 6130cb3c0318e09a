"""Files of predicted base pairs: what ``--formats`` offers."""

from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part
from genoformer.inference.report_files import REPORT

PAIRS_H5, PAIRS_DBN, PAIRS_TSV, PAIRS_CT = "pairs.h5", "pairs.dbn", "pairs.tsv", "pairs.ct"
_WRITERS = "genoformer.applications.rna_pairs.writers"
_STEMS = "genoformer.applications.rna_pairs.stems"

FORMATS = {
    "h5": OutputFormat(
        PAIRS_H5, "all pairs with their probabilities, HDF5", needs="pairs", is_default=True,
        writer=Part("genoformer.applications.rna_pairs.maps:PairMapWriter"),
    ),
    "dbn": OutputFormat(
        PAIRS_DBN, "structures in dot-bracket", needs="pairs", is_default=True,
        writer=Part(f"{_WRITERS}:DotBracketWriter"),
    ),
    "tsv": OutputFormat(
        PAIRS_TSV, "a table of pairs", needs="pairs", is_default=True, writer=Part(f"{_WRITERS}:TableWriter")
    ),
    "parquet": OutputFormat(
        "pairs.parquet", "the same as Parquet", needs="pairs",
        writer=Part("genoformer.applications.rna_pairs.parquet:PairParquetWriter"),
        check=Part("genoformer.inference.optional_packages:load_pyarrow"),
    ),
    "ct": OutputFormat(PAIRS_CT, "structures as CT", needs="pairs", writer=Part(f"{_WRITERS}:CtWriter")),
    "bpseq": OutputFormat(
        "pairs-{:04d}.bpseq", "a bpseq file for each record", needs="pairs", writer=Part(f"{_WRITERS}:write_one_bpseq")
    ),
    "png": OutputFormat(
        "pairs-{:04d}.png", "a picture of each record", needs="pairs", writer=Part(f"{_WRITERS}:draw_one"),
        check=Part("genoformer.report.pyplot:load_pyplot"),
    ),
    "gff3": OutputFormat("pairs.gff3", "stems, GFF3", needs="pairs", writer=Part(f"{_STEMS}:StemGff3Writer")),
    "bed": OutputFormat(
        "pairs.bed", "stems, BED12 of two blocks each", needs="pairs", writer=Part(f"{_STEMS}:StemBedWriter")
    ),
    "bedpe": OutputFormat(
        "pairs.bedpe", "the pairs of the table, BEDPE", needs="pairs", writer=Part(f"{_STEMS}:PairBedpeWriter")
    ),
    "svg": OutputFormat(
        "pairs-{:04d}.svg", "arcs over each record, SVG", needs="pairs", writer=Part(f"{_WRITERS}:draw_one_as_arcs")
    ),
    "dotplot": OutputFormat(
        "dotplot-{:04d}.svg", "a dot plot of each record, SVG", needs="pairs",
        writer=Part(f"{_WRITERS}:draw_one_dot_plot"),
    ),
    "report": OutputFormat(
        REPORT, "a page to look at: folds, arcs, maps, table", needs="pairs",
        writer=Part("genoformer.applications.rna_pairs.report:PairReportWriter"),
    ),
}  # fmt: skip
"""Writers are given what ``caller.PairCaller.outputs`` says."""
