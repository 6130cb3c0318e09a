"""Explanations as arrays by name, as they are kept while a run is under way, and the number of each base."""

from collections.abc import Callable, Mapping

import numpy as np

from genoformer.explain.explainer import Explanation, importance
from genoformer.explain.request import GLOBALS, GRADIENTS, MUTAGENESIS

Kept = Mapping[str, np.ndarray]


def pack(found: Explanation) -> dict[str, np.ndarray]:
    """An explanation as arrays."""
    arrays = {
        MUTAGENESIS: found.mutagenesis,
        GRADIENTS: found.gradients,
        GLOBALS: found.attention,
    }
    kept = {name: array.astype(np.float32) for name, array in arrays.items() if array is not None}
    return {"start": np.array(found.start), "missing": np.array(found.missing), **kept}


def per_base(found: Kept) -> dict[str, np.ndarray]:
    """One number for each base by method, float32 [n]: attention is the mean over layers."""
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        MUTAGENESIS: importance,
        GRADIENTS: np.asarray,
        GLOBALS: lambda weights: weights.mean(axis=0),
    }
    return {name: make(found[name]).astype(np.float32) for name, make in ways.items() if name in found}
