"""The genome browser that pages carry, where it was taken when the package was installed."""

from functools import cache

from genoformer.report import fetch_igv

HOW_TO_GET = (
    "This page has a simple map of genes. For a genome browser, igv.js, take it once with npm: "
    "python -m genoformer.report.fetch_igv. Then delete this file and run the same command with --overwrite."
)


@cache
def igv_script() -> str | None:
    """JavaScript of igv.js with its licence; None where it is not there, or not as it was published."""
    if not fetch_igv.is_there():
        return None
    licence = fetch_igv.LICENSE.read_text(encoding="utf-8").replace("*/", "")
    return f"/*! igv.js {fetch_igv.VERSION}\n{licence}*/\n{fetch_igv.SCRIPT.read_text(encoding='utf-8')}"
