"""The part of a page in which readers move along a genome: its data for ``gene_browser.js``, and the place for it."""

import base64
import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genoformer.report.igv import HOW_TO_GET, igv_script
from genoformer.report.markup import Markup, element, join, json_block
from genoformer.report.page import note, own_file
from genoformer.report.two_bit import MAX_NAME_BYTES, write_two_bit

MAX_SEQUENCE_BP = 20_000_000
"""Bases of all records together that a page carries: a third of a byte of it for each."""
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.|-]+")
"""Ids that the browser reads in a place, and shows, as they are."""
COMPRESSION = 9


@dataclass(frozen=True)
class BrowsedRecord:
    """One sequence.

    Attributes:
        id: As the input has it.
        codes: uint8 base codes, shape [L]; None where the page does not carry them.
        length: In bp.
    """

    id: str
    codes: np.ndarray | None
    length: int


@dataclass
class BrowsedGenes:
    """Genes in columns, one value for each; coordinates are 0-based, half-open, and lie inside their record.

    Attributes:
        record: Number of the record.
        start: First base.
        end: One behind the last.
        strand: 1 for the forward strand, 0 for the other.
        score: Confidence; None where there is none.
        label: What is written beside it.
        parts: Exons by number of the gene, of those that have several.
        alternatives: Numbers of those that are second opinions on the one before them; drawn as unsure.
    """

    record: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    strand: list[int] = field(default_factory=list)
    score: list[float | None] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    parts: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    alternatives: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class BrowsedTrack:
    """Values along the records.

    Attributes:
        name: Of the track.
        strand: 1 for the forward strand, 0 for the other.
        values: By number of the record: bases in a bin, and of each bin steps of 1/255, uint8.
    """

    name: str
    strand: int
    values: Mapping[int, tuple[int, np.ndarray]]


def browser_part(
    records: Sequence[BrowsedRecord],
    genes: BrowsedGenes,
    tracks: Sequence[BrowsedTrack] = (),
    rna: BrowsedGenes | None = None,
) -> Markup:
    """The place of the browser, what is said of the gene that was chosen, and the data.

    Args:
        records: In order; bases are carried if all have them.
        genes: On them.
        tracks: Beside them.
        rna: Genes of RNA, in a track of their own; None for a model that finds none.
    """
    names = browser_names([record.id for record in records])
    carried = all(record.codes is not None for record in records)
    data = {
        "records": [{"id": r.id, "name": n, "length": r.length} for r, n in zip(records, names, strict=True)],
        "sequence": _sequence(records, names) if carried else None,
        "genes": {**vars(genes)},
        "rna": None if rna is None else {**vars(rna)},
        "tracks": [_packed(track) for track in tracks],
    }
    hint = None if igv_script() else note(HOW_TO_GET)
    place = element("div", id="browser", class_="browser", aria_label="Genome browser")
    detail = element("p", "Click on a gene, here or in the table, to see what is known of it.", class_="soft")
    return join(
        hint, place, element("div", detail, id="gene-detail", aria_live="polite"), json_block("genome-data", data)
    )


def browser_scripts() -> list[str]:
    """Scripts that the part needs."""
    own = [own_file("gene_map.js"), own_file("gene_browser.js")]
    script = igv_script()
    return own if script is None else [script, *own]


def browser_names(ids: Sequence[str]) -> list[str]:
    """Names of records in the browser: their ids, and numbers for ids with characters that mean something to it."""
    return [name if is_plain(name) else f"#{number}" for number, name in enumerate(ids, start=1)]


def is_plain(name: str) -> bool:
    """Whether the browser takes an id for what it is."""
    return PLAIN_NAME.fullmatch(name) is not None and len(name) <= MAX_NAME_BYTES


def _sequence(records: Sequence[BrowsedRecord], names: Sequence[str]) -> str:
    """2bit in base64."""
    known = [(name, record.codes) for name, record in zip(names, records, strict=True) if record.codes is not None]
    return base64.b64encode(write_two_bit(known)).decode()


def pack(data: bytes) -> str:
    """Bytes as gzip in base64; equal bytes give equal text."""
    return base64.b64encode(gzip.compress(data, COMPRESSION, mtime=0)).decode()


def _packed(track: BrowsedTrack) -> dict[str, Any]:
    values = {
        number: {"bin": bin_bp, "data": pack(steps.tobytes())} for number, (bin_bp, steps) in track.values.items()
    }
    return {"name": track.name, "strand": track.strand, "values": values}
