"""A named sequence, and the digest that says whether two sets of sequences are the same."""

import hashlib
from dataclasses import dataclass

import numpy as np

from genoformer.sequence.alphabet import base_bytes

_DIGEST_BLOCK_BP = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One entry of a file of sequences.

    Attributes:
        id: Name: of FASTA the header up to the first white space, of GenBank and EMBL accession and version.
        codes: uint8 base codes of the forward strand, shape [L].
        description: The header after the id; "" when there is none.
        circular: The file has a place for it, and says that the ends are joined; FASTA has none.
    """

    id: str
    codes: np.ndarray
    description: str = ""
    circular: bool = False

    def __len__(self) -> int:
        return len(self.codes)


class SequenceDigest:
    """SHA-256 over id, length and upper-case bases of records, in the order given.

    File format, line width, compression, case, descriptions and U or T do not change it; ids, order and bases do.
    """

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def update(self, record: Record) -> None:
        """Add one record."""
        # An id holds no NUL and the length is given, so that two different lists never give the same bytes.
        self._sha256.update(f"{record.id}\0{len(record)}\0".encode())
        for start in range(0, len(record), _DIGEST_BLOCK_BP):
            self._sha256.update(base_bytes(record.codes[start : start + _DIGEST_BLOCK_BP]))

    def hexdigest(self) -> str:
        """64 hexadecimal digits for the records so far."""
        return self._sha256.hexdigest()
