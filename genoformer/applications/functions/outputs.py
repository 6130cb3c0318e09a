"""The table of predicted functions: what ``--formats`` offers."""

from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part
from genoformer.inference.report_files import REPORT

FUNCTIONS, TERMS = "functions.tsv", "terms.tsv"
NEAREST = ("nearest_relative", "similarity")
"""Columns of models that know relatives: the most similar training sequence, and the cosine of both proteins' words."""

FORMATS = {
    "tsv": OutputFormat(
        FUNCTIONS, "a table of labels, one row for each sequence", needs="functions", is_default=True, beside=(TERMS,),
        writer=Part("genoformer.applications.functions.table:FunctionWriter"),
    ),
    "parquet": OutputFormat(
        "functions.parquet", "the same as Parquet", needs="functions",
        writer=Part("genoformer.applications.functions.parquet:FunctionParquetWriter"),
        check=Part("genoformer.inference.optional_packages:load_pyarrow"),
    ),
    "report": OutputFormat(
        REPORT, "a page to look at: shares of classes, table", needs="functions",
        writer=Part("genoformer.applications.functions.report:FunctionReportWriter"),
    ),
}  # fmt: skip
"""The writer is given the "outputs" of ``caller.FunctionCaller``."""
