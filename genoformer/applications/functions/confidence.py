"""How sure a label of a gene must be: the probability from which on labels were right on the validation part."""

from typing import Any

from genoformer.errors import DataError, WarningLog

PRECISION = 0.8
"""Share of the labels that must be right on the validation part, from the threshold on."""
MIN_LABELS = 10
"""Fewer labels than this show no precision."""
USUAL_MIN_SCORE = 0.5
"""Of models whose training stored no threshold: more probable than not."""
MIN_SCORE = "min_score"
"""Entry of the calibration: the threshold, or None where no one reaches ``PRECISION``."""


def min_score_of(calibration: dict[str, Any], name: str, given: float | None, warnings: WarningLog) -> float | None:
    """The probability from which on a gene gets a label; None if no label is sure enough.

    Args:
        calibration: Of the function model.
        name: Of the model.
        given: What the user wants; None for what validation says.
        warnings: Gets a line where validation says nothing, or that nothing is sure.

    Raises:
        DataError: If the calibration holds something else.
    """
    if given is not None:
        return given
    if MIN_SCORE not in calibration:
        warnings.add(
            "FUNCTION-101", f'model "{name}" has no threshold of its own; labels below a probability of '
            f"{USUAL_MIN_SCORE} are left out. Choose another one with --min-score.",
        )  # fmt: skip
        return USUAL_MIN_SCORE
    stored = calibration[MIN_SCORE]
    if stored is None:
        warnings.add(
            "FUNCTION-102", f'model "{name}": no probability was high enough for a precision of {PRECISION} on '
            "its validation part, so no gene gets a label. Say with --min-score how sure is enough for you.",
        )  # fmt: skip
    elif isinstance(stored, bool) or not isinstance(stored, int | float) or not 0 <= stored <= 1:
        message = f'calibration.json: expected "{MIN_SCORE}" from 0 to 1 or null, found {str(stored)[:60]}.'
        raise DataError("MODEL-003", message, where=name)
    return stored


def is_sure(probability: float, min_score: float | None) -> bool:
    """Whether a label of this probability is said."""
    return min_score is not None and probability >= min_score
