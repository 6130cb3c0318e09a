"""Candidates of many short records in one table: in coordinates in which the records lie one behind the other.

They lie so far apart that none says anything of another, so that a table is looked at once for all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genoformer.decoding.candidates import CANDIDATE_DTYPE
from genoformer.decoding.neighbours import REACH_BP

APART_BP = 2 * REACH_BP


@dataclass(frozen=True)
class JoinedRecords:
    """Candidates of several records.

    Attributes:
        rows: Rows of ``CANDIDATE_DTYPE`` in joined coordinates, those of a record together, in order.
        record: Number of each row's record, int64 [N].
        begins: Where each record begins, int64 [R].
        ends: Where each ends.
    """

    rows: np.ndarray
    record: np.ndarray
    begins: np.ndarray
    ends: np.ndarray


def join(lengths: Sequence[int], candidates: Sequence[np.ndarray]) -> JoinedRecords:
    """One table of the candidates of several records.

    Args:
        lengths: Of the records, in bp.
        candidates: Rows of each, in its own coordinates.
    """
    sizes = np.array(lengths, np.int64)
    begins = np.cumsum(sizes + APART_BP) - sizes - APART_BP
    rows = np.concatenate([np.empty(0, CANDIDATE_DTYPE), *candidates])
    record = np.repeat(np.arange(len(sizes)), [len(own) for own in candidates])
    shift = begins[record]
    rows["start"] += shift
    rows["end"] += shift
    rows["orf"] += 2 * shift  # twice a coordinate, and the strand
    return JoinedRecords(rows, record, begins, begins + sizes)
