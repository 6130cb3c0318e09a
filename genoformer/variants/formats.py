"""Words of ``variants --formats``, and what writes them."""

from typing import Any

from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part

_HERE = "genoformer.variants.write"
_PYSAM: Part[Any] = Part("genoformer.inference.optional_packages:load_pysam")
FORMATS: dict[str, OutputFormat] = {
    "vcf": OutputFormat(
        "variants.vcf", "the rows with INFO fields, sorted", "rows", Part(f"{_HERE}:VcfWriter"), is_default=True
    ),
    "tsv": OutputFormat(
        "variants.tsv", "a table, a line for each finding", "rows", Part(f"{_HERE}:TableWriter"), is_default=True
    ),
    "bgzip": OutputFormat(
        "variants.vcf.gz", "the VCF compressed by bgzip, with an index", "rows", Part(f"{_HERE}:BgzipWriter"),
        beside=("variants.vcf.gz.tbi", "variants.vcf.gz.csi"), check=_PYSAM,
    ),
}  # fmt: skip
