"""Candidates under two genetic codes at once, as rows that say which of the codes they belong to.

A start of a frame is the same row under both codes where the frame ends at a stop of both: evidence is summed from the
end backwards. So two codes take little more room than the one with the longer frames.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.decoding.candidates import CANDIDATE_DTYPE
from genoformer.decoding.options import CallOptions
from genoformer.decoding.orfs import EDGE_START

OWN, OTHER = 1, 2
"""Bits of ``readings``: a frame of the code that is expected, and one of the other code."""
READ_DTYPE = np.dtype([*CANDIDATE_DTYPE.descr, ("readings", np.int8)])
"""Candidates under two codes: what both have is one row."""


def readings(options: CallOptions) -> Iterator[tuple[int, CallOptions]]:
    """Bit and options of each code that ``options`` ask for."""
    yield OWN, replace(options, other_code=None)
    if options.other_code is not None:
        yield OTHER, replace(options, genetic_code=options.other_code, other_code=None)


def candidate_dtype(options: CallOptions) -> np.dtype:
    """Type of the candidates of a model pass with these options."""
    return CANDIDATE_DTYPE if options.other_code is None else READ_DTYPE


def shared_stops(options: CallOptions) -> np.ndarray:
    """Codons that are a stop under every code that ``options`` ask for, bool [64]."""
    return np.logical_and.reduce([get_genetic_code(own.genetic_code).stop_mask for _, own in readings(options)])


def join_readings(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Candidates of one stretch under two codes as rows of ``READ_DTYPE``.

    Args:
        own: Rows of ``CANDIDATE_DTYPE`` under the code that is expected.
        other: The same under the other one.

    Returns:
        By strand, frame and length, so that the frames of each code are whole.
    """
    rows = np.empty(len(own) + len(other), READ_DTYPE)
    for name in CANDIDATE_DTYPE.names or ():
        rows[name] = np.concatenate((own[name], other[name]))
    rows["readings"][: len(own)], rows["readings"][len(own) :] = OWN, OTHER
    rows = rows[np.lexsort((rows["n_codons"], rows["orf"], -rows["strand"]))]
    again = np.zeros(len(rows), np.bool_)
    again[1:] = (rows["orf"][1:] == rows["orf"][:-1]) & (rows["n_codons"][1:] == rows["n_codons"][:-1])
    rows["readings"][np.flatnonzero(again) - 1] = OWN | OTHER
    return rows[~again]


def read_with(candidates: np.ndarray, genetic_code: int, options: CallOptions) -> np.ndarray:
    """The candidates of one code among those of two, as rows of ``CANDIDATE_DTYPE``.

    Args:
        candidates: Rows of ``READ_DTYPE``.
        genetic_code: NCBI number; starts that it does not have are left out.
        options: Of the model pass.
    """
    bit = OWN if genetic_code == options.genetic_code else OTHER
    starts = np.append(get_genetic_code(genetic_code).start_mask, True)  # the last one is EDGE_START
    own = candidates[(candidates["readings"] & bit > 0) & starts[np.minimum(candidates["kind"], EDGE_START)]]
    rows = np.empty(len(own), CANDIDATE_DTYPE)
    for name in CANDIDATE_DTYPE.names or ():
        rows[name] = own[name]
    return rows
