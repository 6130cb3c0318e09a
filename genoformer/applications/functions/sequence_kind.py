"""What kind of sequence a model has learned from, and whether genes are of that kind."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from genoformer.bundle.header import BundleHeader
from genoformer.errors import DataError, WarningLog
from genoformer.sequence.alphabet import encode_bases

SEQUENCES = "sequences"
"""Entry of the calibration."""
MIN_CODING = 0.5
"""Of coding sequences most begin with a start codon and have no stop codon inside; of others hardly any."""
SHORTEST_GENE = 90
"""bp: a model that reads less than the shortest predicted gene is none of genes."""
STARTS, STOPS = ("ATG", "GTG", "TTG"), ("TAA", "TAG")
"""Codons that start in most genetic codes, and that stop in nearly all."""


def describe_sequences(sequences: Sequence[np.ndarray]) -> dict[str, Any]:
    """What a bundle notes of its training sequences.

    Args:
        sequences: uint8 base codes of each, as the model reads them (cut to its longest).

    Returns:
        JSON types: number "n"; shortest, median and longest "length_bp"; lowest and highest "gc"; and "coding", the
        share that begins with a start codon and has no stop codon before its last one.
    """
    lengths = np.array([len(codes) for codes in sequences])
    gc = [gc_of(codes) for codes in sequences]
    return {
        "n": len(sequences),
        "length_bp": [int(lengths.min()), int(np.median(lengths)), int(lengths.max())],
        "gc": [round(min(gc), 4), round(max(gc), 4)],
        "coding": round(float(np.mean([reads_as_gene(codes) for codes in sequences])), 4),
    }


def read_sequences(calibration: dict[str, Any], name: str) -> dict[str, Any] | None:
    """What ``describe_sequences`` noted, from the calibration of the model of this name; None if there is nothing.

    Raises:
        DataError: If it is something else.
    """
    stored = calibration.get(SEQUENCES)
    if stored is None:
        return None
    try:
        (shortest, median, longest), (low, high) = map(int, stored["length_bp"]), map(float, stored["gc"])
        coding = float(stored["coding"])
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        message = f'calibration.json holds no "{SEQUENCES}" that can be used ({type(error).__name__}: {error}).'
        raise DataError("MODEL-003", message, where=name) from error
    return {"length_bp": [shortest, median, longest], "gc": [low, high], "coding": coding}


def gc_of(codes: np.ndarray) -> float:
    """Share of G and C among the known bases; 0 where there is none."""
    known = codes < 4
    return float(np.mean((codes[known] == 1) | (codes[known] == 2))) if known.any() else 0.0


def reads_as_gene(codes: np.ndarray) -> bool:
    """Whether a sequence begins with a start codon and has no stop codon before its last whole codon."""
    codons = codes[: len(codes) // 3 * 3].reshape(-1, 3)  # [n, 3]
    if len(codons) < 2:
        return False
    return bool(_is_one_of(codons[:1], STARTS).any() and not _is_one_of(codons[:-1], STOPS).any())


def _is_one_of(codons: np.ndarray, words: tuple[str, ...]) -> np.ndarray:
    return np.any([(codons == encode_bases(word)).all(axis=1) for word in words], axis=0)


def check_reads_genes(header: BundleHeader, calibration: dict[str, Any], warnings: WarningLog) -> None:
    """Refuse a model that has learned from something else than coding sequences.

    Args:
        header: The model of functions.
        calibration: Its calibration.
        warnings: Gets a line where a model gives a hint, but does not say.

    Raises:
        DataError: If its training sequences were no coding sequences, it reads less than a gene, or nobody can say.
    """
    known, options = read_sequences(calibration, header.name), header.config.options
    reason = ""
    if known is not None and known["coding"] < MIN_CODING:
        low, _, high = known["length_bp"]
        reason = f"of its training sequences ({low:,} to {high:,} bp) {known['coding']:.0%} read as genes"
    elif isinstance(options.get("max_bp"), int) and options["max_bp"] < SHORTEST_GENE:
        reason = f"it reads {options['max_bp']} bp of a sequence, which is no gene"
    if reason:
        raise DataError(
            "FUNCTION-004", f"{reason}: what it would say of genes means nothing.", where=header.name,
            fix="Train a model on coding sequences, or use predict with this one on sequences of its kind.",
        )  # fmt: skip
    if known is None and options.get("strands") == "average":
        warnings.add(
            "FUNCTION-103", f'model "{header.name}" reads both strands alike, as those of promoters do, and does not '
            "say what it was trained on: it may not be made for genes.",
        )  # fmt: skip


def note_unfamiliar(name: str, codes: np.ndarray, max_bp: int, known: dict[str, Any], warnings: WarningLog) -> None:
    """Count a gene whose length or share of G and C no training sequence had.

    Args:
        name: Of the gene.
        codes: uint8 base codes of its coding sequence.
        max_bp: Bases that the model reads.
        known: From ``describe_sequences``.
        warnings: Counts it.
    """
    shortest, _, longest = known["length_bp"]
    length, gc, (low, high) = min(len(codes), max_bp), gc_of(codes), known["gc"]
    if not shortest <= length <= longest:
        message = f"{name} has {len(codes):,} bp, training sequences {shortest:,} to {longest:,}."
        warnings.add("FUNCTION-104", message)
    if not low <= gc <= high:
        warnings.add("FUNCTION-105", f"{name} has {gc:.0%} G and C, training sequences {low:.0%} to {high:.0%}.")
