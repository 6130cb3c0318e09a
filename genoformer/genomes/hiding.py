"""Hide runs of bases from a model that learns to tell them: in base space, so that no overlapping k-mer shows them.

A base is hidden when every token that covers it is hidden. Runs stand so far apart that none hides the context of
another. In training, 80 % of the runs are MASK tokens, 10 % are other bases, read as they would be, and 10 % stay: a
model that is used later sees no MASK (Devlin et al. 2019, section 3.1).
"""

from collections.abc import Sequence

import numpy as np

from genoformer.annotation.tracks import MASKED
from genoformer.sequence.kmers import MASK_ID, KmerTokenizer

NOT_HIDDEN = MASKED
"""Label of a base that is not asked for; that of the bases behind the end of a crop as well."""
MASK, REDRAW, KEEP = range(3)
TRAINING_ACTIONS = (0.8, 0.1, 0.1)
N_KNOWN = 4


def place_runs(
    codes: np.ndarray, tokenizer: KmerTokenizer, *, share: float, run_bp: Sequence[int], generator: np.random.Generator
) -> np.ndarray:
    """Runs at random places, in order.

    Args:
        codes: uint8 base codes [L].
        tokenizer: The model's tokenizer.
        share: Of the bases in runs; fewer where runs would come nearer than 2 k to each other.
        run_bp: Lengths, drawn evenly.
        generator: Source of randomness.

    Returns:
        int64 [n, 2]: start and end of each. Neither a run nor the k bases beside it hold an unknown base.
    """
    k, runs = tokenizer.k, []
    unknown = np.concatenate(([0], np.cumsum(codes >= N_KNOWN)))
    position = int(generator.integers(0, 2 * k))
    while position < len(codes):
        length = run_bp[int(generator.integers(len(run_bp)))]
        end = position + length
        if end > len(codes):
            break
        if unknown[min(end + k, len(codes))] == unknown[max(0, position - k)]:
            runs.append((position, end))
        position = end + max(2 * k, round(generator.exponential(length / share - length)))
    return np.array(runs, dtype=np.int64).reshape(-1, 2)


def hide_runs(
    codes: np.ndarray, lookahead: np.ndarray, runs: np.ndarray, actions: np.ndarray, tokenizer: KmerTokenizer,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Tokens of a sequence in which runs are hidden, and what was there.

    Args:
        codes: uint8 base codes [L]; left unchanged.
        lookahead: The bases that follow in the record.
        runs: From ``place_runs``.
        actions: ``MASK``, ``REDRAW`` or ``KEEP`` for each run.
        tokenizer: The model's tokenizer.
        generator: Source of the redrawn bases.

    Returns:
        Token ids int32 [T], and labels uint8 [L]: the base code of every hidden base, else ``NOT_HIDDEN``.
    """
    n_tokens = tokenizer.n_tokens(len(codes))
    touched = _touched(runs, n_tokens, tokenizer)
    is_hidden = _covered_by(touched >= 0, len(codes), tokenizer)
    labels = np.where(is_hidden, codes, NOT_HIDDEN).astype(np.uint8)
    action_of = np.append(actions, KEEP)[touched]  # [T]; -1 reads the KEEP at the end
    is_redrawn = is_hidden & _covered_by(action_of == REDRAW, len(codes), tokenizer)
    shown = np.where(is_redrawn, generator.integers(0, N_KNOWN, len(codes)), codes).astype(np.uint8)
    token_ids = tokenizer.encode(shown, lookahead=lookahead)
    token_ids[action_of == MASK] = MASK_ID
    return token_ids, labels


def draw_actions(n_runs: int, generator: np.random.Generator) -> np.ndarray:
    """What happens to each run in training."""
    return generator.choice(3, size=n_runs, p=TRAINING_ACTIONS)


def _touched(runs: np.ndarray, n_tokens: int, tokenizer: KmerTokenizer) -> np.ndarray:
    """Number of the run that each token touches, -1 for none; int64 [T]."""
    touched = np.full(n_tokens, -1)
    for number, (start, end) in enumerate(runs):
        first = max(0, -(-(start - tokenizer.k + 1) // tokenizer.stride))
        touched[first : (end - 1) // tokenizer.stride + 1] = number
    return touched


def _covered_by(chosen: np.ndarray, n_bases: int, tokenizer: KmerTokenizer) -> np.ndarray:
    """Bases that no token but chosen ones covers; bool [L]."""
    others = np.concatenate(([0], np.cumsum(~chosen)))
    base = np.arange(n_bases)
    first = np.maximum(0, -(-(base - tokenizer.k + 1) // tokenizer.stride))
    last = np.minimum(len(chosen) - 1, base // tokenizer.stride)
    return others[last + 1] == others[first]
