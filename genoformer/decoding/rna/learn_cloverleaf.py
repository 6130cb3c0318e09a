"""The cloverleaf of annotated tRNA genes: each is folded by what is known so far, and what stands where is counted.

The first folding knows pairs and a few bases that are the same in all organisms; the counts take their place.
"""

from collections.abc import Sequence

import numpy as np

from genoformer.decoding.rna.cloverleaf import (
    ACCEPTOR,
    ANTICODON_LOOP,
    ANTICODON_STEM,
    BEFORE_ANTICODON,
    BEHIND_ACCEPTOR,
    D_LOOPS,
    D_STEM,
    DISCRIMINATOR,
    LEVITT,
    LOOP_BP,
    SHAPES,
    STEM_BP,
    T_ARM_BP,
    T_LOOP,
    T_STEM,
    VARIABLE,
    VARIABLES,
    Cloverleaf,
    fold_gene,
)

ROUNDS = 3
SLACK_BP = 4
"""How far annotated ends may be off."""
LEAST_WORTH = 8.0
"""Of a folding that is counted."""
LEAST_FOLDED = 0.5
"""Share of the genes that must be folded."""
PSEUDOCOUNT = 4.0
"""Genes that say nothing, for each table of odds."""
FIRST_PAIR = {"AT": 1.2, "TA": 1.2, "GC": 1.4, "CG": 1.4, "GT": 0.3, "TG": 0.3}
OTHER_PAIR = -1.5
FIRST_BASES = {
    BEHIND_ACCEPTOR: "T", ANTICODON_LOOP + 1: "T", T_LOOP: "T", T_LOOP + 1: "T", T_LOOP + 2: "C", T_LOOP + 3: "AG",
    T_LOOP + 4: "A", VARIABLE + 2: "CT",
}  # fmt: skip
"""Bases 8, 33, 54 to 58 and 48."""
FIRST_FIT, FIRST_MISFIT = 1.2, -1.2
"""Natural logarithm: what such bases count before any gene was folded."""
Gene = tuple[np.ndarray, int, int]
"""Base codes of a gene and what lies around it, none above 4, and its first base and one past the last."""


def learn_cloverleaf(genes: Sequence[Gene]) -> Cloverleaf | None:
    """What tRNA genes look like; None where few can be folded: they are something else."""
    unique = list({codes[start:end].tobytes(): (codes, start, end) for codes, start, end in genes}.values())
    leaf = first_cloverleaf()
    for _ in range(ROUNDS):
        folded: list[tuple[np.ndarray, np.ndarray]] = []
        for codes, start, end in unique:
            worth, places = fold_gene(codes, leaf.tables, start, end, SLACK_BP)
            if worth >= LEAST_WORTH:
                folded.append((codes, places))
        if not folded or len(folded) < LEAST_FOLDED * len(unique):
            return None
        leaf = _counted(folded)
    return leaf


def first_cloverleaf() -> Cloverleaf:
    """What is known of all tRNAs: which bases pair, and some that hardly ever differ."""
    tables = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    pair = np.array([[FIRST_PAIR.get(one + other, OTHER_PAIR) for other in "ACGT"] for one in "ACGT"])
    tables["pairs"][:LEVITT, :4, :4] = pair
    for row, letters in FIRST_BASES.items():
        tables["bases"][row, :4] = [FIRST_FIT if letter in letters else FIRST_MISFIT for letter in "ACGT"]
    for loop in range(D_LOOPS[0], D_LOOPS[1] + 1):
        tables["d_loop"][loop, 0, :4] = tables["d_loop"][loop, loop - 1, :4] = [FIRST_FIT, *[FIRST_MISFIT] * 3]
        tables["d_length"][loop] = -abs(loop - 8.5) / 2
    tables["variable_length"][:] = [-abs(n - 5) for n in range(10)] + [-3.0] * (VARIABLES[1] - 9)
    tables["intron"][:] = -6.0
    return Cloverleaf(**tables)


def _counted(folded: Sequence[tuple[np.ndarray, np.ndarray]]) -> Cloverleaf:
    counts = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    for codes, places in folded:
        _count(codes, places.tolist(), counts)
    n, n_introns = len(folded), counts["intron"][0]
    levitt = counts["pairs"][LEVITT, :4, :4]
    tables = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    tables["pairs"][:, :4, :4] = np.log(_shares(counts["pairs"][:, :4, :4], 1 / 16) * 16)
    alone = _shares(levitt.sum(axis=1), 1 / 4)[:, None] * _shares(levitt.sum(axis=0), 1 / 4)
    tables["pairs"][LEVITT, :4, :4] = np.log(_shares(levitt, alone) / alone)
    tables["bases"][:, :4] = np.log(_shares(counts["bases"][:, :4], 1 / 4, axes=(1,)) * 4)
    tables["d_loop"][..., :4] = np.log(_shares(counts["d_loop"][..., :4], 1 / 4, axes=(2,)) * 4)
    # Lengths are compared with all being alike, so that longer searches find no more by chance.
    tables["d_length"] = np.log((counts["d_length"] + 0.5) / (n + 5))
    tables["variable_length"] = np.log((counts["variable_length"] + 0.5) / (n + 10))
    tables["intron"][0] = np.log((n_introns + 0.5) / (n + 1)) - np.log(100)
    return Cloverleaf(**{name: table.astype(np.float32) for name, table in tables.items()})


def _shares(counts: np.ndarray, expected: float | np.ndarray, axes: tuple[int, ...] = ()) -> np.ndarray:
    axes = axes or tuple(range(max(counts.ndim - 2, 0), counts.ndim))
    return (counts + PSEUDOCOUNT * expected) / (counts.sum(axis=axes, keepdims=True) + PSEUDOCOUNT)


def _count(codes: np.ndarray, places: Sequence[int], counts: dict[str, np.ndarray]) -> None:
    """Add one gene to the counts."""
    start, _, begin, first, loop, intron, variable, arm = places
    last = arm - variable - 1
    pairs, bases = counts["pairs"], counts["bases"]
    stems = (
        (ACCEPTOR, 7, start, arm + T_ARM_BP + 6), (D_STEM, 4, begin, first - 2), (ANTICODON_STEM, STEM_BP, first, last),
        (T_STEM, STEM_BP, arm, arm + T_ARM_BP - 1), (LEVITT, 1, begin + 5, arm - 1),
    )  # fmt: skip
    for row, n, five, three in stems:
        for k in range(n):
            pairs[row + k, codes[five + k], codes[three - k]] += 1
    runs = (
        (BEHIND_ACCEPTOR, 2, begin - 2), (BEFORE_ANTICODON, 1, first - 1), (ANTICODON_LOOP, 6, first + STEM_BP),
        (ANTICODON_LOOP + 6, 1, first + STEM_BP + 6 + intron), (T_LOOP, LOOP_BP, arm + STEM_BP),
        (DISCRIMINATOR, 1, arm + T_ARM_BP + 7), (VARIABLE, 2, arm - variable), (VARIABLE + 2, 1, arm - 1),
    )  # fmt: skip
    for row, n, at in runs:
        for k in range(n):
            bases[row + k, codes[at + k]] += 1
    for k in range(loop):
        counts["d_loop"][loop, k, codes[begin + 4 + k]] += 1
    counts["d_length"][loop] += 1
    counts["variable_length"][variable] += 1
    counts["intron"][0] += intron > 0
