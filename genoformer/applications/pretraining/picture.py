"""What a language model expects along a record."""

import numpy as np

from genoformer.applications.pretraining.caller import BasePrediction
from genoformer.report.markup import Markup
from genoformer.report.svg_charts import lines

N_PLACES = 200


def draw(result: BasePrediction) -> Markup:
    """How sure the model is of each base, in bits, mean of up to ``N_PLACES`` stretches; nothing without bases."""
    if not result.length:
        return Markup("")
    chances = result.probabilities.astype(np.float64)
    surprise = -(chances * np.log2(np.maximum(chances, 1e-12))).sum(axis=-1)  # [2, L]
    bits = np.log2(chances.shape[-1]) - surprise
    edges = np.unique(np.linspace(0, result.length, N_PLACES + 1).astype(np.int64))
    means = np.add.reduceat(bits, edges[:-1], axis=1) / np.diff(edges)
    middles = ((edges[:-1] + edges[1:]) / 2).tolist()
    series = {name: (middles, row) for name, row in zip(("plus", "minus"), means.round(4).tolist(), strict=True)}
    return lines(series, title=result.record_id, x="bp", y="bits known of a base")
