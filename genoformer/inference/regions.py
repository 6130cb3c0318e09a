"""The scan of an input of which one stretch may be looked at alone, for what is not about genes."""

from collections.abc import Iterator

from genoformer.errors import UsageError, WarningLog
from genoformer.inference.reading import Reading, Scan, scan_records
from genoformer.sequence.records import Record

N_NAMED = 5
"""Records that a message names, so that the user sees how ids look."""


def scan_stretches(reading: Reading, paths: list[str], warnings: WarningLog) -> Scan:
    """Read all of the input once, and count what is looked at.

    Args:
        reading: Of the request.
        paths: The input.
        warnings: Counted warnings go here.

    Raises:
        DataError: Bad input.
        UsageError: If the record of the region is not there, or ends before it.
    """
    region, first, is_there = reading.region, [], reading.region is None

    def wanted() -> Iterator[Record]:
        nonlocal is_there
        for number, record in reading.all_records(paths, warnings):
            if number < N_NAMED:
                first.append(record.id)
            if reading.wants(record):
                is_there = True
                yield record

    found = scan_records(wanted(), lambda record: len(reading.stretch(record)))
    if region is None:
        return found
    if not is_there:
        message = f'there is no record "{region[0]}"; the input begins with {", ".join(first)}.'
        raise UsageError("REGION-001", message, where="--region")
    if found.n_bases < region[2] - region[1]:
        end = region[1] + found.n_bases
        warnings.add("REGION-005", f'the region ends at {region[2]}, but "{region[0]}" has {end} bp: it ends there')
    return found
