"""Rows of one name that lie at several places: one gene with introns, or copies of a gene that were not named anew."""

from itertools import pairwise

from genoformer.annotation.gff3_rows import Row

LONGEST_INTRON_BP = 500_000
"""What aligners of RNA allow at most by default (STAR: 589,824); rows further apart are not of one transcript."""

SHORTEST_COPY_BP = 90
"""Two exons of one gene may be equally long, and whole codons, by chance; short ones often are."""


def split_copies(rows: list[Row]) -> list[list[Row]]:
    """CDS rows of one name, one list for each copy of the gene; one list where they can be one CDS.

    They are copies when each set of rows is a reading frame of its own, whole codons from phase 0 on, and the sets have
    different sources (column 2) or strands, or the same lengths one behind the other, or lie further apart than any
    intron is long. A row that stands twice at one place is one row.

    Args:
        rows: In file order.
    """
    distinct = list({(row.source, row.strand, row.start, row.end): row for row in reversed(rows)}.values())[::-1]
    by_source, by_strand = (_groups(distinct, name) for name in ("source", "strand"))
    if len(by_source) > 1 and all(len(_groups(found, "strand")) == 1 and is_whole(found) for found in by_source):
        return [part for found in by_source for part in split_copies(found)]
    if len(by_strand) > 1:
        is_split = _are_apart(by_strand) and all(map(is_whole, by_strand))
        return [part for found in by_strand for part in split_copies(found)] if is_split else [rows]
    ordered = sorted(distinct, key=lambda row: row.start)
    for n_copies in range(len(ordered), 1, -1):
        copies = _equal_runs(ordered, n_copies)
        if copies and all(map(is_whole, copies)) and _length_bp(copies[0]) >= SHORTEST_COPY_BP:
            return copies
    return _far_apart(ordered) or [rows]


def _groups(rows: list[Row], name: str) -> list[list[Row]]:
    """Rows by what a column holds, in the order first met."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return list(found.values())


def _are_apart(sets: list[list[Row]]) -> bool:
    spans = sorted((min(row.start for row in rows), max(row.end for row in rows)) for rows in sets)
    return all(span[1] <= following[0] for span, following in pairwise(spans))


def is_whole(rows: list[Row]) -> bool:
    """Whether rows of one strand read whole codons from their first base on, each in the frame of those before."""
    return not _reading_order(rows)[0].phase and is_in_frame(rows) and _length_bp(rows) % 3 == 0


def is_in_frame(rows: list[Row]) -> bool:
    """Whether each row begins in the frame in which the one before it ends; the first may lack bases of a codon."""
    in_order = _reading_order(rows)
    read_bp = -(in_order[0].phase or 0)
    for row in in_order:
        if row.phase not in (None, -read_bp % 3):
            return False
        read_bp += row.end - row.start
    return True


def _reading_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.start, reverse=rows[0].strand == "-")


def _length_bp(rows: list[Row]) -> int:
    return sum(row.end - row.start for row in rows)


def _equal_runs(ordered: list[Row], n_copies: int) -> list[list[Row]]:
    """As many runs of rows with the same lengths, one behind the other; none where there are not."""
    size, rest = divmod(len(ordered), n_copies)
    runs = [ordered[i : i + size] for i in range(0, len(ordered), size)] if not rest else []
    lengths = [[row.end - row.start for row in run] for run in runs]
    return runs if lengths and all(found == lengths[0] for found in lengths) else []


def _far_apart(ordered: list[Row]) -> list[list[Row]]:
    """Runs between gaps longer than any intron; none where there is no such gap, or a run is no reading frame."""
    runs = [ordered[:1]]
    for row, following in pairwise(ordered):
        if following.start - row.end > LONGEST_INTRON_BP:
            runs.append([])
        runs[-1].append(following)
    return runs if len(runs) > 1 and all(map(is_whole, runs)) else []
