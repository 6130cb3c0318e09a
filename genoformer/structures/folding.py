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

LEAST_PAIRED, LEAST_ALONE = 1e-6, 1e-3
"""Least that another model is taken to say of a pair, and of a base to have no partner: none is ever quite sure."""


def load_viennarna():
    """The module ``RNA``; UsageError if it is not installed."""
    try:
        return importlib.import_module("RNA")
    except ImportError as error:
        raise UsageError(
            "PAIRS-004", "the prior needs the package ViennaRNA, which is not installed.",
            fix='Install it: pip install "genoformer[structure]".',
        ) from error  # fmt: skip


def fold_probabilities(codes: np.ndarray, said: np.ndarray | None = None, weight: float = 0.0) -> np.ndarray:
    """Probability of every pair in the ensemble of structures at 37 °C, float32 [L, L], symmetric.

    With ``said`` it is a product of two experts: the chance of a structure is that of ViennaRNA, times what the other
    says of the partners of all its bases to the power of ``weight``, normalised over all structures.

    Args:
        codes: uint8 base codes [L]; ambiguous bases pair with nothing.
        said: Pair probabilities of another model, [L, L], symmetric.
        weight: Of the other model; 0 leaves it out, 1 takes its word as for independent evidence.
    """
    rna = load_viennarna()
    folded = rna.fold_compound(_letters(codes))
    if said is not None and weight:
        folded.sc_set_bp(_energies(said, weight * rna.exp_param().kT / 1000).tolist())  # kT is in cal/mol
    _, energy = folded.mfe()
    folded.exp_params_rescale(energy)  # keeps the sums of long sequences in the range of floating-point numbers
    folded.pf()
    upper = np.array(folded.bpp(), np.float32)[1:, 1:]
    return upper + upper.T


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
