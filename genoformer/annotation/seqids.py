"""Match the sequence ids of a FASTA file with those of its annotation."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from genoformer.annotation.text_lines import read_lines
from genoformer.errors import DataError, WarningLog

_VERSION = re.compile(r"(.+)\.[0-9]+")
N_LISTED = 5
MAP_HELP = "Give --seqid-map FILE with two columns separated by a tab: id in the annotation, id in the FASTA file."


def match_ids(
    fasta_ids: list[str], annotation_ids: list[str], seqid_map: dict[str, str] | None = None, *,
    warnings: WarningLog | None = None, what: str = "the annotation", spelled: Mapping[str, str] | None = None,
) -> dict[str, str]:  # fmt: skip
    """Find for each id of the annotation the FASTA id that means the same sequence.

    An annotation may be of more sequences than the FASTA file holds, as that of a genome beside one chromosome: ids
    without a partner are counted, and left out. Without any partner the names are of another kind.

    The map is asked first, then equal ids match, then ids that differ because only one side has a version
    (``NC_000913`` and ``NC_000913.3``). Two different versions never match: they are different sequences.

    Args:
        fasta_ids: Ids of the FASTA file.
        annotation_ids: Ids of the annotation.
        seqid_map: FASTA id by annotation id, from ``read_seqid_map``.
        warnings: Counts ids without a partner, or with several.
        what: Whose ids they are, for messages.
        spelled: Annotation ids as they stand in the file, where that differs.

    Returns:
        FASTA id by annotation id, of those that have a partner.

    Raises:
        DataError: If there are annotation ids and none has a partner, or one without is a FASTA id without partner in
            another spelling, or two share one.
    """
    partners = find_partners(fasta_ids, annotation_ids, seqid_map)
    matched = {annotation_id: fasta_id for annotation_id, fasta_id in partners.items() if fasta_id is not None}
    lost = [annotation_id for annotation_id in partners if annotation_id not in matched]
    shown = [(spelled or {}).get(annotation_id, annotation_id) for annotation_id in lost]
    alone = {form for fasta_id in fasta_ids if fasta_id not in matched.values() for form in _spellings(fasta_id)}
    if lost and (not matched or any(form in alone for lost_id in lost for form in _spellings(lost_id))):
        message = f"{len(lost)} sequence ids of {what} ({listed_ids(shown)}) match none, or several, of the"
        raise DataError("SEQID-001", f"{message} FASTA ids ({listed_ids(fasta_ids)}).", fix=MAP_HELP)
    log = WarningLog() if warnings is None else warnings
    for annotation_id in shown:
        text = f"{what} names {annotation_id!r}, which is no FASTA sequence, or could be several; it is left out"
        log.add("SEQID-101", text)
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


def _spellings(sequence_id: str) -> set[str]:
    """What other programs make of an id: its first word, percent signs decoded, other capital letters."""
    decoded = unquote(sequence_id)
    words = {word for text in (sequence_id, decoded) for word in (text.strip(), (text.split() or [""])[0])}
    return {word.lower() for word in words if word}


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
