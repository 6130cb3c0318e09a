"""The cloverleaf of a tRNA: stems, loops and bases that are nearly always the same, each with log-odds, and the search.

Bases have the numbers of Sprinzl et al., Nucleic Acids Research 26 (1998) 148. A gene reads: acceptor stem 1-7, bases 8
and 9, D arm 10-25 (a stem of 4 pairs, a loop of 5 to 12), base 26, anticodon arm 27-43 (5 pairs, a loop of 7, an intron
behind base 37 where there is one), a variable region of 3 to 24, T arm 49-65 (5 pairs, a loop of 7), acceptor stem
66-72, base 73. The search begins with the T arm and goes on outwards, as ARAGORN does (Laslett and Canback, Nucleic
Acids Research 32 (2004) 11). Sums of log-odds over signals go back to Pavesi et al., Nucleic Acids Research 22 (1994)
1247, odds of bases that pair to Eddy and Durbin, Nucleic Acids Research 22 (1994) 2079.
"""

from dataclasses import dataclass, fields

import numba
import numpy as np

ACCEPTOR, D_STEM, ANTICODON_STEM, T_STEM, LEVITT = 0, 7, 11, 16, 21
"""First row of ``pairs`` of each stem; the last row is of 15 and 48, which touch in the folded molecule."""
N_PAIRS = 22
BEHIND_ACCEPTOR, BEFORE_ANTICODON, ANTICODON_LOOP, T_LOOP, DISCRIMINATOR, VARIABLE = 0, 2, 3, 10, 17, 18
"""First row of ``bases``: of 8 and 9, of 26, of the loops, of 73, of the first two and the last one of the
variable region."""
N_BASES = 21
LOOP_BP, T_ARM_BP, STEM_BP = 7, 17, 5
D_LOOPS, VARIABLES = (5, 12), (3, 24)
"""Least and greatest length of the D loop and of the variable region."""
INTRONS = (8, 150)
"""Least and greatest length of an intron in the anticodon loop, in bp: those of archaea."""
LEAST_T_ARM, LEAST_T_ARM_OF_INTRON = -2.0, 5.0
"""What a T arm must be worth to be looked at, and to be tried with introns."""
LEAST_ANTICODON_ARM, LEAST_STEM_OF_INTRON = -4.0, 3.0
"""What an anticodon arm must be worth, and the stem of one with an intron."""
PLACES = 8
"""Of a cloverleaf: start, end, first base of the D arm and of the anticodon arm, length of the D loop, of the intron
and of the variable region, first base of the T arm."""


@dataclass(frozen=True)
class Cloverleaf:
    """Log-odds of what stands where; a base that is not known, the last one, has 0 everywhere.

    Attributes:
        pairs: Of stems, float32 [22, 5, 5].
        bases: Of single bases, float32 [21, 5].
        d_loop: Of the bases of D loops, by the length of the loop, float32 [13, 12, 5].
        d_length: Of lengths of D loops, float32 [13].
        variable_length: Of lengths of variable regions, float32 [25].
        intron: Of an intron of any length, float32 [1].
    """

    pairs: np.ndarray
    bases: np.ndarray
    d_loop: np.ndarray
    d_length: np.ndarray
    variable_length: np.ndarray
    intron: np.ndarray

    @property
    def tables(self) -> tuple[np.ndarray, ...]:
        """All of them, in the order of the search."""
        return tuple(getattr(self, field.name) for field in fields(self))


SHAPES = {
    "pairs": (N_PAIRS, 5, 5), "bases": (N_BASES, 5), "d_loop": (D_LOOPS[1] + 1, D_LOOPS[1], 5),
    "d_length": (D_LOOPS[1] + 1,), "variable_length": (VARIABLES[1] + 1,), "intron": (1,),
}  # fmt: skip
"""Of the tables."""


@numba.njit(cache=True, nogil=True, inline="always")
def _stem(codes, pairs, row, n, five, three):
    """Log-odds of n pairs: from base ``five`` on upwards, and from base ``three`` on downwards."""
    value = np.float32(0)
    for k in range(n):
        value += pairs[row + k, codes[five + k], codes[three - k]]
    return value


@numba.njit(cache=True, nogil=True, inline="always")
def _run(codes, bases, row, n, first):
    value = np.float32(0)
    for k in range(n):
        value += bases[row + k, codes[first + k]]
    return value


@numba.njit(cache=True, nogil=True)
def t_loops(bases):
    """Log-odds of every word as T loop, float32 [4 ** 7]."""
    found = np.empty(4**LOOP_BP, np.float32)
    for word in range(4**LOOP_BP):
        value = np.float32(0)
        for k in range(LOOP_BP):
            value += bases[T_LOOP + k, (word >> (2 * (LOOP_BP - 1 - k))) & 3]
        found[word] = value
    return found


@numba.njit(cache=True, nogil=True)
def find_leaves(codes, loops, tables, least):
    """The best cloverleaf on each T arm that is good enough.

    Args:
        codes: uint8 base codes, none above 4, [L].
        loops: As ``t_loops`` gives them.
        tables: Those of a ``Cloverleaf``.
        least: What a cloverleaf must be worth.

    Returns:
        What each is worth, float32 [n], and its ``PLACES``, int64 [n, 8], ascending by T arm.
    """
    pairs, bases = tables[0], tables[1]
    worths, places, n = np.empty(256, np.float32), np.empty((256, PLACES), np.int64), 0
    word, known, mask = 0, 0, 4**LOOP_BP - 1
    stem_most = np.float32(0)
    for k in range(STEM_BP):
        stem_most += pairs[T_STEM + k].max()
    for i in range(len(codes) - STEM_BP - LOOP_BP - 1):
        if codes[i] > 3:
            known = 0
            continue
        word, known = ((word << 2) | np.int64(codes[i])) & mask, known + 1
        arm = i - LOOP_BP - STEM_BP + 1
        if known < LOOP_BP or arm < 0 or loops[word] + stem_most < LEAST_T_ARM:
            continue
        value = loops[word] + _stem(codes, pairs, T_STEM, STEM_BP, arm, arm + T_ARM_BP - 1)
        if value < LEAST_T_ARM:
            continue
        value += bases[DISCRIMINATOR, codes[arm + T_ARM_BP + 7]] if arm + T_ARM_BP + 7 < len(codes) else 0
        worth = _leaf(codes, arm, value, tables, places[n], 0, INTRONS[1])
        if worth >= least:
            worths[n] = worth
            n += 1
            if n == len(worths):
                worths, places = np.concatenate((worths, worths)), np.concatenate((places, places))
    return worths[:n], places[:n]


@numba.njit(cache=True, nogil=True)
def _leaf(codes, arm, value, tables, place, least_start, longest_intron):
    """What the best cloverleaf on a T arm is worth; it is written to ``place``.

    Args:
        codes: uint8 base codes.
        arm: First base of the T arm.
        value: What the arm is worth.
        tables: Those of a ``Cloverleaf``.
        place: Gets its ``PLACES``, int64 [8].
        least_start: The gene begins there or later.
        longest_intron: In bp, 0 for none.
    """
    pairs, bases, d_loop, d_length, variable_length, intron = tables
    best = np.float32(-1e9)
    if arm + T_ARM_BP + 7 > len(codes):
        return best
    for variable in range(VARIABLES[0], VARIABLES[1] + 1):
        last = arm - variable - 1  # base 43
        around = value + variable_length[variable]
        around += bases[VARIABLE, codes[arm - variable]] + bases[VARIABLE + 1, codes[arm - variable + 1]]
        around += bases[VARIABLE + 2, codes[arm - 1]]
        most = longest_intron if value >= LEAST_T_ARM_OF_INTRON else 0
        for between in range(INTRONS[0] - 1, max(most + 1, INTRONS[0])):
            gap = 0 if between < INTRONS[0] else between
            first = last - T_ARM_BP + 1 - gap  # base 27
            if first - 1 - (8 + D_LOOPS[0]) - 9 < least_start:
                break
            stem = _stem(codes, pairs, ANTICODON_STEM, STEM_BP, first, last)
            if gap and stem < LEAST_STEM_OF_INTRON:
                continue
            own = stem + _run(codes, bases, ANTICODON_LOOP, 6, first + STEM_BP)
            own += bases[ANTICODON_LOOP + 6, codes[first + STEM_BP + 6 + gap]]
            if own < LEAST_ANTICODON_ARM:
                continue
            own += around + bases[BEFORE_ANTICODON, codes[first - 1]]
            own += intron[0] if gap else np.float32(0)
            for loop in range(D_LOOPS[0], D_LOOPS[1] + 1):
                begin = first - 1 - (8 + loop)  # base 10
                start = begin - 9
                if start < least_start:
                    break
                whole = own + d_length[loop] + _stem(codes, pairs, D_STEM, 4, begin, first - 2)
                for k in range(loop):
                    whole += d_loop[loop, k, codes[begin + 4 + k]]
                whole += pairs[LEVITT, codes[begin + 5], codes[arm - 1]]
                whole += bases[BEHIND_ACCEPTOR, codes[begin - 2]] + bases[BEHIND_ACCEPTOR + 1, codes[begin - 1]]
                whole += _stem(codes, pairs, ACCEPTOR, 7, start, arm + T_ARM_BP + 6)
                if whole > best:
                    best = whole
                    place[0], place[1], place[2], place[3] = start, arm + T_ARM_BP + 8, begin, first
                    place[4], place[5], place[6], place[7] = loop, gap, variable, arm
    return best


@numba.njit(cache=True, nogil=True)
def fold_gene(codes, tables, start, end, slack):
    """The best cloverleaf of a gene whose ends are known about.

    Args:
        codes: uint8 base codes of the gene and what lies around it.
        tables: Those of a ``Cloverleaf``.
        start: First base of the gene.
        end: One past the last.
        slack: How far its ends may lie from these.

    Returns:
        What it is worth, and its ``PLACES``, int64 [8].
    """
    pairs, bases = tables[0], tables[1]
    best, found, place = np.float32(-1e9), np.zeros(PLACES, np.int64), np.zeros(PLACES, np.int64)
    for arm in range(end - slack - 3 - T_ARM_BP - 8, end + slack - T_ARM_BP - 7):
        if arm < 40 or arm + T_ARM_BP + 8 > len(codes):
            continue
        value = _stem(codes, pairs, T_STEM, STEM_BP, arm, arm + T_ARM_BP - 1)
        value += _run(codes, bases, T_LOOP, LOOP_BP, arm + STEM_BP) + bases[DISCRIMINATOR, codes[arm + T_ARM_BP + 7]]
        longest = min(INTRONS[1], end - start - 65)
        worth = _leaf(codes, arm, value, tables, place, max(start - slack, 0), longest)
        worth -= max(abs(place[0] - start) - 1, 0)
        if worth > best and place[0] <= start + slack:
            best = worth
            found[:] = place
    return best, found
