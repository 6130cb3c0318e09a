"""Simple models of secondary structure: the majority, and linear models of a window of codons or amino acids."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

from genoformer.annotation.genetic_code import codon_indices, get_genetic_code
from genoformer.tasks.codon_structure import IGNORED

WINDOW = 15
"""Codons that a linear model sees, as the window of published ones."""
N_CODONS = 64
OUTSIDE = N_CODONS
"""Index of codons beyond the ends, and of those with an unknown base."""
LOWEST = 1e-9

Outputs = Callable[[np.ndarray], np.ndarray]
"""From uint8 base codes of a coding sequence to log-probabilities of the states [T, C]."""


def fit_majority(states: Sequence[np.ndarray], n_states: int) -> Outputs:
    """The shares of the states among all codons of the training part."""
    counts = np.bincount(np.concatenate(states)[np.concatenate(states) != IGNORED], minlength=n_states)
    shares = np.log(np.maximum(counts / counts.sum(), LOWEST))
    return lambda codes: np.tile(shares, (len(codes) // 3, 1))


def fit_window(codes: Sequence[np.ndarray], states: Sequence[np.ndarray], seed: int, *, amino_acids: bool) -> Outputs:
    """Logistic regression on the codons, or amino acids, around each codon, one-hot by place.

    Args:
        codes: uint8 base codes of each training sequence.
        states: Numbers of the states of each.
        seed: Of the order of the examples.
        amino_acids: Read codons as amino acids.
    """
    symbols = amino_acid_numbers() if amino_acids else np.arange(N_CODONS + 1)
    known = np.concatenate(states)
    features = window_features(codes, symbols)
    model = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=15, random_state=seed, average=True)
    model.fit(features[known != IGNORED], known[known != IGNORED])
    return lambda sequence: np.log(np.maximum(model.predict_proba(window_features([sequence], symbols)), LOWEST))


def window_features(codes: Sequence[np.ndarray], symbols: np.ndarray) -> csr_matrix:
    """One column for each symbol at each place of the window, float32 [all codons, WINDOW * symbols].

    Args:
        codes: uint8 base codes of each sequence; windows end at its ends.
        symbols: Symbol of each codon index, the last one for codons outside.
    """
    half, n_symbols = WINDOW // 2, int(symbols.max()) + 1
    windows = []
    for sequence in codes:
        codons = codon_indices(sequence)
        padded = np.pad(np.where(codons < 0, OUTSIDE, codons), half, constant_values=OUTSIDE)
        windows.append(np.lib.stride_tricks.sliding_window_view(symbols[padded], WINDOW))
    columns = np.concatenate(windows) + n_symbols * np.arange(WINDOW)
    n = len(columns)
    ones = np.ones(columns.size, np.float32)
    places = np.arange(0, columns.size + 1, WINDOW)
    return csr_matrix((ones, columns.ravel(), places), shape=(n, n_symbols * WINDOW))


def amino_acid_numbers() -> np.ndarray:
    """Number of the amino acid of each codon index, int64 [65]; codons outside have one of their own."""
    letters = get_genetic_code(1).aa
    kinds = sorted(set(letters))
    return np.array([*(kinds.index(letter) for letter in letters), len(kinds)])
