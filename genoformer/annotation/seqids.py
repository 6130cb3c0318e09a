"""Match the sequence ids of a FASTA file with those of its annotation."""

import re
from collections import defaultdict
from pathlib import Path

from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError

_VERSION = re.compile(r"(.+)\.[0-9]+")
N_LISTED = 5
MAP_HELP = "Give --seqid-map FILE with two columns separated by a tab: id in the annotation, id in the FASTA file."


def match_ids(
    fasta_ids: list[str], annotation_ids: list[str], seqid_map: dict[str, str] | None = None
) -> dict[str, str]:
    """Find for each id of the annotation the FASTA id that means the same sequence.

    The map is asked first, then equal ids match, then ids that differ because only one side has a version
    (``NC_000913`` and ``NC_000913.3``). Two different versions never match: they are different sequences.

    Args:
        fasta_ids: Ids of the FASTA file.
        annotation_ids: Ids of the annotation.
        seqid_map: FASTA id by annotation id, from ``read_seqid_map``.

    Returns:
        FASTA id by annotation id.

    Raises:
        DataError: If an annotation id has no partner or several, or two share one.
    """
    partners = find_partners(fasta_ids, annotation_ids, seqid_map)
    matched = {annotation_id: fasta_id for annotation_id, fasta_id in partners.items() if fasta_id is not None}
    lost = [annotation_id for annotation_id in partners if annotation_id not in matched]
    if lost:
        message = f"{len(lost)} sequence ids of the annotation ({listed_ids(lost)}) match none, or several, of the"
        raise DataError("SEQID-001", f"{message} FASTA ids ({listed_ids(fasta_ids)}).", fix=MAP_HELP)
    _check_one_to_one(matched)
    return matched


def find_partners(
    fasta_ids: list[str], annotation_ids: list[str], seqid_map: dict[str, str] | None = None
) -> dict[str, str | None]:
    """For each id of the annotation the FASTA id that means the same sequence; None where there is none, or several.

    The rules are those of ``match_ids``; two ids may have one partner.
    """
    known, by_stem = set(fasta_ids), defaultdict(list)
    for fasta_id in fasta_ids:
        by_stem[_stem(fasta_id)].append(fasta_id)
    found: dict[str, str | None] = {}
    for annotation_id in dict.fromkeys(annotation_ids):
        candidates = _candidates(annotation_id, known, by_stem, seqid_map or {})
        found[annotation_id] = candidates[0] if len(candidates) == 1 else None
    return found


def _stem(sequence_id: str) -> str:
    found = _VERSION.fullmatch(sequence_id)
    return found[1] if found else sequence_id


def _candidates(
    annotation_id: str, known: set[str], by_stem: dict[str, list[str]], mapped: dict[str, str]
) -> list[str]:
    if annotation_id in mapped:
        return [mapped[annotation_id]] if mapped[annotation_id] in known else []
    if annotation_id in known:
        return [annotation_id]
    stem = _stem(annotation_id)
    if stem != annotation_id:
        return [stem] if stem in known else []
    return by_stem.get(annotation_id, [])


def _check_one_to_one(matched: dict[str, str]) -> None:
    owners: dict[str, str] = {}
    for annotation_id, fasta_id in matched.items():
        if fasta_id in owners:
            message = f"{owners[fasta_id]!r} and {annotation_id!r} both mean the FASTA sequence {fasta_id!r}."
            raise DataError("SEQID-002", message, fix=MAP_HELP)
        owners[fasta_id] = annotation_id


def listed_ids(ids: list[str]) -> str:
    """The first ``N_LISTED`` ids, for a message."""
    shown = ", ".join(ids[:N_LISTED])
    return f"{shown}, … {len(ids)} in all" if len(ids) > N_LISTED else shown


def read_seqid_map(path: str | Path) -> dict[str, str]:
    """Read a table of two columns: id in the annotation, id in the FASTA file. ``#`` lines are comments.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, for another number of columns or an id that comes twice.
    """
    found: dict[str, str] = {}
    for number, line in read_lines(Path(path)):
        if not line.strip() or line.startswith("#"):
            continue
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) != 2 or not all(columns):
            message = f"expected two columns separated by a tab, found {len(columns)}."
            raise DataError("SEQID-003", message, where=f"{path} line {number}", fix=MAP_HELP)
        if columns[0] in found:
            message = f"the annotation id {columns[0]!r} comes twice."
            raise DataError("SEQID-004", message, where=f"{path} line {number}")
        found[columns[0]] = columns[1]
    return found
