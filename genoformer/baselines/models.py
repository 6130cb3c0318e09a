"""Baselines by name: each is fitted on the training part and gives outputs as a function model does."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genoformer.baselines.cnn import fit_cnn
from genoformer.baselines.features import kmer_frequencies, one_hot
from genoformer.errors import UsageError
from genoformer.tasks.function import Function

Sequences = Sequence[np.ndarray]
Outputs = Callable[[Sequences], np.ndarray]
PENALTY = 0.01
"""Inverse strength of the penalty of logistic regression, for standardised features."""
LOWEST = 1e-9
"""Smallest probability whose logarithm is taken."""


def fit_baselines(
    task: Function, train: tuple, validation: tuple, seed: int, names: Collection[str] | None = None
) -> dict[str, Outputs]:
    """The baselines that suit the task.

    Args:
        task: Classes and kind.
        train: Sequences (uint8 base codes) and targets (see ``label_values.encode_labels``).
        validation: The same; only the network looks at it, to stop in time.
        seed: Of what is random.
        names: Only these; None for all.

    Returns:
        By name, functions from sequences to outputs [n, C]. One-hot features need sequences of one length. Boosting of
        terms takes a model for each, and has fewer features and rounds.

    Raises:
        UsageError: If there is no such baseline for the task.
    """
    kind = task.options.kind
    kmers = partial(kmer_frequencies, max_k=3) if kind == "multilabel" else kmer_frequencies
    fits: dict[str, Callable[[], Outputs]] = {
        "majority": lambda: _fit(_majority(kind), _nothing, *train),
        "kmer_logistic": lambda: _fit(_linear(kind), kmer_frequencies, *train),
        "gradient_boosting": lambda: _fit(_boosting(kind, seed), kmers, *train),
        "small_cnn": lambda: fit_cnn(task, train, validation, seed),
    }
    if len({len(codes) for codes in [*train[0], *validation[0]]}) == 1:
        fits["onehot_logistic"] = lambda: _fit(_linear(kind), one_hot, *train)
    if unknown := sorted(set(names or ()) - set(fits)):
        raise UsageError(
            "BENCHMARK-002", f"unknown baselines: {', '.join(unknown)}; there are {', '.join(fits)}.",
            where="--baselines",
        )  # fmt: skip
    return {name: fit() for name, fit in fits.items() if names is None or name in names}


def _nothing(sequences: Sequences) -> np.ndarray:
    return np.zeros((len(sequences), 1))


def _majority(kind: str):
    if kind == "regression":
        return DummyRegressor()
    return DummyClassifier(strategy="prior") if kind == "multiclass" else OneVsRestClassifier(DummyClassifier())


def _linear(kind: str):
    if kind == "regression":
        return make_pipeline(StandardScaler(), Ridge(1 / PENALTY))
    one = LogisticRegression(C=PENALTY, max_iter=2000)
    return make_pipeline(StandardScaler(), one if kind == "multiclass" else OneVsRestClassifier(one))


def _boosting(kind: str, seed: int):
    if kind == "multilabel":
        one = HistGradientBoostingClassifier(max_iter=20, learning_rate=0.15, max_leaf_nodes=7, random_state=seed)
        return OneVsRestClassifier(one)
    chosen = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    return chosen(max_iter=60, learning_rate=0.15, max_leaf_nodes=15, random_state=seed)


def _fit(model, features: Callable[[Sequences], np.ndarray], sequences: Sequences, targets: np.ndarray) -> Outputs:
    """Fit, and give log-probabilities, or numbers."""
    is_number = targets.dtype != np.int64 and not hasattr(model, "predict_proba")
    model.fit(features(sequences), targets[:, 0] if is_number else targets)

    def outputs(others: Sequences) -> np.ndarray:
        if is_number:
            return model.predict(features(others))[:, None]
        return np.log(np.maximum(model.predict_proba(features(others)), LOWEST))

    return outputs
