"""Pair probabilities of ViennaRNA, an optional package: nearest-neighbour energies without any training of ours.

Reference: Lorenz et al. 2011, ViennaRNA Package 2.0, Algorithms for Molecular Biology 6:26.
"""

import importlib

import numpy as np

from genoformer.errors import UsageError
from genoformer.sequence.alphabet import decode_bases
from genoformer.structures.dot_bracket import parse_dot_bracket

LOWEST_PROBABILITY = 1e-4
"""Added to a probability before its logarithm is taken."""


def load_viennarna():
    """The module ``RNA``; UsageError if it is not installed."""
    try:
        return importlib.import_module("RNA")
    except ImportError as error:
        raise UsageError(
            "PAIRS-004", "the prior needs the package ViennaRNA, which is not installed.",
            fix='Install it: pip install "genoformer[structure]".',
        ) from error  # fmt: skip


def fold_probabilities(codes: np.ndarray) -> np.ndarray:
    """Probability of every pair in the ensemble of structures at 37 °C, float32 [L, L], symmetric.

    Args:
        codes: uint8 base codes [L]; ambiguous bases pair with nothing.
    """
    rna = load_viennarna()
    folded = rna.fold_compound(_letters(codes))
    _, energy = folded.mfe()
    folded.exp_params_rescale(energy)  # keeps the sums of long sequences in the range of floating-point numbers
    folded.pf()
    upper = np.array(folded.bpp(), np.float32)[1:, 1:]
    return upper + upper.T


def fold_structure(codes: np.ndarray) -> np.ndarray:
    """Partners in the structure of minimum free energy, int64 [L]: what RNAfold prints."""
    structure, _ = load_viennarna().fold(_letters(codes))
    return parse_dot_bracket(structure)


def mix_probabilities(said: np.ndarray, folded: np.ndarray, weight: float) -> np.ndarray:
    """Weighted geometric mean of two sets of pair probabilities; a base's partners never sum to more than 1.

    Where one of the two is sure that there is no pair, the other can still say that there is.

    Args:
        said: Of a network, [L, L].
        folded: Of ViennaRNA, [L, L].
        weight: Of the network, 0 to 1.
    """
    logs = weight * np.log(said + LOWEST_PROBABILITY) + (1 - weight) * np.log(folded + LOWEST_PROBABILITY)
    return np.maximum(0.0, np.exp(logs) - LOWEST_PROBABILITY)


def _letters(codes: np.ndarray) -> str:
    return "".join(letter if letter in "ACGT" else "N" for letter in decode_bases(codes)).replace("T", "U")
