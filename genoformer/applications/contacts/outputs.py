"""Files of predicted contacts: what ``--formats`` offers."""

from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part
from genoformer.inference.report_files import REPORT

CONTACTS_TSV, CONTACTS_H5 = "contacts.tsv", "contacts.h5"
_WRITERS = "genoformer.applications.contacts.writers"

FORMATS = {
    "tsv": OutputFormat(
        CONTACTS_TSV, "a table of the best pairs", needs="contacts", is_default=True,
        writer=Part(f"{_WRITERS}:TableWriter"),
    ),
    "parquet": OutputFormat(
        "contacts.parquet", "the same as Parquet", needs="contacts",
        writer=Part("genoformer.applications.contacts.parquet:ContactParquetWriter"),
        check=Part("genoformer.inference.optional_packages:load_pyarrow"),
    ),
    "h5": OutputFormat(
        CONTACTS_H5, "all pairs with their probabilities, HDF5", needs="contacts", is_default=True,
        writer=Part("genoformer.applications.rna_pairs.maps:PairMapWriter"),
    ),
    "png": OutputFormat(
        "contacts-{:04d}.png", "a picture of each record", needs="contacts", writer=Part(f"{_WRITERS}:draw_one"),
        check=Part("genoformer.report.pyplot:load_pyplot"),
    ),
    "svg": OutputFormat(
        "contacts-{:04d}.svg", "a map of the pairs of the table for each record, SVG", needs="contacts",
        writer=Part(f"{_WRITERS}:draw_one_svg"),
    ),
    "report": OutputFormat(
        REPORT, "a page to look at: maps, arcs, table", needs="contacts",
        writer=Part("genoformer.applications.contacts.report:ContactReportWriter"),
    ),
}  # fmt: skip
"""Writers are given what ``caller.ContactCaller.outputs`` says."""
