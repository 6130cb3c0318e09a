"""Terms that imply others: outputs that are never less sure of a term than of what implies it, and a loss for them.

Reference: Giunchiglia and Lukasiewicz 2020, Coherent hierarchical multi-label classification networks,
arXiv:2010.10151.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

LOWEST = -1e30
"""Stands for a term that does not count in a maximum: finite, so that no product with it is NaN."""


def closure_of(terms: Sequence[str], implied: Mapping[str, Sequence[str]]) -> Tensor:
    """Which terms say which: bool [C, C], [a, b] True where b is a or implies it.

    Args:
        terms: Names of the outputs.
        implied: For each term all those that it implies, also over several steps; names that are no output are left
            out.
    """
    numbers = {term: number for number, term in enumerate(terms)}
    closure = torch.eye(len(terms), dtype=torch.bool)
    for term, others in implied.items():
        for other in others:
            if other in numbers and term in numbers:
                closure[numbers[other], numbers[term]] = True
    return closure


def coherent(logits: Tensor, closure: Tensor) -> Tensor:
    """The largest logit among a term and all that imply it, [n, C]: never lower than that of a term that implies it."""
    return logits[:, None, :].masked_fill(~closure, LOWEST).amax(dim=2)


def coherent_array(logits: np.ndarray, closure: Tensor, rows_at_a_time: int = 256) -> np.ndarray:
    """The same for arrays, some sequences at a time."""
    pieces = torch.from_numpy(np.ascontiguousarray(logits)).split(rows_at_a_time)
    return torch.cat([coherent(piece, closure) for piece in pieces]).numpy()


def coherent_loss(logits: Tensor, labels: Tensor, closure: Tensor) -> Tensor:
    """Binary cross-entropy of coherent outputs, mean over all sequences and terms.

    A term that is there learns from the best of those below it that are there, too: otherwise a wrong term below could
    do its work (equation 3 of the reference).

    Args:
        logits: [n, C].
        labels: 0 and 1, with every implied term, [n, C].
        closure: From ``closure_of``.
    """
    best = coherent(logits, closure)
    best_true = (logits[:, None, :].masked_fill(~closure | (labels[:, None, :] < 0.5), LOWEST)).amax(dim=2)
    return F.binary_cross_entropy_with_logits(torch.where(labels > 0.5, best_true, best), labels)
