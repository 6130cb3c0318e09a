"""Formats of ``genoformer explain``; their writers are given a record and its ``explainer.Explanation`` as arrays."""

from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part

_HERE, _PACKAGES = "genoformer.explain", "genoformer.inference.optional_packages"

FORMATS: dict[str, OutputFormat] = {
    "tsv": OutputFormat(
        "importance.tsv", "a table, one row for each base", "importance", Part(f"{_HERE}.table:TableWriter"),
        is_default=True,
    ),
    "png": OutputFormat(
        "logo-0001.png", "sequence logos of the first records", "importance", Part(f"{_HERE}.logo:LogoWriter"),
        is_default=True, beside=("logo-*.png",), check=Part("genoformer.report.pyplot:load_pyplot"),
    ),
    "bigwig": OutputFormat(
        "ism.bw", "a track for each method", "importance", Part(f"{_HERE}.bigwig:BigWigWriter"),
        beside=("ig.bw", "attention.bw"), check=Part(f"{_PACKAGES}:load_pybigtools"),
    ),
}  # fmt: skip
