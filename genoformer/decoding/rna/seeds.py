"""Where profiles may lie in a sequence: words that fit a stretch of columns well, two of them on one diagonal.

Reference: words in the neighbourhood of a query, and pairs of them on one diagonal, are those of BLAST (Altschul et
al., J. Mol. Biol. 215 (1990) 403, and Nucleic Acids Research 25 (1997) 3389).
"""

from collections.abc import Sequence

import numba
import numpy as np

from genoformer.decoding.rna.alignment import Profile

WORD_BP = 11
LEAST_GAP_COST = 1.5
"""Columns where gaps are frequent are inside no word."""
PAIR_BP, PAIR_SHIFT = 300, 8
"""Two words so near, whose places in the profile agree so well, are a seed."""


def word_table(profiles: Sequence[Profile], least: Sequence[float]) -> np.ndarray:
    """Which column each word fits: 1 + its number, columns of all profiles in a row, 0 for none; int32 [4 ** 11].

    Args:
        profiles: What is looked for.
        least: For each, the natural logarithm of the odds that a word must have.
    """
    table, best = np.zeros(4**WORD_BP, np.int32), np.zeros(4**WORD_BP, np.float32)
    first = 1
    for profile, score in zip(profiles, least, strict=True):
        gaps = np.minimum(profile.insertion, profile.deletion) < LEAST_GAP_COST
        _fill(table, best, profile.scores, gaps, first, np.float32(score))
        first += len(profile)
    return table


def best_word(profile: Profile) -> float:
    """Natural logarithm of the odds of the word that fits a profile best."""
    best = np.concatenate([profile.scores[:, :4].max(axis=1), np.zeros(WORD_BP)])
    return float(np.convolve(best, np.ones(WORD_BP), mode="valid").max())


@numba.njit(cache=True, nogil=True)
def _fill(table, best, scores, gaps, first, least):
    """Enter the words of one profile, each where it fits best."""
    digits, sums, word = np.zeros(WORD_BP, np.int64), np.zeros(WORD_BP + 1, np.float32), np.zeros(WORD_BP + 1, np.int64)
    rest = np.zeros(WORD_BP + 1, np.float32)
    for j in range(len(scores) - WORD_BP + 1):
        if gaps[j : j + WORD_BP - 1].any():
            continue
        for k in range(WORD_BP - 1, -1, -1):
            rest[k] = rest[k + 1] + scores[j + k, :4].max()
        if rest[0] < least:
            continue
        k = 0
        digits[0] = 0
        while k >= 0:
            if digits[k] == 4:
                k -= 1
                if k >= 0:
                    digits[k] += 1
                continue
            sums[k + 1] = sums[k] + scores[j + k, digits[k]]
            word[k + 1] = 4 * word[k] + digits[k]
            if sums[k + 1] + rest[k + 1] < least:
                digits[k] += 1
            elif k + 1 < WORD_BP:
                k += 1
                digits[k] = 0
            else:
                if sums[k + 1] > best[word[k + 1]]:
                    best[word[k + 1]], table[word[k + 1]] = sums[k + 1], first + j
                digits[k] += 1


def word_bits(table: np.ndarray) -> np.ndarray:
    """One bit for each word, whether it stands in the table: what a processor's cache holds, uint8 [4 ** 11 / 8]."""
    return np.packbits(table > 0, bitorder="little")


@numba.njit(cache=True, nogil=True)
def find_words(codes, table, bits):
    """Places of words that stand in the table, and their columns: int64 [2, n], ascending by place.

    Args:
        codes: uint8 base codes, [L].
        table: As ``word_table`` makes it.
        bits: As ``word_bits`` makes them of it.
    """
    found = np.empty((2, 1024), np.int64)
    n, word, known, mask = 0, 0, 0, len(table) - 1
    for i in range(len(codes)):
        if codes[i] < 4:
            word, known = ((word << 2) | np.int64(codes[i])) & mask, known + 1
            if known >= WORD_BP and (bits[word >> 3] >> (word & 7)) & 1:
                if n == found.shape[1]:
                    more = np.empty((2, 2 * n), np.int64)
                    more[:, :n] = found
                    found = more
                found[0, n], found[1, n] = i - WORD_BP + 1, table[word] - 1
                n += 1
        else:
            known = 0
    return found[:, :n]


@numba.njit(cache=True, nogil=True)
def pair_words(places, columns, owners):
    """Numbers of words that have another one of their profile before them, at a like distance in the profile.

    Args:
        places: As ``find_words`` gives them, int64 [n].
        columns: The same.
        owners: Number of the profile of each column.
    """
    found = np.zeros(len(places), np.bool_)
    for i in range(len(places)):
        k = i - 1
        while k >= 0 and places[i] - places[k] <= PAIR_BP:
            distance = places[i] - places[k]
            if distance >= WORD_BP and owners[columns[i]] == owners[columns[k]]:
                if abs(columns[i] - columns[k] - distance) <= PAIR_SHIFT:
                    found[i] = True
                    break
            k -= 1
    return np.flatnonzero(found)
