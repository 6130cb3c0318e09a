"""Pair probabilities of ViennaRNA, an optional package: nearest-neighbour energies without any training of ours.

Another model has its say as an energy that every pair adds, so that what comes out are still probabilities over whole
structures.

References: Lorenz et al. 2011, ViennaRNA Package 2.0, Algorithms for Molecular Biology 6:26; Lorenz et al. 2016, RNA
folding with hard and soft constraints, Algorithms for Molecular Biology 11:8.
"""

import importlib

import numpy as np

from genoformer.errors import UsageError
from genoformer.sequence.alphabet import decode_bases
from genoformer.structures.dot_bracket import parse_dot_bracket
from genoformer.structures.pair_list import PairList, PairProbabilities, shortened

LEAST_PAIRED, LEAST_ALONE = 1e-6, 1e-3
"""Least that another model is taken to say of a pair, and of a base to have no partner: none is ever quite sure."""
WHOLE_BP = 1024
"""What is folded of longer sequences is a list of pairs."""
COMPLEMENTS = {0: [3], 1: [2], 2: [1, 3], 3: [0, 2]}
"""Codes of the bases that pair with A, C, G and U."""
LEAST_LISTED = 1e-5
"""Pairs of a list are as probable as this."""


def load_viennarna():
    """The module ``RNA``; UsageError if it is not installed."""
    try:
        return importlib.import_module("RNA")
    except ImportError as error:
        raise UsageError(
            "PAIRS-004", "the prior needs the package ViennaRNA, which is not installed.",
            fix='Install it: pip install "genoformer[structure]".',
        ) from error  # fmt: skip


def fold_probabilities(
    codes: np.ndarray, said: PairProbabilities | None = None, weight: float = 0.0
) -> PairProbabilities:
    """Probability of every pair in the ensemble of structures at 37 °C.

    With ``said`` it is a product of two experts: the chance of a structure is that of ViennaRNA, times what the other
    says of the partners of all its bases to the power of ``weight``, normalised over all structures.

    Args:
        codes: uint8 base codes [L]; ambiguous bases pair with nothing.
        said: Pair probabilities of another model, [L, L], symmetric, or a list of pairs.
        weight: Of the other model; 0 leaves it out, 1 takes its word as for independent evidence.

    Returns:
        float32 [L, L], symmetric; a list for more than ``WHOLE_BP`` bases and where ``said`` is one. Memory is
        ViennaRNA's own and grows with L², time with more than that; see docs/tasks/rna_pairs.md.
    """
    folded = _prepared(codes, said, weight)
    is_list = isinstance(said, PairList) or len(codes) > WHOLE_BP
    # What the minimum of the energy was found with would stay in memory beside what the ensemble needs.
    _, energy = (_prepared(codes, said, weight) if is_list else folded).mfe()
    folded.exp_params_rescale(energy)  # keeps the sums of long sequences in the range of floating-point numbers
    folded.pf()
    if is_list:
        return _list_of(folded, len(codes))
    upper = np.array(folded.bpp(), np.float32)[1:, 1:]
    return upper + upper.T


def _prepared(codes: np.ndarray, said: PairProbabilities | None, weight: float):
    """A sequence as ViennaRNA folds it, with what another model says as energies."""
    rna = load_viennarna()
    folded = rna.fold_compound(_letters(codes))
    if said is not None and weight:
        scale = weight * rna.exp_param().kT / 1000  # kT is in cal/mol
        if isinstance(said, PairList):
            _add_energies(folded, codes, said, scale)
        else:
            folded.sc_set_bp(_energies(said, scale).tolist())
    return folded


def _list_of(folded, length: int) -> PairList:
    """The pairs of an ensemble; a matrix of Python's numbers would take a gigabyte for 5,000 bases."""
    found = [(pair.i - 1, pair.j - 1, pair.p) for pair in folded.plist_from_probs(LEAST_LISTED) if pair.type == 0]
    found.sort()
    rows = np.array(found, np.float64).reshape(-1, 3)
    return shortened(rows[:, :2].astype(np.int32), rows[:, 2].astype(np.float32), length)


def _add_energies(folded, codes: np.ndarray, said: PairList, scale: float) -> None:
    """What every possible pair adds to the energy of a structure, kcal/mol, row by row; see ``_energies``.

    Of pairs that are not in the list each base is taken to say the mean of these.
    """
    alone = np.log(np.maximum(said.alone, LEAST_ALONE))
    others = np.log((0.0 if said.rest is None else said.rest) + LEAST_PAIRED + np.zeros(len(said)))
    starts = np.searchsorted(said.pairs[:, 0], np.arange(len(said) + 1))
    for i in range(len(said)):
        odds = others[i] + others
        mine = slice(starts[i], starts[i + 1])
        odds[said.pairs[mine, 1]] = 2 * np.log(said.probability[mine].astype(np.float64) + LEAST_PAIRED)
        energies = -scale * (odds - alone[i] - alone)
        partners = i + np.flatnonzero(np.isin(codes[i:], COMPLEMENTS.get(int(codes[i]), [])))
        for j in partners.tolist():
            folded.sc_add_bp(i + 1, j + 1, energies[j])


def _energies(said: np.ndarray, scale: float) -> np.ndarray:
    """What every pair adds to the energy of a structure, kcal/mol, 1-based as ViennaRNA has it, [L + 1, L + 1].

    The logarithm of what its two bases say of each other, against what they say of being without a partner.
    """
    alone = np.log(np.maximum(1.0 - said.sum(axis=1), LEAST_ALONE))
    odds = 2 * np.log(said + LEAST_PAIRED) - alone[:, None] - alone[None, :]
    return np.pad(-scale * odds.astype(np.float64), ((1, 0), (1, 0)))


def fold_structure(codes: np.ndarray) -> np.ndarray:
    """Partners in the structure of minimum free energy, int64 [L]: what RNAfold prints."""
    structure, _ = load_viennarna().fold(_letters(codes))
    return parse_dot_bracket(structure)


def _letters(codes: np.ndarray) -> str:
    return "".join(letter if letter in "ACGT" else "N" for letter in decode_bases(codes)).replace("T", "U")
