"""What is said of alleles as fields of column INFO, and the header lines that describe them."""

import re
from collections.abc import Callable, Iterable, Sequence

from genoformer.variants.reports import GENE_EFFECTS, STATUSES, AlleleReport

STATUS, CSQ, GENE, OUT, CHANGE = "GF_STATUS", "GF_CSQ", "GF_GENE", "GF_OUT", "GF_CHANGE"
FIELDS = {
    STATUS: ("A", "String", f"Whether the allele was looked at, or why not: {', '.join(STATUSES)}"),
    CSQ: (".", "String", "Consequences on genes: Allele|Consequence|Gene|Strand|Amino_acids; Allele counts ALT from 1"),
    GENE: (
        ".", "String", "What the model says of genes: Allele|Effect|Gene|Strand|Confidence_before|Confidence_after|"
        f"Moved_bp; effects are {', '.join(GENE_EFFECTS)}",
    ),
    OUT: (".", "String", "What the model says of sequences: Allele|Sequence|Output|Before|After"),
    CHANGE: ("A", "Float", "Largest change of a confidence or output, with its sign"),
}  # fmt: skip
"""Number, type and description by name."""
_RESERVED = re.compile(r"[%:;=,|\s\x00-\x1f\x7f]")


def header_lines() -> list[str]:
    """Lines of the header that describe the fields."""
    return [
        f'##INFO=<ID={name},Number={number},Type={kind},Description="{text}">'
        for name, (number, kind, text) in FIELDS.items()
    ]


def with_fields(info: str, reports: Sequence[AlleleReport]) -> str:
    """Column INFO with what is said of each allele; fields of these names that were there are replaced.

    Args:
        info: The column as it stands.
        reports: Of each allele of the row.
    """
    kept = [item for item in info.split(";") if item not in ("", ".") and item.partition("=")[0] not in FIELDS]
    made = {
        STATUS: ",".join(report.status for report in reports),
        CSQ: _numbered(reports, _consequences),
        GENE: _numbered(reports, _genes),
        OUT: _numbered(reports, _outputs),
    }
    changes = [report.largest_change for report in reports]
    if any(change is not None for change in changes):
        made[CHANGE] = ",".join("." if change is None else number(change) for change in changes)
    return ";".join(kept + [f"{name}={text}" for name, text in made.items() if text])


def number(value: float | None) -> str:
    """Six significant digits; "." for none."""
    return "." if value is None else f"{value:.6g}"


def _numbered(reports: Sequence[AlleleReport], words: Callable[[AlleleReport], Iterable[Sequence[str]]]) -> str:
    entries = []
    for i, report in enumerate(reports, start=1):
        entries += ["|".join([str(i), *(_escape(word) for word in entry)]) for entry in words(report)]
    return ",".join(entries)


def _consequences(report: AlleleReport) -> Iterable[Sequence[str]]:
    return ([("&".join(one.terms)), one.gene, one.strand, one.amino_acids] for one in report.consequences)


def _genes(report: AlleleReport) -> Iterable[Sequence[str]]:
    for one in report.genes:
        yield one.effect, one.gene, one.strand, number(one.before), number(one.after), str(one.moved_bp)


def _outputs(report: AlleleReport) -> Iterable[Sequence[str]]:
    return ((one.sequence, one.output, number(one.before), number(one.after)) for one in report.outputs)


def _escape(text: str) -> str:
    """Section 1.2 of the specification: characters with a meaning are written as a percent sign and two digits."""
    return _RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", text)
