"""Spaced words of amino acids, by which even remote relatives know each other."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, diags

from genoformer.annotation.genetic_code import translate
from genoformer.sequence.distinct import distinct

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
UNKNOWN = len(LETTERS)
"""Number of everything else: stop codons, codons with an unknown base. No word touches one."""
PATTERNS = ((0, 1, 3, 4), (0, 1, 3, 5), (0, 2, 4, 5))
"""Places of the letters of a word. Words with gaps survive more substitutions than words without: Ma, Tromp and Li 2002
(PatternHunter, doi:10.1093/bioinformatics/18.3.440)."""
N_WORDS = len(PATTERNS) * len(LETTERS) ** len(PATTERNS[0])
GENETIC_CODE, LEAST = 11, 1e-12
_NUMBERS = np.full(256, UNKNOWN, np.uint8)
_NUMBERS[np.frombuffer(LETTERS.encode(), np.uint8)] = np.arange(len(LETTERS))


def protein_of(codes: np.ndarray) -> np.ndarray:
    """Amino acids of a coding sequence in frame, by number.

    Args:
        codes: uint8 base codes; one or two bases left over at the end are not read.

    Returns:
        uint8 numbers into ``LETTERS``, or ``UNKNOWN``.
    """
    return numbers_of(translate(codes, GENETIC_CODE))


def numbers_of(letters: str) -> np.ndarray:
    """Amino acids by number, of letters; any other letter is ``UNKNOWN``. ValueError if a letter is not ASCII."""
    return _NUMBERS[np.frombuffer(letters.encode("ascii"), np.uint8)]


def letters_of(protein: np.ndarray) -> str:
    """Amino acids as letters, X for what is unknown."""
    return np.frombuffer((LETTERS + "X").encode(), np.uint8)[protein].tobytes().decode()


def words_of(proteins: Sequence[np.ndarray]) -> csr_matrix:
    """Which words each protein has, by however many places.

    Args:
        proteins: From ``protein_of``.

    Returns:
        float32 ones [n, N_WORDS].
    """
    lengths = [len(protein) for protein in proteins]
    gap = 1 + max(map(max, PATTERNS))
    # One long protein; what stands between two of them is unknown, so that no word spans both.
    starts = np.cumsum([0, *(length + gap for length in lengths)])
    joined = np.full(starts[-1], UNKNOWN, np.int64)
    owners = np.repeat(np.arange(len(proteins)), np.diff(starts))
    for start, protein in zip(starts, proteins, strict=False):
        joined[start : start + len(protein)] = protein
    found = [_words_by_pattern(joined, owners, number) for number in range(len(PATTERNS))]
    keys = distinct(np.concatenate([np.empty(0, np.int64), *found]))
    rows, columns = np.divmod(keys, N_WORDS)
    ends = np.searchsorted(rows, np.arange(len(proteins) + 1))
    return csr_matrix((np.ones(len(keys), np.float32), columns, ends), shape=(len(proteins), N_WORDS))


def _words_by_pattern(joined: np.ndarray, owners: np.ndarray, number: int) -> np.ndarray:
    """Words of one pattern as ``owner * N_WORDS + word``, repeats and all."""
    pattern = PATTERNS[number]
    n = max(0, len(joined) - max(pattern))
    word, is_known = np.full(n, number, np.int64), np.full(n, True)
    for place in pattern:
        letters = joined[place : place + n]
        word, is_known = word * len(LETTERS) + letters, is_known & (letters != UNKNOWN)
    return (owners[:n] * N_WORDS + word)[is_known]


class WordIndex:
    """Proteins that others are compared with.

    Args:
        proteins: From ``protein_of``.
    """

    def __init__(self, proteins: Sequence[np.ndarray]) -> None:
        words = words_of(proteins)
        counts = np.bincount(words.indices, minlength=N_WORDS)
        rarity = np.log((1 + len(proteins)) / (1 + counts)) + 1
        self._rarity = rarity.astype(np.float32)
        self._columns = self._weighted(words).T.tocsr()  # [N_WORDS, N]

    def similarity(self, proteins: Sequence[np.ndarray]) -> np.ndarray:
        """Cosine of the words of proteins with those of each of the index, rare ones counting more, float32 [n, N].

        A word counts by the logarithm of how rare it is in the index. Between strangers of usual length it is some .03.
        """
        return (self._weighted(words_of(proteins)) @ self._columns).toarray()

    def _weighted(self, words: csr_matrix) -> csr_matrix:
        """Weights of words, those of each protein of length 1."""
        words.data = self._rarity[words.indices]
        squares = np.add.reduceat(np.append(words.data**2, 0), words.indptr[:-1]) * (np.diff(words.indptr) > 0)
        return diags((1 / np.sqrt(np.maximum(squares, LEAST))).astype(np.float32)).tocsr() @ words
